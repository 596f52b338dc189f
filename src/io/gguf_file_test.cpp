// Reading GGUF files: golden files of llama.cpp's gguf package (tools/oracle/gguf_golden.py), and files
// that lie.
#include "io/gguf_file.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <functional>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "io/gguf.h"

namespace lmpo::gguf_file_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kGolden = source_folder() / "src/io/testdata";

std::vector<float> read_all(const GgufFile& file, const std::string& name) {
  std::vector<float> values(static_cast<std::size_t>(file.find(name)->elements()));
  file.read(name, 0, values);
  return values;
}

TEST(GgufTypes, EveryTypeEqualsLlamaCppsPackageBitForBit) {
  const GgufFile file(kGolden / "types.gguf");
  std::string names;
  for (const StoredGgufTensor* tensor : file.tensors()) {
    if (tensor->name.ends_with(".floats")) {
      continue;
    }
    names += (names.empty() ? "" : ", ") + tensor->name;
    EXPECT_EQ(tensor->storage->name, tensor->name);
    const std::vector<float> found = read_all(file, tensor->name);
    const std::vector<float> expected = read_all(file, tensor->name + ".floats");
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i]), std::bit_cast<std::uint32_t>(expected[i]))
          << tensor->name << " " << i << ": " << found[i] << " is not " << expected[i];
    }
  }
  EXPECT_EQ(names, readable_gguf_types());
}

TEST(GgufTypes, AnyPartOfATensor) {
  const GgufFile file(kGolden / "types.gguf");
  for (const char* name : {"F16", "Q5_0", "Q6_K"}) {
    const std::vector<float> whole = read_all(file, name);
    for (const auto& [begin, count] : {std::pair(0, 1), std::pair(31, 3), std::pair(60, 14)}) {
      std::vector<float> part(static_cast<std::size_t>(count));
      file.read(name, begin, part);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + begin)) << name << begin;
    }
  }
}

TEST(GgufKeysOfAFile, ValuesOfEveryType) {
  const GgufFile file(kGolden / "types.gguf");
  const GgufKeys& keys = file.keys();
  const std::map<std::string, std::int64_t> numbers = {
      {"u8", 200},         {"i8", -100},         {"u16", 60000},     {"i16", -30000},
      {"u32", 4000000000}, {"i32", -2000000000}, {"u64", 1LL << 40}, {"i64", -(1LL << 40)}};
  for (const auto& [key, value] : numbers) {
    EXPECT_EQ(keys.at<std::int64_t>(key), value) << key;
    EXPECT_EQ(keys.at<double>(key), static_cast<double>(value)) << key;
  }
  EXPECT_EQ(keys.at<double>("f32"), static_cast<double>(0.1F));
  EXPECT_EQ(keys.at<double>("f64"), 0.1);
  EXPECT_TRUE(keys.at<bool>("bool"));
  EXPECT_EQ(keys.at<std::string>("text"), "h\u00e9");
  EXPECT_THAT(keys.at<std::vector<std::int64_t>>("numbers"), ElementsAre(-1, 2));
  EXPECT_THAT(keys.at<std::vector<double>>("reals"), ElementsAre(0.25, -0.5));
  EXPECT_THAT(keys.at<std::vector<std::int64_t>>("truths"), ElementsAre(1, 0));
  EXPECT_THAT(keys.at<std::vector<std::string>>("texts"), ElementsAre("", "a b"));
  EXPECT_FALSE(keys.find<bool>("none"));
  EXPECT_THAT(user_error_of([&] { keys.at<bool>("none"); }),
              HasSubstr("types.gguf: the key 'none' is missing; true or false was expected"));
  EXPECT_THAT(user_error_of([&] { keys.at<std::int64_t>("text"); }),
              HasSubstr("key 'text': a whole number was expected, not a text"));
}

// Split files

class SplitGguf : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    for (const char* name : {"parts-00001-of-00002.gguf", "parts-00002-of-00002.gguf"}) {
      fs::copy(kGolden / name, folder_ / name);
    }
  }
  std::string refusal(const char* name) const {
    return user_error_of([&] { GgufFile(folder_ / name); });
  }
};

