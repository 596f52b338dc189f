#include "io/gguf_header.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <numeric>
#include <set>

#include "base/error.h"

namespace lmpo {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

constexpr std::string_view kGgufMagic = "GGUF";
constexpr std::int64_t kUsualAlignment = 32;
constexpr std::int64_t kLargestAlignment = 1 << 20;
constexpr std::uint32_t kMostDimensions = 4;
// Far more than any vocabulary has: keeps a file that lies from claiming all memory.
constexpr std::uint64_t kLongestList = 1 << 24;
// The least bytes of a key (length, type, one byte) and of a tensor (length, one size).
constexpr std::size_t kLeastKeyBytes = 8 + 4 + 1;
constexpr std::size_t kLeastTensorBytes = 8 + 4 + 8 + 4 + 8;

// Takes numbers and texts from the front of a file.
class Cursor {
 public:
  Cursor(std::span<const std::byte> file, std::string_view source) : file_(file), source_(source) {}

  std::size_t position() const { return at_; }
  std::size_t left() const { return file_.size() - at_; }
  // What is read now, for errors: "key 'general.name'".
  void enter(std::string what) { what_ = std::move(what); }

  std::string_view take(std::uint64_t size) {
    if (size > left()) {
      wrong(
          "its {} bytes reach beyond the {} of the file; it is cut short or damaged: copy or "
          "download it again",
          size, file_.size());
    }
    at_ += size;
    return {reinterpret_cast<const char*>(file_.data() + at_ - size), size};
  }
  template <typename T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<std::uint64_t>())); }

  template <typename... Args>
  [[noreturn]] void wrong(fmt::format_string<Args...> format, Args&&... args) const {
    user_error("{}: {}: {}", source_, what_, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::span<const std::byte> file_;
  std::string_view source_;
  std::string what_ = "the header";
  std::size_t at_ = 0;
};

template <typename T>
std::int64_t whole(Cursor& cursor) {
  const T value = cursor.number<T>();
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > INT64_MAX) {
      cursor.wrong("the number {} is too large", value);
    }
  }
  return static_cast<std::int64_t>(value);
}

template <typename Read>
auto read_list(Cursor& cursor, std::uint64_t count, const Read& read) {
  std::vector<decltype(read(cursor))> values;
  values.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    values.push_back(read(cursor));
  }
  return values;
}

// One value, or a list of `count`.
template <typename Read>
GgufStoredValue read_values(Cursor& cursor, const std::uint64_t* count, const Read& read) {
  if (count != nullptr) {
    return read_list(cursor, *count, read);
  }
  return read(cursor);
}

constexpr std::uint32_t kTextType = 8;
constexpr std::uint32_t kListType = 9;

GgufStoredValue read_typed(Cursor& cursor, std::uint32_t type, const std::uint64_t* count) {
  const auto truth = [](Cursor& from) { return from.number<std::uint8_t>() != 0; };
  switch (type) {
    case 0:
      return read_values(cursor, count, whole<std::uint8_t>);
    case 1:
      return read_values(cursor, count, whole<std::int8_t>);
    case 2:
      return read_values(cursor, count, whole<std::uint16_t>);
    case 3:
      return read_values(cursor, count, whole<std::int16_t>);
    case 4:
      return read_values(cursor, count, whole<std::uint32_t>);
    case 5:
      return read_values(cursor, count, whole<std::int32_t>);
    case 6:
      return read_values(cursor, count,
                         [](Cursor& from) { return static_cast<double>(from.number<float>()); });
    case 7:
      if (count != nullptr) {
        return read_list(cursor, *count, whole<std::uint8_t>);
      }
      return truth(cursor);
    case kTextType:
      return read_values(cursor, count, [](Cursor& from) { return from.text(); });
    case 10:
      return read_values(cursor, count, whole<std::uint64_t>);
    case 11:
      return read_values(cursor, count, whole<std::int64_t>);
    case 12:
      return read_values(cursor, count, [](Cursor& from) { return from.number<double>(); });
    default:
      cursor.wrong("{} is no type of values", type);
  }
}

GgufStoredValue read_value(Cursor& cursor) {
  const auto type = cursor.number<std::uint32_t>();
  if (type != kListType) {
    return read_typed(cursor, type, nullptr);
  }
  const auto item = cursor.number<std::uint32_t>();
  const auto count = cursor.number<std::uint64_t>();
  if (item == kListType) {
    cursor.wrong("a list of lists is not supported");
  }
  const std::size_t least_bytes = item == kTextType ? sizeof(std::uint64_t) : 1;
  if (count > kLongestList || count > cursor.left() / least_bytes) {
    cursor.wrong(
        "a list of {} values is announced, which is more than the file can hold; it is cut short "
        "or "
        "damaged: copy or download it again",
        count);
  }
  return read_typed(cursor, item, &count);
}

GgufKeys read_keys(Cursor& cursor, std::uint64_t count, std::string_view source) {
  GgufKeys keys{std::string(source)};
  for (std::uint64_t i = 0; i < count; ++i) {
    cursor.enter(fmt::format("key {}", i + 1));
    std::string name = cursor.text();
    cursor.enter(fmt::format("key '{}'", name));
    GgufStoredValue value = read_value(cursor);
    if (!keys.add(std::move(name), std::move(value))) {
      cursor.wrong("it stands twice");
    }
  }
  return keys;
}

