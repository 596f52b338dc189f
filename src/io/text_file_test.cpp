#include "io/text_file.h"

#include <gmock/gmock.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <fstream>

#include "base/random.h"
#include "base/testing/test_folder.h"

namespace lmpo::text_file_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

std::string zstd(const std::string& text) {
  std::string packed(::ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);  // as the command does
  packed.resize(::ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
  ::ZSTD_freeCCtx(context);
  return packed;
}

struct Format {
  const char* name;
  std::string (*pack)(const std::string&);
};
// For the name of a test.
void PrintTo(const Format& format, std::ostream* out) {
  *out << format.name;
}

class TextFileTest : public FolderTest, public ::testing::WithParamInterface<Format> {
 protected:
  // Half of it compresses well, half does not.
  static std::string sample(std::size_t size) {
    Random random(size, 0);
    std::string text;
    while (text.size() < size) {
      text += text.size() % 2 == 0 ? "the same words again\n"
                                   : std::string(1, static_cast<char>(random.next() % 256));
    }
    return text;
  }
  std::string unpacked(const std::string& content) const {
    std::ofstream(folder_ / "file", std::ios::binary) << content;
    return std::string(TextFile(folder_ / "file").text());
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, TextFileTest,
                         ::testing::Values(Format{"gzip", gzip}, Format{"zstd", zstd}),
                         [](const auto& given) { return given.param.name; });

TEST_P(TextFileTest, GivesWhatWasPacked) {
  for (const std::size_t size : {0UL, 1UL, 1000UL, 262144UL, 1000000UL}) {
    const std::string text = sample(size);
    EXPECT_EQ(unpacked(GetParam().pack(text)), text);
    EXPECT_EQ(unpacked(text), text);  // and as it is, what is not packed
  }
  EXPECT_EQ(listing(), std::set<std::string>{"file"});
}

TEST_P(TextFileTest, PartsFollowOneAnother) {
  const std::string first = sample(300'000);
  const std::string second = "and the rest\n";
  EXPECT_EQ(unpacked(GetParam().pack(first) + GetParam().pack("") + GetParam().pack(second)),
            first + second);
}

TEST_P(TextFileTest, CutShortAnywhereIsAnError) {
  const std::string packed = GetParam().pack(sample(5000));
  for (std::size_t size = 4; size < packed.size(); size += 7) {
    EXPECT_THAT(user_error_of([&] { unpacked(packed.substr(0, size)); }),
                HasSubstr(fmt::format("file: not whole {} data", GetParam().name)))
        << size;
  }
}

// Either what is broken is found, or nothing was: no crash, and no third way.
TEST_P(TextFileTest, BrokenBytesAreAnErrorOrHarmless) {
  const std::string text = sample(3000);
  const std::string packed = GetParam().pack(text);
  Random random(4, 0);
  int found = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::string broken = packed;
    broken[4 + random.next() % (packed.size() - 4)] ^= static_cast<char>(1 + random.next() % 255);
    found += user_error_of([&] { unpacked(broken); }).empty() ? 0 : 1;
  }
  EXPECT_GT(found, 280);
}

TEST_P(TextFileTest, EverySizeNearAWholePieceIsRead) {
  for (const std::size_t size : {(1 << 18) - 1, 1 << 18, (1 << 18) + 1, 1 << 19}) {
    const std::string text = sample(size).substr(0, size);
    EXPECT_EQ(unpacked(GetParam().pack(text)), text) << size;
    EXPECT_EQ(unpacked(GetParam().pack(text) + GetParam().pack(text)), text + text) << size;
  }
}

TEST_P(TextFileTest, ABombIsRefusedBeforeItFillsTheDisk) {
  // 300 MB of one letter: 1,000 times the packed size, where text is hardly ever beyond 20.
  const fs::path path = folder_ / "bomb";
  write_file_atomically(path, GetParam().pack(std::string(std::size_t{300} << 20, 'a')));
  EXPECT_THAT(user_error_of([&] { TextFile file(path); }),
              AllOf(HasSubstr(path.string()), HasSubstr("unpacks to more than 268")));
  // What is small may be as uniform as it likes.
  const std::string uniform(1 << 20, 'a');
  write_file_atomically(path, GetParam().pack(uniform));
  EXPECT_EQ(TextFile(path).text(), uniform);
}

TEST_P(TextFileTest, AFolderForTemporaryFilesThatIsNotThereIsNamed) {
  write_file_atomically(folder_ / "file", GetParam().pack("text"));
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "/tmp" : before;
  ::setenv("TMPDIR", "/nowhere", 1);
  EXPECT_THAT(user_error_of([&] { TextFile file(folder_ / "file"); }), HasSubstr("/nowhere"));
  ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST_P(TextFileTest, LeavesNothingInTheFolderForTemporaryFiles) {
  write_file_atomically(folder_ / "file", GetParam().pack("text"));
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "/tmp" : before;
  fs::create_directory(folder_ / "temporary");
  ::setenv("TMPDIR", (folder_ / "temporary").c_str(), 1);
  const TextFile file(folder_ / "file");
  ::setenv("TMPDIR", kept.c_str(), 1);
  EXPECT_TRUE(fs::is_empty(folder_ / "temporary"));  // also while it is read: a kill leaves nothing
  EXPECT_EQ(file.text(), "text");
}

TEST_P(TextFileTest, WithoutRoomForItIsAMachineError) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  write_file_atomically(folder_ / "file", GetParam().pack("text"));
  ::setenv("TMPDIR", "/proc/self", 1);  // where nothing can be written
  EXPECT_THROW(TextFile(folder_ / "file"), MachineError);
  if (before == nullptr) {
    ::unsetenv("TMPDIR");
  } else {
    ::setenv("TMPDIR", kept.c_str(), 1);
  }
}

}  // namespace
}  // namespace lmpo::text_file_test
