#include "io/gguf.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <type_traits>

#include "base/error.h"
#include "base/threads.h"
#include "io/q8_0.h"
#include "io/store_floats.h"

namespace lmpo {
namespace {

constexpr std::uint32_t format_version = 3;
constexpr std::size_t kAlignment = 32;
// Elements that are read, converted and written at once, and that one thread takes at least.
constexpr std::int64_t piece_elements = 1 << 20;
constexpr std::int64_t grain_blocks = 1 << 9;

// The format's numbers for types of values.
enum class ValueType : std::uint32_t { u32 = 4, i32 = 5, f32 = 6, boolean = 7, text = 8, list = 9 };

constexpr ValueType type_of(std::uint32_t /*value*/) {
  return ValueType::u32;
}
constexpr ValueType type_of(std::int32_t /*value*/) {
  return ValueType::i32;
}
constexpr ValueType type_of(float /*value*/) {
  return ValueType::f32;
}
constexpr ValueType type_of(bool /*value*/) {
  return ValueType::boolean;
}
ValueType type_of(const std::string& /*value*/) {
  return ValueType::text;
}
template <typename T>
ValueType type_of(const std::vector<T>& /*value*/) {
  return ValueType::list;
}

std::size_t padding_after(std::size_t size) {
  return (kAlignment - size % kAlignment) % kAlignment;
}

// Everything before the data.
class Header {
 public:
  Header(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
    text_ = "GGUF";
    number(format_version);
    number<std::uint64_t>(tensors.size());
    number<std::uint64_t>(metadata.size());
    for (const auto& [key, value] : metadata) {
      put(key);
      std::visit(
          [this](const auto& typed) {
            number(static_cast<std::uint32_t>(type_of(typed)));
            put(typed);
          },
          value);
    }
    std::size_t offset = 0;
    for (const GgufTensor& tensor : tensors) {
      put(tensor, offset);
      offset += tensor.bytes() + padding_after(tensor.bytes());
    }
    text_.append(padding_after(text_.size()), '\0');
  }

  const std::string& text() const { return text_; }

 private:
  template <typename T>
  void number(T value) {
    static_assert(std::is_unsigned_v<T>);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      text_ += static_cast<char>(value >> (8 * i) & 0xFF);
    }
  }
  void put(std::uint32_t value) { number(value); }
  void put(std::int32_t value) { number(static_cast<std::uint32_t>(value)); }
  void put(float value) { number(std::bit_cast<std::uint32_t>(value)); }
  void put(bool value) { text_ += value ? '\1' : '\0'; }
  void put(const std::string& value) {
    number<std::uint64_t>(value.size());
    text_ += value;
  }
  template <typename T>
  void put(const std::vector<T>& values) {
    number(static_cast<std::uint32_t>(type_of(T{})));
    number<std::uint64_t>(values.size());
    for (const T& value : values) {
      put(value);
    }
  }
  void put(const GgufTensor& tensor, std::size_t offset) {
    put(tensor.name);
    number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {
      number(static_cast<std::uint64_t>(*size));
    }
    number(static_cast<std::uint32_t>(tensor.type));
    number<std::uint64_t>(offset);
  }

  std::string text_;
};

// Bytes of so many elements, whole blocks.
std::size_t stored_bytes(GgufType type, std::int64_t elements) {
  const auto count = static_cast<std::size_t>(elements);
  switch (type) {
    case GgufType::f32:
      return count * sizeof(float);
    case GgufType::f16:
    case GgufType::bf16:
      return count * sizeof(float16);
    case GgufType::q8_0:
      return count / q8_0_block * (sizeof(float16) + q8_0_block);
  }
  broken_invariant("a type of tensors", __FILE__, __LINE__);
}

void store(const GgufTensor& tensor, std::span<const float> values, std::span<std::byte> out) {
  switch (tensor.type) {
    case GgufType::f32:
      return store_floats(values, Dtype::f32, out, tensor.name);
    case GgufType::f16:
      return store_floats(values, Dtype::f16, out, tensor.name);
    case GgufType::bf16:
      return store_floats(values, Dtype::bf16, out, tensor.name);
    case GgufType::q8_0:
      return quantize_q8_0(values, out, tensor.name);
  }
}

// Elements [begin, begin + count) as they will lie in the file.
std::vector<std::byte> make_piece(const GgufTensor& tensor, std::int64_t begin,
                                  std::int64_t count) {
  std::vector<std::byte> bytes(stored_bytes(tensor.type, count));
  const std::int64_t blocks = (count + q8_0_block - 1) / q8_0_block;
  parallel_for(blocks, grain_blocks, [&](std::int64_t first_block, std::int64_t last_block) {
    const std::int64_t first = first_block * q8_0_block;
    const std::int64_t last = std::min(last_block * q8_0_block, count);
    std::vector<float> values(static_cast<std::size_t>(last - first));
    tensor.read(begin + first, values);
    store(tensor, values,
          std::span(bytes).subspan(stored_bytes(tensor.type, first),
                                   stored_bytes(tensor.type, last - first)));
  });
  return bytes;
}

}  // namespace

std::int64_t GgufTensor::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::size_t GgufTensor::bytes() const {
  LMPO_CHECK(type != GgufType::q8_0 || shape.back() % q8_0_block == 0);
  return stored_bytes(type, elements());
}

void write_gguf(const fs::path& path, const GgufMetadata& metadata,
                const std::vector<GgufTensor>& tensors) {
  AtomicFile file(path);
  file.write(Header(metadata, tensors).text());
  for (const GgufTensor& tensor : tensors) {
    for (std::int64_t begin = 0; begin < tensor.elements(); begin += piece_elements) {
      const std::int64_t count = std::min(piece_elements, tensor.elements() - begin);
      const std::vector<std::byte> piece = make_piece(tensor, begin, count);
      file.write(piece.data(), piece.size());
    }
    file.write(std::string(padding_after(tensor.bytes()), '\0'));
    if (tensor.done) {
      tensor.done();
    }
  }
  file.commit();
}

}  // namespace lmpo
