// The safetensors format against files of Python's library (testdata/, made by
// tools/oracle/safetensors_golden.py), against itself, and against headers that lie.
#include "io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "base/random.h"
#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"

namespace lmpo::safetensors_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const fs::path golden_folder = source_folder() / "src/io/testdata";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string length_field(std::uint64_t length) {
  std::string field(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    field[i] = static_cast<char>(length >> (8 * i));
  }
  return field;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return length_field(header.size()) + header + std::string(data_bytes, 'x');
}

std::string refusal(std::string_view file) {
  return user_error_of([&] { parse_safetensors(bytes_of(file), "a.safetensors"); });
}

struct GoldenTensor {
  std::string name;
  Dtype dtype;
  std::vector<std::int64_t> shape;

  std::int64_t elements() const {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  }
  // Element i is i / 4 - 1, or i in an integer type.
  std::vector<std::byte> data() const {
    std::vector<std::byte> bytes;
    const auto append = [&](auto value) {
      const auto* begin = reinterpret_cast<const std::byte*>(&value);
      bytes.insert(bytes.end(), begin, begin + sizeof value);
    };
    for (int i = 0; i < elements(); ++i) {
      const float value = static_cast<float>(i) / 4 - 1;
      switch (dtype) {
        case Dtype::f32:
          append(value);
          break;
        case Dtype::bf16:
          append(to_bfloat16(value));
          break;
        case Dtype::f16:
          append(to_float16(value));
          break;
        case Dtype::i32:
          append(std::int32_t{i});
          break;
        case Dtype::i16:
          append(static_cast<std::int16_t>(i));
          break;
        case Dtype::i8:
          append(static_cast<std::int8_t>(i));
          break;
        case Dtype::u8:
          append(static_cast<std::uint8_t>(i));
          break;
      }
    }
    return bytes;
  }
};

const std::vector<GoldenTensor> golden_tensors = {
    {"z.half", Dtype::f16, {7}},       {"ids", Dtype::i32, {3}},
    {"a.weight", Dtype::bf16, {2, 5}}, {"empty", Dtype::f32, {0, 4}},
    {"b.weight", Dtype::f32, {3, 2}},  {"scalar", Dtype::f32, {}},
    {"bits", Dtype::i16, {1, 3}},      {"ä \"quoted\"", Dtype::f32, {1}},
};

TEST(SafetensorsFile, ReadsWhatTheLibraryWrote) {
  const SafetensorsFile file(golden_folder / "readable.safetensors");
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("format", "pt")));
  EXPECT_EQ(file.tensors().size(), golden_tensors.size());
  for (const GoldenTensor& expected : golden_tensors) {
    const TensorView view = file.tensor(expected.name);
    EXPECT_EQ(view.name, expected.name);
    EXPECT_EQ(view.dtype, expected.dtype) << expected.name;
    EXPECT_EQ(view.shape, expected.shape) << expected.name;
    EXPECT_EQ(view.elements(), expected.elements()) << expected.name;
    EXPECT_TRUE(std::ranges::equal(view.bytes, expected.data())) << expected.name;
  }
  EXPECT_EQ(file.find("b.bias"), nullptr);
  EXPECT_THAT(user_error_of([&] { file.tensor("b.bias"); }),
              HasSubstr("readable.safetensors: there is no tensor 'b.bias'"));
}

TEST(SafetensorsFile, ConvertsEveryFloatingTypeFromAnyElement) {
  const SafetensorsFile file(golden_folder / "readable.safetensors");
  for (const char* name : {"a.weight", "b.weight", "z.half"}) {
    std::vector<float> values(3);
    read_as_float(file.tensor(name), 2, values);
    EXPECT_THAT(values, ElementsAre(-0.5F, -0.25F, 0.0F)) << name;
  }
  std::vector<float> values(3);
  EXPECT_THAT(user_error_of([&] { read_as_float(file.tensor("ids"), 0, values); }),
              HasSubstr("'ids' holds int32, a floating-point type was expected"));
  EXPECT_THROW(read_as_float(file.tensor("b.weight"), 4, values), std::logic_error);
}

