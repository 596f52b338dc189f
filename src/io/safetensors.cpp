#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "io/header_json.h"

namespace lmpo {
namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit
constexpr std::size_t piece_bytes = std::size_t{4} << 20;

// The format's types, by the rank that orders tensors in a file.
struct FormatType {
  std::string_view name;
  std::uint64_t bits;
  std::optional<Dtype> dtype;
};
constexpr std::array<FormatType, 22> format_types{{
    {"BOOL", 8, {}},         {"F4", 4, {}},           {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},      {"U8", 8, Dtype::u8},    {"I8", 8, Dtype::i8},
    {"F8_E5M2", 8, {}},      {"F8_E4M3", 8, {}},      {"F8_E8M0", 8, {}},
    {"F8_E4M3FNUZ", 8, {}},  {"F8_E5M2FNUZ", 8, {}},  {"I16", 16, Dtype::i16},
    {"U16", 16, {}},         {"F16", 16, Dtype::f16}, {"BF16", 16, Dtype::bf16},
    {"I32", 32, Dtype::i32}, {"U32", 32, {}},         {"F32", 32, Dtype::f32},
    {"C64", 64, {}},         {"F64", 64, {}},         {"I64", 64, {}},
    {"U64", 64, {}},
}};

const FormatType* find_type(std::string_view name) {
  const auto found = std::ranges::find(format_types, name, &FormatType::name);
  return found == format_types.end() ? nullptr : found;
}

const FormatType& type_of(Dtype dtype) {
  return *std::ranges::find(format_types, dtype, &FormatType::dtype);
}

std::string_view header_text(std::span<const std::byte> file, std::string_view source) {
  std::uint64_t length = 0;
  if (file.size() < length_bytes) {
    user_error("{}: not a safetensors file: {} bytes are too few", source, file.size());
  }
  for (std::size_t i = 0; i < length_bytes; ++i) {
    length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  }
  if (length > longest_header) {
    user_error(
        "{}: not a safetensors file: a header of {} bytes is announced, at most {} are allowed",
        source, length, longest_header);
  }
  if (length > file.size() - length_bytes) {
    user_error(
        "{}: truncated: a header of {} bytes is announced, the file has {} bytes; copy or "
        "download it again",
        source, length, file.size());
  }
  return {reinterpret_cast<const char*>(file.data() + length_bytes),
          static_cast<std::size_t>(length)};
}

// One entry of the header, whose parts are named in errors as FILE: tensor 'NAME'.
class EntryReader {
 public:
  EntryReader(const std::string& name, const json& entry, std::string_view source)
      : name_(name), entry_(entry), where_(fmt::format("{}: tensor '{}'", source, name)) {}

  // data_size: bytes that follow the header; data_begin: where they begin in the file.
  StoredTensor read(std::size_t data_begin, std::size_t data_size) const {
    StoredTensor tensor;
    tensor.name = name_;
    tensor.dtype = required<std::string>(entry_, "dtype", where_);
    const FormatType* type = find_type(tensor.dtype);
    if (type == nullptr) {
      user_error("{}: unknown dtype '{}'", where_, tensor.dtype);
    }
    for (const std::uint64_t size : numbers("shape")) {
      tensor.shape.push_back(static_cast<std::int64_t>(size));
    }
    const auto offsets = numbers("data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      user_error("{}: data_offsets must be [begin, end] with begin <= end", where_);
    }
    if (offsets[1] > data_size) {
      user_error(
          "{}: its bytes [{}, {}) reach beyond the {} bytes of data; the file is truncated or "
          "its header is wrong",
          where_, offsets[0], offsets[1], data_size);
    }
    const std::uint64_t needed = size_in_bytes(tensor, type->bits);
    if (offsets[1] - offsets[0] != needed) {
      user_error("{}: {} [{}] needs {} bytes, data_offsets give {}", where_, tensor.dtype,
                 fmt::join(tensor.shape, ", "), needed, offsets[1] - offsets[0]);
    }
    tensor.begin = data_begin + offsets[0];
    tensor.end = data_begin + offsets[1];
    return tensor;
  }