std::vector<std::int64_t> read_shape(Cursor& cursor) {
  const auto dimensions = cursor.number<std::uint32_t>();
  if (dimensions == 0 || dimensions > kMostDimensions) {
    cursor.wrong("{} dimensions; 1 to {} were expected", dimensions, kMostDimensions);
  }
  std::vector<std::int64_t> shape = read_list(cursor, dimensions, whole<std::uint64_t>);
  std::reverse(shape.begin(), shape.end());
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) {
    // A number takes less than 8 bytes, and so the bytes fit as well.
    if (size == 0 || __builtin_mul_overflow(elements, size, &elements) ||
        elements > INT64_MAX / 8) {
      cursor.wrong("the shape [{}] is not possible", fmt::join(shape, ", "));
    }
  }
  return shape;
}

// The tensor's bytes count from where the data begins, still unknown.
StoredGgufTensor read_tensor(Cursor& cursor, std::int64_t alignment) {
  StoredGgufTensor tensor;
  tensor.name = cursor.text();
  cursor.enter(fmt::format("tensor '{}'", tensor.name));
  tensor.shape = read_shape(cursor);
  const auto type = cursor.number<std::uint32_t>();
  tensor.storage = find_gguf_storage(type);
  if (tensor.storage == nullptr) {
    cursor.wrong("its type {} is unknown; {} are read", type, readable_gguf_types());
  }
  if (tensor.shape.back() % tensor.storage->block != 0) {
    cursor.wrong("rows of {} elements are not whole blocks of {}, as {} has them",
                 tensor.shape.back(), tensor.storage->block, tensor.storage->name);
  }
  tensor.begin = cursor.number<std::uint64_t>();
  if (tensor.begin % static_cast<std::size_t>(alignment) != 0) {
    cursor.wrong("its offset {} is not a multiple of the alignment {}", tensor.begin, alignment);
  }
  return tensor;
}

// Moves the offsets behind the header, and checks that the tensors lie in the file and apart.
void place_tensors(std::vector<StoredGgufTensor>& tensors, std::size_t data_begin,
                   std::size_t file_size, std::string_view source) {
  for (StoredGgufTensor& tensor : tensors) {
    const std::size_t bytes = tensor.storage->bytes(tensor.elements());
    if (data_begin > file_size || tensor.begin > file_size - data_begin ||
        bytes > file_size - data_begin - tensor.begin) {
      user_error(
          "{}: tensor '{}': its {} bytes reach beyond the {} of the file; it is cut short or "
          "damaged: copy or download it again",
          source, tensor.name, bytes, file_size);
    }
    tensor.begin += data_begin;
    tensor.end = tensor.begin + bytes;
  }
  std::ranges::sort(tensors, {}, &StoredGgufTensor::begin);
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].begin < tensors[i - 1].end) {
      user_error(
          "{}: tensor '{}': its bytes overlap with those of '{}'; the file is "
          "damaged: copy or download it again",
          source, tensors[i].name, tensors[i - 1].name);
    }
  }
}

void check_version(Cursor& cursor, std::string_view source) {
  if (cursor.left() < kGgufMagic.size() || cursor.take(kGgufMagic.size()) != kGgufMagic) {
    user_error("{}: not a GGUF file: it does not begin with 'GGUF'", source);
  }
  const auto version = cursor.number<std::uint32_t>();
  if (version != 0 && version % (1U << 16) == 0) {
    user_error(
        "{}: a big-endian GGUF file; only little-endian ones are read (llama.cpp's "
        "gguf-convert-endian changes one into the other)",
        source);
  }
  if (version != 2 && version != 3) {
    user_error("{}: a GGUF file of version {}; versions 2 and 3 are read", source, version);
  }
}

std::int64_t read_alignment(const GgufKeys& keys) {
  const std::int64_t alignment =
      keys.find<std::int64_t>("general.alignment").value_or(kUsualAlignment);
  if (alignment < 1 || alignment > kLargestAlignment ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment))) {
    user_error("{}: key 'general.alignment': a power of two up to {} was expected, not {}",
               keys.source(), kLargestAlignment, alignment);
  }
  return alignment;
}

}  // namespace

std::int64_t StoredGgufTensor::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

GgufHeader parse_gguf(std::span<const std::byte> file, std::string_view source) {
  Cursor cursor(file, source);
  check_version(cursor, source);
  const auto tensors = cursor.number<std::uint64_t>();
  const auto keys = cursor.number<std::uint64_t>();
  if (keys > cursor.left() / kLeastKeyBytes || tensors > cursor.left() / kLeastTensorBytes) {
    cursor.wrong(
        "{} keys and {} tensors are announced, more than the {} bytes of the file can hold", keys,
        tensors, file.size());
  }
  GgufHeader header;
  header.keys = read_keys(cursor, keys, source);
  const std::int64_t alignment = read_alignment(header.keys);
  std::set<std::string_view> names;
  header.tensors.reserve(tensors);  // the names stay where they are
  for (std::uint64_t i = 0; i < tensors; ++i) {
    cursor.enter(fmt::format("tensor {}", i + 1));
    header.tensors.push_back(read_tensor(cursor, alignment));
    if (!names.insert(header.tensors.back().name).second) {
      cursor.wrong("it stands twice");
    }
  }
  const auto unit = static_cast<std::size_t>(alignment);
  const std::size_t data_begin = (cursor.position() + unit - 1) / unit * unit;
  place_tensors(header.tensors, data_begin, file.size(), source);
  return header;
}

}  // namespace lmpo