TEST(SafetensorsFile, ListsForeignTypesAndRefusesToReadThem) {
  const SafetensorsFile file(golden_folder / "foreign.safetensors");
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("format", "pt"), Pair("made by", "safetensors")));
  const std::map<std::string, std::string> types = {
      {"double", "F64"}, {"long", "I64"}, {"flag", "BOOL"}, {"eight", "F8_E4M3"}};
  for (const auto& entry : types) {
    const std::string& name = entry.first;
    ASSERT_NE(file.find(name), nullptr) << name;
    EXPECT_EQ(file.find(name)->dtype, entry.second);
    EXPECT_THAT(user_error_of([&] { file.tensor(name); }),
                HasSubstr(fmt::format("'{}' is stored as {}", name, entry.second)));
  }
  std::vector<float> values(2);
  EXPECT_THAT(user_error_of([&] { read_as_float(file.tensor("byte"), 0, values); }),
              HasSubstr("'byte' holds uint8, a floating-point type was expected"));
  read_as_float(file.tensor("float"), 0, values);
  EXPECT_THAT(values, ElementsAre(-1.0F, -0.75F));
}

TEST(SafetensorsFile, NamesAFileThatIsNotThere) {
  EXPECT_THAT(user_error_of([] { SafetensorsFile file("/nowhere/a.safetensors"); }),
              HasSubstr("/nowhere/a.safetensors"));
}

TEST(ParseSafetensors, AcceptsWhatTheFormatAllows) {
  const std::vector<std::pair<std::string, std::size_t>> files = {
      {R"({})", 0},
      {R"({"__metadata__":null})", 0},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}       )", 8},
      // The order of the names need not be that of the bytes.
      {R"({"b":{"dtype":"F32","shape":[],"data_offsets":[2,6]},)"
       R"("a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]},)"
       R"("none":{"dtype":"F32","shape":[3,0],"data_offsets":[2,2]}})",
       6},
      {R"({"four":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", 2},
  };
  for (const auto& [header, data] : files) {
    EXPECT_EQ(refusal(file_of(header, data)), "") << header;
  }
  const auto header = parse_safetensors(bytes_of(file_of(files[3].first, 6)), "x");
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[1].name, "none");
  EXPECT_EQ(header.tensors[2].name, "b");
}

struct Lie {
  const char* name;
  std::string file;
  const char* told;  // part of the message
};

std::string one_tensor(const std::string& entry, std::size_t data = 8) {
  return file_of(R"({"w":)" + entry + "}", data);
}

std::string two_tensors(const char* offsets_a, const char* offsets_b, std::size_t data) {
  return file_of(fmt::format(R"({{"a":{{"dtype":"F32","shape":[1],"data_offsets":{}}},)"
                             R"("b":{{"dtype":"F32","shape":[1],"data_offsets":{}}}}})",
                             offsets_a, offsets_b),
                 data);
}