 private:
  std::vector<std::uint64_t> numbers(const char* key) const {
    const auto found = entry_.find(key);
    if (found == entry_.end() || !found->is_array()) {
      user_error("{}: a list '{}' was expected", where_, key);
    }
    std::vector<std::uint64_t> values;
    for (const json& value : *found) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
        user_error("{}: '{}' must hold whole numbers that are not negative", where_, key);
      }
      values.push_back(value.get<std::uint64_t>());
    }
    return values;
  }

  std::uint64_t size_in_bytes(const StoredTensor& tensor, std::uint64_t bits) const {
    std::uint64_t total = bits;
    bool overflows = false;
    for (const std::int64_t size : tensor.shape) {
      overflows |= __builtin_mul_overflow(total, static_cast<std::uint64_t>(size), &total);
    }
    if (overflows || total % 8 != 0) {
      user_error("{}: the shape [{}] is not possible", where_, fmt::join(tensor.shape, ", "));
    }
    return total / 8;
  }

  const std::string& name_;
  const json& entry_;
  std::string where_;
};

std::map<std::string, std::string> read_metadata(const json& entry, std::string_view source) {
  std::map<std::string, std::string> metadata;
  if (entry.is_null()) {
    return metadata;
  }
  if (!entry.is_object()) {
    user_error("{}: '__metadata__' must be an object of texts", source);
  }
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) {
      user_error("{}: '__metadata__' must be an object of texts, '{}' is none", source, key);
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// The tensors, sorted by place, must cover the data without holes or overlaps.
void check_cover(const std::vector<StoredTensor>& tensors, std::size_t data_begin,
                 std::size_t file_size, std::string_view source) {
  std::size_t covered = data_begin;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.begin != covered) {
      user_error("{}: tensor '{}': its bytes {} the tensor before", source, tensor.name,
                 tensor.begin < covered ? "overlap with" : "leave a hole after");
    }
    covered = tensor.end;
  }
  if (covered != file_size) {
    user_error("{}: {} bytes follow that belong to no tensor", source, file_size - covered);
  }
}

// The order of the tensors in a file: larger types first, then by name.
std::vector<const TensorSource*> file_order(const std::vector<TensorSource>& tensors) {
  std::vector<const TensorSource*> order;
  for (const TensorSource& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::ranges::sort(order, [](const TensorSource* a, const TensorSource* b) {
    const FormatType* type_a = &type_of(a->dtype);
    const FormatType* type_b = &type_of(b->dtype);
    return type_a != type_b ? type_a > type_b : a->name < b->name;
  });
  return order;
}

// The length and the header, padded so that the data begins at a multiple of 8.
std::string make_header(const std::vector<const TensorSource*>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  ordered_json header = ordered_json::object();
  if (!metadata.empty()) {
    header["__metadata__"] = metadata;
  }
  std::size_t offset = 0;
  for (const TensorSource* tensor : tensors) {
    LMPO_CHECK(!header.contains(tensor->name));
    header[tensor->name] = {{"dtype", type_of(tensor->dtype).name},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->bytes()}}};
    offset += tensor->bytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string length(length_bytes, '\0');
  for (std::size_t i = 0; i < length_bytes; ++i) {
    length[i] = static_cast<char>(static_cast<std::uint64_t>(text.size()) >> (8 * i));
  }
  return length + text;
}

}  // namespace

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, std::string_view source) {
  const std::string_view text = header_text(file, source);
  const json entries = parse_header_json(text, source);
  const std::size_t data_begin = length_bytes + text.size();
  SafetensorsHeader header;
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__") {
      header.metadata = read_metadata(entry, source);
    } else {
      header.tensors.push_back(
          EntryReader(name, entry, source).read(data_begin, file.size() - data_begin));
    }
  }
  std::ranges::sort(header.tensors, {},
                    [](const StoredTensor& tensor) { return std::pair(tensor.begin, tensor.end); });
  check_cover(header.tensors, data_begin, file.size(), source);
  return header;
}