TEST_F(SplitGguf, AnyPartOpensAll) {
  for (const char* name : {"parts-00001-of-00002.gguf", "parts-00002-of-00002.gguf"}) {
    const GgufFile file(folder_ / name);
    EXPECT_EQ(file.parts(), 2U);
    EXPECT_EQ(file.keys().at<std::int64_t>("llama.block_count"), 7);
    EXPECT_THAT(file.find("a")->shape, ElementsAre(2, 3));
    EXPECT_THAT(read_all(file, "a"), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(read_all(file, "b"), ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(file.tensors().size(), 2U);
  }
}

TEST_F(SplitGguf, MissingAndMisplacedPartsAreNamed) {
  fs::remove(folder_ / "parts-00002-of-00002.gguf");
  EXPECT_THAT(refusal("parts-00001-of-00002.gguf"),
              HasSubstr("parts-00002-of-00002.gguf: part 2 of 2 is missing"));
  fs::copy(kGolden / "parts-00001-of-00002.gguf", folder_ / "parts-00002-of-00002.gguf");
  EXPECT_THAT(refusal("parts-00001-of-00002.gguf"),
              HasSubstr("it says that it is part 1 of 2; its name says part 2 of 2"));
  fs::rename(folder_ / "parts-00001-of-00002.gguf", folder_ / "one.gguf");
  EXPECT_THAT(refusal("one.gguf"),
              HasSubstr("this is part 1 of 2; its name must end with -00001-of-00002.gguf"));
}

// Files that lie

// The bytes of a file, put together by hand.
struct Bytes {
  std::string text;

  template <typename T>
  Bytes& number(T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& u32(std::uint32_t value) { return number(value); }
  Bytes& u64(std::uint64_t value) { return number(value); }
  Bytes& name(const std::string& value) {
    u64(value.size());
    text += value;
    return *this;
  }
  // Version, numbers of tensors and of keys.
  static Bytes header(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    Bytes bytes{"GGUF"};
    return bytes.u32(version).u64(tensors).u64(keys);
  }
  // A vector of float32.
  Bytes& tensor(const std::string& tensor_name, std::uint64_t size, std::uint64_t offset,
                std::uint32_t type = 0) {
    return name(tensor_name).u32(1).u64(size).u32(type).u64(offset);
  }
  Bytes& data(std::size_t size) {
    text.resize((text.size() + 31) / 32 * 32 + size);
    return *this;
  }
};

std::string refusal(const std::string& file) {
  const std::span<const char> chars(file);
  return user_error_of([&] { parse_gguf(std::as_bytes(chars), "x.gguf"); });
}
std::string refusal(const Bytes& bytes) {
  return refusal(bytes.text);
}

TEST(BadGguf, OtherFormatsAndVersions) {
  EXPECT_THAT(refusal(std::string("PK\3\4")), HasSubstr("x.gguf: not a GGUF file"));
  EXPECT_THAT(refusal(std::string()), HasSubstr("not a GGUF file"));
  EXPECT_THAT(refusal(Bytes::header(0, 0, 1)), HasSubstr("a GGUF file of version 1"));
  EXPECT_THAT(refusal(Bytes::header(0, 0, 4)), HasSubstr("version 4; versions 2 and 3 are read"));
  EXPECT_THAT(refusal(Bytes::header(0, 0, 3U << 24)), HasSubstr("a big-endian GGUF file"));
  EXPECT_EQ(parse_gguf(std::as_bytes(std::span<const char>(Bytes::header(0, 0, 2).text)), "x")
                .tensors.size(),
            0U);
}

TEST(BadGguf, CutAnywhere) {
  std::string file = read_file(kGolden / "parts-00001-of-00002.gguf");
  file.resize(file.size() - 8);  // what fills the last 32 bytes
  while (file.size() > 1) {
    file.pop_back();
    EXPECT_THAT(refusal(file), HasSubstr("x.gguf: ")) << file.size();
  }
}

TEST(BadGguf, CountsThatTheFileCannotHold) {
  EXPECT_THAT(refusal(Bytes::header(1ULL << 60, 0)), HasSubstr("tensors are announced, more than"));
  EXPECT_THAT(refusal(Bytes::header(0, 1ULL << 60)), HasSubstr("keys and"));
  EXPECT_THAT(refusal(Bytes::header(0, 1).name("k").u32(9).u32(4).u64(1ULL << 61)),
              HasSubstr("key 'k': a list of 2305843009213693952 values is announced"));
  EXPECT_THAT(refusal(Bytes::header(0, 1).name("k").u32(9).u32(8).u64(2).u64(0)),
              HasSubstr("key 'k': a list of 2 values is announced, which is more than the file can "
                        "hold; it is cut short or damaged"));
  EXPECT_THAT(refusal(Bytes::header(0, 1).u64(UINT64_MAX).u64(0)), HasSubstr("key 1: its"));
}

TEST(BadGguf, KeysAndTheirValues) {
  EXPECT_THAT(refusal(Bytes::header(0, 1).name("k").u32(13).u32(0)),
              HasSubstr("key 'k': 13 is no type of values"));
  EXPECT_THAT(refusal(Bytes::header(0, 1).name("k").u32(9).u32(9).u64(0)),
              HasSubstr("key 'k': a list of lists"));
  EXPECT_THAT(refusal(Bytes::header(0, 1).name("k").u32(10).u64(UINT64_MAX)),
              HasSubstr("key 'k': the number 18446744073709551615 is too large"));
  EXPECT_THAT(refusal(Bytes::header(0, 2).name("k").u32(4).u32(1).name("k").u32(4).u32(1)),
              HasSubstr("key 'k': it stands twice"));
  for (const std::uint32_t alignment : {0U, 24U, 1U << 30}) {
    EXPECT_THAT(refusal(Bytes::header(0, 1).name("general.alignment").u32(4).u32(alignment)),
                HasSubstr("key 'general.alignment': a power of two"));
  }
}

TEST(BadGguf, ShapesAndTypesOfTensors) {
  const auto with = [](std::uint32_t dimensions, std::uint64_t size, std::uint32_t type) {
    Bytes bytes = Bytes::header(1, 0).name("t").u32(dimensions);
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      bytes.u64(size);
    }
    return refusal(bytes.u32(type).u64(0).data(64));
  };
  EXPECT_THAT(with(0, 1, 0), HasSubstr("tensor 't': 0 dimensions; 1 to 4 were expected"));
  EXPECT_THAT(with(5, 1, 0), HasSubstr("tensor 't': 5 dimensions"));
  EXPECT_THAT(with(2, 0, 0), HasSubstr("tensor 't': the shape [0, 0] is not possible"));
  EXPECT_THAT(with(2, 1ULL << 33, 0), HasSubstr("is not possible"));
  EXPECT_THAT(with(4, 1ULL << 32, 0), HasSubstr("is not possible"));
  EXPECT_THAT(with(1, UINT64_MAX, 0), HasSubstr("is too large"));
  EXPECT_THAT(with(1, 8, 4), HasSubstr("tensor 't': its type 4 is unknown; F32, F16"));
  EXPECT_THAT(with(1, 33, 2), HasSubstr("rows of 33 elements are not whole blocks of 32, as Q4_0"));
}

TEST(BadGguf, PlacesOfTensors) {
  EXPECT_THAT(refusal(Bytes::header(1, 0).tensor("t", 16, 0).data(63)),
              HasSubstr("tensor 't': its 64 bytes reach beyond"));
  EXPECT_THAT(refusal(Bytes::header(1, 0).tensor("t", 16, UINT64_MAX - 31).data(64)),
              HasSubstr("reach beyond"));
  EXPECT_THAT(refusal(Bytes::header(1, 0).tensor("t", 16, 8).data(96)),
              HasSubstr("its offset 8 is not a multiple of the alignment 32"));
  EXPECT_THAT(refusal(Bytes::header(2, 0).tensor("t", 16, 0).tensor("u", 1, 32).data(64)),
              HasSubstr("tensor 'u': its bytes overlap with those of 't'"));
  EXPECT_THAT(refusal(Bytes::header(2, 0).tensor("t", 1, 0).tensor("t", 1, 32).data(64)),
              HasSubstr("tensor 't': it stands twice"));
}

class UnreadableGguf : public FolderTest {
 protected:
  std::string refusal(std::uint32_t type, float value) const {
    Bytes bytes = Bytes::header(1, 0).tensor("t", 256, 0, type).data(0);
    for (int i = 0; i < 300; ++i) {
      bytes.number(value);
    }
    write_file_atomically(folder_ / "x.gguf", bytes.text);
    const GgufFile file(folder_ / "x.gguf");
    return user_error_of([&] { read_all(file, "t"); });
  }
};

TEST_F(UnreadableGguf, TypesAreRefusedByName) {
  EXPECT_THAT(refusal(20, 0), HasSubstr("tensor 't' is stored as IQ4_NL, which is not read; F32"));
  EXPECT_THAT(refusal(39, 0), HasSubstr("MXFP4"));
}

TEST_F(UnreadableGguf, ValuesThatAreNotFinite) {
  EXPECT_THAT(refusal(0, std::nanf("")),
              AllOf(HasSubstr("x.gguf"), HasSubstr("tensor 't' holds values that are NaN")));
}

}  // namespace
}  // namespace lmpo::gguf_file_test
