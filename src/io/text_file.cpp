#include "io/text_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/readable.h"
#include "base/temporary_folder.h"

namespace lmpo {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kPieceBytes = 1 << 18;

bool begins_with(Bytes bytes, std::initializer_list<unsigned char> magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(), [](unsigned char a, std::byte b) {
           return a == std::to_integer<unsigned char>(b);
         });
}

// What a compressed file may unpack to: text never shrinks further than this.
constexpr std::uint64_t kMostRatio = 256;
constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{256} << 20;

// A file without a name, which is gone when it is closed, however the program ends.
Descriptor open_nameless(const fs::path& folder) {
  Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.is_open()) {
    return file;
  }
  std::string path = (folder / "lmpo-XXXXXX").string();  // not every file system knows O_TMPFILE
  Descriptor named(::mkostemp(path.data(), O_CLOEXEC));
  if (named.is_open()) {
    ::unlink(path.c_str());
  }
  return named;
}

// Where a file's content is unpacked.
class Unpacked {
 public:
  Unpacked(const fs::path& path, std::size_t packed_bytes)
      : path_(path),
        most_(std::max(kAlwaysAllowed, kMostRatio * packed_bytes)),
        folder_(temporary_folder()),
        file_(open_nameless(folder_)) {
    if (!file_.is_open()) {
      fail(errno);
    }
  }

  void write(const void* data, std::size_t size) {
    written_ += size;
    if (written_ > most_) {
      user_error(
          "{}: unpacks to more than {}, {} times its own size, which text does not; if it is "
          "really data, unpack it first",
          path_.string(), readable_bytes(most_), kMostRatio);
    }
    if (const int code = write_all(file_.get(), data, size); code != 0) {
      fail(code);
    }
  }
  MappedFile map() const { return MappedFile(fmt::format("/proc/self/fd/{}", file_.get())); }

 private:
  [[noreturn]] void fail(int code) const {
    machine_error(
        "{}: cannot unpack {} there: {}. Free some space, or set TMPDIR to another folder",
        folder_.string(), path_.string(), std::strerror(code));
  }

  const fs::path& path_;
  std::uint64_t most_;
  std::uint64_t written_ = 0;
  fs::path folder_;
  Descriptor file_;
};

[[noreturn]] void broken(const fs::path& path, std::string_view format, std::string_view why) {
  user_error("{}: not whole {} data ({}); is the file cut short? Fetch it again", path.string(),
             format, why);
}

void unpack_gzip(const fs::path& path, Bytes packed, Unpacked& out) {
  z_stream stream{};
  constexpr int kGzipFormat = 15 + 16;
  LMPO_CHECK(::inflateInit2(&stream, kGzipFormat) == Z_OK);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, ::inflateEnd);
  std::vector<unsigned char> piece(kPieceBytes);
  std::size_t given = 0;
  int status = Z_OK;
  do {
    if (status == Z_STREAM_END) {  // another part follows
      LMPO_CHECK(::inflateReset(&stream) == Z_OK);
    }
    if (stream.avail_in == 0) {
      const std::size_t size = std::min(packed.size() - given, kPieceBytes);
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
  std::vector<char> piece(kPieceBytes);
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
    // Full, with more to come; at the end of a part there is nothing left to ask for.
  } while (input.pos < input.size || (full && wanted != 0));
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
  Unpacked unpacked(path, file.bytes().size());
  (gzip ? unpack_gzip : unpack_zstd)(path, file.bytes(), unpacked);
  return unpacked.map();
}

}  // namespace lmpo