std::int64_t TensorView::elements() const {
  return static_cast<std::int64_t>(bytes.size() / dtype_size(dtype));
}

void read_as_float(const TensorView& tensor, std::int64_t begin, std::span<float> out) {
  LMPO_CHECK(begin >= 0 && begin <= tensor.elements());
  LMPO_CHECK(out.size() <= static_cast<std::size_t>(tensor.elements() - begin));
  const std::byte* from =
      tensor.bytes.data() + static_cast<std::size_t>(begin) * dtype_size(tensor.dtype);
  const auto convert = [&]<typename T>(T value) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::memcpy(&value, from + i * sizeof(T), sizeof(T));
      out[i] = to_float(value);
    }
  };
  switch (tensor.dtype) {
    case Dtype::f32:
      return convert(float{});
    case Dtype::bf16:
      return convert(bfloat16{});
    case Dtype::f16:
      return convert(float16{});
    case Dtype::i32:
    case Dtype::i16:
    case Dtype::i8:
    case Dtype::u8:
      user_error("{}: tensor '{}' holds {}, a floating-point type was expected", tensor.source,
                 tensor.name, dtype_name(tensor.dtype));
  }
}

SafetensorsFile::SafetensorsFile(const fs::path& path)
    : file_(path), header_(parse_safetensors(file_.bytes(), path.string())) {
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) {
    index_[header_.tensors[i].name] = i;
  }
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &header_.tensors[found->second];
}

TensorView SafetensorsFile::tensor(std::string_view name) const {
  const StoredTensor* stored = find(name);
  if (stored == nullptr) {
    user_error("{}: there is no tensor '{}'", path().string(), name);
  }
  const FormatType* type = find_type(stored->dtype);
  if (!type->dtype) {
    user_error("{}: tensor '{}' is stored as {}; lmpo reads F32, BF16 and F16", path().string(),
               name, stored->dtype);
  }
  return {stored->name, path().string(), *type->dtype, stored->shape,
          file_.bytes().subspan(stored->begin, stored->end - stored->begin)};
}

void SafetensorsFile::forget(std::string_view name) const {
  if (const StoredTensor* stored = find(name)) {
    file_.forget(stored->begin, stored->end);
  }
}

std::size_t TensorSource::bytes() const {
  return std::accumulate(shape.begin(), shape.end(), dtype_size(dtype),
                         [](std::size_t product, std::int64_t size) {
                           return product * static_cast<std::size_t>(size);
                         });
}

TensorSource tensor_from_memory(std::string name, Dtype dtype, std::vector<std::int64_t> shape,
                                const void* data) {
  const auto read = [data, dtype](std::int64_t begin, std::span<std::byte> out) {
    const auto offset = static_cast<std::size_t>(begin) * dtype_size(dtype);
    std::memcpy(out.data(), static_cast<const std::byte*>(data) + offset, out.size());
  };
  return {std::move(name), dtype, std::move(shape), read};
}

void write_safetensors(const fs::path& path, const std::vector<TensorSource>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<const TensorSource*> order = file_order(tensors);
  AtomicFile file(path);
  file.write(make_header(order, metadata));
  std::vector<std::byte> piece;
  for (const TensorSource* tensor : order) {
    for (std::size_t begin = 0; begin < tensor->bytes(); begin += piece_bytes) {
      piece.resize(std::min(piece_bytes, tensor->bytes() - begin));
      tensor->read(static_cast<std::int64_t>(begin / dtype_size(tensor->dtype)), piece);
      file.write(piece.data(), piece.size());
    }
  }
  file.commit();
}

}  // namespace lmpo
