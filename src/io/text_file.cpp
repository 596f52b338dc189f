#include "io/text_file.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "base/error.h"

namespace lmpo {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t piece_bytes = 1 << 18;

bool begins_with(Bytes bytes, std::initializer_list<unsigned char> magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(), [](unsigned char a, std::byte b) {
           return a == std::to_integer<unsigned char>(b);
         });
}

// A file that nobody else sees and that is gone when it is closed.
class Unpacked {
 public:
  Unpacked() : path_((fs::temp_directory_path() / "lmpo-XXXXXX").string()) {
    descriptor_ = ::mkstemp(path_.data());
    if (descriptor_ < 0) {
      fail();
    }
  }
  ~Unpacked() {
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;

  void write(const void* data, std::size_t size) {
    const auto* cursor = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, cursor, size);
      if (written < 0 && errno != EINTR) {
        fail();
      }
      cursor += std::max<ssize_t>(written, 0);
      size -= static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    }
  }
  MappedFile map() const { return MappedFile(path_); }

 private:
  [[noreturn]] void fail() const {
    machine_error(
        "{}: a compressed file cannot be unpacked there: {}. Free some space, or name another "
        "folder by the environment's TMPDIR",
        fs::path(path_).parent_path().string(), std::strerror(errno));
  }

  std::string path_;
  int descriptor_ = -1;
};

[[noreturn]] void broken(const fs::path& path, std::string_view format, std::string_view why) {
  user_error("{}: not whole {} data ({}); is the file cut short? Fetch it again", path.string(),
             format, why);
}

void unpack_gzip(const fs::path& path, Bytes packed, Unpacked& out) {
  z_stream stream{};
  constexpr int gzip_format = 15 + 16;
  LMPO_CHECK(::inflateInit2(&stream, gzip_format) == Z_OK);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, ::inflateEnd);
  std::vector<unsigned char> piece(piece_bytes);
  std::size_t given = 0;
  int status = Z_OK;
  do {
    if (status == Z_STREAM_END) {  // another part follows
      LMPO_CHECK(::inflateReset(&stream) == Z_OK);
    }
    if (stream.avail_in == 0) {
      const std::size_t size = std::min(packed.size() - given, piece_bytes);
      stream.next_in =
          const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(packed.data() + given));
      stream.avail_in = static_cast<uInt>(size);
      given += size;
    }
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    status = ::inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      broken(path, "gzip", stream.msg != nullptr ? stream.msg : "it ends too early");
    }
    out.write(piece.data(), piece.size() - stream.avail_out);
  } while (status != Z_STREAM_END || stream.avail_in > 0 || given < packed.size());
}

void unpack_zstd(const fs::path& path, Bytes packed, Unpacked& out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(::ZSTD_createDCtx(),
                                                                        ::ZSTD_freeDCtx);
  std::vector<char> piece(piece_bytes);
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  std::size_t wanted = 0;  // bytes that the present part still lacks
  bool full = false;
  do {
    ZSTD_outBuffer output{piece.data(), piece.size(), 0};
    wanted = ::ZSTD_decompressStream(context.get(), &output, &input);
    if (::ZSTD_isError(wanted) != 0) {
      broken(path, "zstd", ::ZSTD_getErrorName(wanted));
    }
    out.write(piece.data(), output.pos);
    full = output.pos == output.size;
  } while (input.pos < input.size || full);
  if (wanted != 0) {
    broken(path, "zstd", "it ends too early");
  }
}

}  // namespace

MappedFile TextFile::open(const fs::path& path) {
  MappedFile file(path);
  const bool gzip = begins_with(file.bytes(), {0x1F, 0x8B});
  const bool zstd = begins_with(file.bytes(), {0x28, 0xB5, 0x2F, 0xFD});
  if (!gzip && !zstd) {
    return file;
  }
  Unpacked unpacked;
  (gzip ? unpack_gzip : unpack_zstd)(path, file.bytes(), unpacked);
  return unpacked.map();
}

}  // namespace lmpo