const std::vector<Lie> lies = {
    {"Empty", "", "0 bytes are too few"},
    {"LengthCutOff", std::string(7, '\0'), "7 bytes are too few"},
    {"HeaderBeyondTheFile", length_field(100) + "{}",
     "a header of 100 bytes is announced, the file has 10 bytes"},
    {"HeaderOfAbsurdLength", length_field(std::numeric_limits<std::uint64_t>::max()) + "{}",
     "at most 100000000 are allowed"},
    {"NoHeader", file_of("", 0), "does not start with '{'"},
    {"AnotherFormat", file_of("PK\x03\x04 zip", 40), "does not start with '{'"},
    {"List", file_of("[]", 0), "does not start with '{'"},
    {"LeadingSpace", file_of(" {}", 0), "does not start with '{'"},
    {"NotJson", file_of(R"({"w": )", 0), "the header is not valid JSON"},
    {"NotUtf8", file_of("{\"\xff\": 1}", 0), "the header is not valid JSON"},
    {"TextAfterTheObject", file_of("{} {}", 0), "the header is not valid JSON"},
    {"NestedTooDeep", file_of(R"({"w":)" + std::string(1'000'000, '[') + "}", 0),
     "nested too deep"},
    {"NameTwice",
     file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
             R"("w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
             8),
     "names 'w' twice"},
    {"KeyTwice", one_tensor(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})"),
     "names 'dtype' twice"},
    {"MetadataOfNumbers", file_of(R"({"__metadata__":{"format":1}})", 0), "'format' is none"},
    {"MetadataIsAText", file_of(R"({"__metadata__":"pt"})", 0), "must be an object of texts"},
    {"EntryIsANumber", one_tensor("7"), "tensor 'w'"},
    {"NoDtype", one_tensor(R"({"shape":[2],"data_offsets":[0,8]})"), "the key 'dtype' is missing"},
    {"UnknownDtype", one_tensor(R"({"dtype":"Q4","shape":[2],"data_offsets":[0,8]})"),
     "tensor 'w': unknown dtype 'Q4'"},
    {"DtypeIsANumber", one_tensor(R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})"),
     "key 'dtype'"},
    {"NoShape", one_tensor(R"({"dtype":"F32","data_offsets":[0,8]})"), "a list 'shape'"},
    {"ShapeIsANumber", one_tensor(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"),
     "a list 'shape'"},
    {"NegativeShape", one_tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"),
     "'shape' must hold whole numbers that are not negative"},
    {"FractionalShape", one_tensor(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"),
     "'shape' must hold whole numbers"},
    {"ShapeOverflows",
     one_tensor(R"({"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]})"),
     "is not possible"},
    {"ProductOverflows",
     one_tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0),
     "is not possible"},
    {"HalfAByte", one_tensor(R"({"dtype":"F4","shape":[3],"data_offsets":[0,1]})", 1),
     "is not possible"},
    {"NoOffsets", one_tensor(R"({"dtype":"F32","shape":[2]})"), "a list 'data_offsets'"},
    {"OneOffset", one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8]})"),
     "data_offsets must be [begin, end]"},
    {"OffsetsReversed", one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"),
     "begin <= end"},
    {"OffsetTooLarge",
     one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615]})"),
     "'data_offsets' must hold whole numbers"},
    {"BeyondTheData", one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 7),
     "its bytes [0, 8) reach beyond the 7 bytes of data"},
    {"FewerBytesThanTheShape", one_tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
     "F32 [3] needs 12 bytes, data_offsets give 8"},
    {"MoreBytesThanTheShape", one_tensor(R"({"dtype":"BF16","shape":[3],"data_offsets":[0,8]})"),
     "BF16 [3] needs 6 bytes, data_offsets give 8"},
    {"Overlap", two_tensors("[0,4]", "[2,6]", 6), "tensor 'b': its bytes overlap"},
    {"SamePlace", two_tensors("[0,4]", "[0,4]", 4), "its bytes overlap"},
    {"Hole", two_tensors("[0,4]", "[6,10]", 10), "tensor 'b': its bytes leave a hole"},
    {"HoleAtTheBeginning", one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"),
     "leave a hole"},
    {"BytesOfNobody", one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"),
     "4 bytes follow that belong to no tensor"},
};

class Malformed : public ::testing::TestWithParam<Lie> {};

TEST_P(Malformed, IsRefusedByName) {
  const std::string message = refusal(GetParam().file);
  EXPECT_THAT(message, ::testing::StartsWith("a.safetensors: "));
  EXPECT_THAT(message, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(Headers, Malformed, ::testing::ValuesIn(lies),
                         [](const auto& lie) { return lie.param.name; });

// Hours, where each tensor is compared with all others.
TEST(ParseSafetensors, ManyTensorsAreReadOneAfterTheOther) {
  constexpr int kTensors = 300'000;
  std::string header = "{";
  for (int i = 0; i < kTensors; ++i) {
    header += fmt::format(R"({}"t{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
                          i == 0 ? "" : ",", i);
  }
  header += "}";
  std::string file(8, '\0');
  for (std::size_t i = 0; i < file.size(); ++i) {
    file[i] = static_cast<char>(header.size() >> (8 * i));
  }
  EXPECT_EQ(refusal(file + header), "");
}

TEST(ParseSafetensors, RefusesEveryTruncation) {
  const std::string whole = read_file(golden_folder / "readable.safetensors");
  EXPECT_EQ(refusal(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(std::string_view(whole).substr(0, size)), "") << size;
  }
  EXPECT_NE(refusal(whole + "x"), "");
}

class WriteSafetensors : public FolderTest {
 protected:
  const fs::path path_ = folder_ / "model.safetensors";
};

TEST_F(WriteSafetensors, WritesTheLibrarysBytes) {
  std::vector<std::vector<std::byte>> data;
  std::vector<TensorSource> sources;
  for (const GoldenTensor& tensor : golden_tensors) {
    data.push_back(tensor.data());
    sources.push_back(
        tensor_from_memory(tensor.name, tensor.dtype, tensor.shape, data.back().data()));
  }
  write_safetensors(path_, sources);
  EXPECT_EQ(read_file(path_), read_file(golden_folder / "readable.safetensors"));
}

TEST_F(WriteSafetensors, RoundTripsEveryBitInPieces) {
  // Larger than one piece of 4 MiB, with rows that do not end where the pieces do.
  const std::vector<std::int64_t> shape = {1'000'003, 3};
  Random random(1, 2);
  std::vector<std::uint16_t> half(3'000'009);
  std::ranges::generate(half, [&] { return static_cast<std::uint16_t>(random.next()); });
  std::vector<std::uint32_t> whole(half.size());
  std::ranges::generate(whole, [&] { return random.next(); });
  write_safetensors(path_,
                    {tensor_from_memory("bf16", Dtype::bf16, shape, half.data()),
                     tensor_from_memory("f16", Dtype::f16, shape, half.data()),
                     tensor_from_memory("f32", Dtype::f32, shape, whole.data())},
                    {});
  const SafetensorsFile file(path_);
  EXPECT_TRUE(file.metadata().empty());
  EXPECT_TRUE(std::ranges::equal(file.tensor("bf16").bytes, std::as_bytes(std::span(half))));
  EXPECT_TRUE(std::ranges::equal(file.tensor("f16").bytes, std::as_bytes(std::span(half))));
  EXPECT_TRUE(std::ranges::equal(file.tensor("f32").bytes, std::as_bytes(std::span(whole))));
  file.forget("f32");
  EXPECT_TRUE(std::ranges::equal(file.tensor("f32").bytes, std::as_bytes(std::span(whole))));
  EXPECT_EQ(listing(), std::set<std::string>{"model.safetensors"});
}

TEST_F(WriteSafetensors, LeavesTheOldFileWhenItFails) {
  const float value = 1;
  write_safetensors(path_, {tensor_from_memory("old", Dtype::f32, {1}, &value)});
  const std::string before = read_file(path_);
  TensorSource broken = tensor_from_memory("new", Dtype::f32, {1 << 21}, nullptr);
  broken.read = [](std::int64_t begin, std::span<std::byte> out) {
    if (begin > 0) {
      throw std::runtime_error("no more");
    }
    std::ranges::fill(out, std::byte{1});
  };
  EXPECT_THROW(write_safetensors(path_, {broken}), std::runtime_error);
  EXPECT_EQ(read_file(path_), before);
  EXPECT_EQ(listing(), std::set<std::string>{"model.safetensors"});
}

TEST_F(WriteSafetensors, RefusesTwoTensorsOfOneName) {
  const float value = 1;
  const TensorSource source = tensor_from_memory("w", Dtype::f32, {1}, &value);
  EXPECT_THROW(write_safetensors(path_, {source, source}), std::logic_error);
  EXPECT_TRUE(listing().empty());
}

}  // namespace
}  // namespace lmpo::safetensors_test
