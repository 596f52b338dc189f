#include "io/gguf_types.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "tensor/dtype.h"

namespace lmpo {
namespace {

constexpr std::size_t kGroup = 32;   // elements of a small block, and of a part of a large one
constexpr std::size_t kLarge = 256;  // elements of a large block (the types with _K)
constexpr std::int64_t kLongestBlock = 256;

unsigned byte_at(const std::byte* from, std::size_t at) {
  return std::to_integer<unsigned>(from[at]);
}

float half_at(const std::byte* from, std::size_t at) {
  float16 value{};
  std::memcpy(&value, from + at, sizeof value);
  return to_float(value);
}

float signed_at(const std::byte* from, std::size_t at) {
  return static_cast<float>(static_cast<std::int8_t>(byte_at(from, at)));
}

float number(unsigned code, int offset = 0) {
  return static_cast<float>(static_cast<int>(code) - offset);
}

// Numbers without blocks

template <typename T>
void plain(const std::byte* block, float* out) {
  T value{};
  std::memcpy(&value, block, sizeof value);
  *out = to_float(value);
}

// Blocks of 32: the scale d, in some a value m to add, in some the codes' fifth bits, the codes'
// low four bits: byte j holds those of elements j and j + 16

unsigned low_bits(const std::byte* codes, std::size_t element) {
  const unsigned both = byte_at(codes, element % (kGroup / 2));
  return element < kGroup / 2 ? both & 0xF : both >> 4;
}

unsigned fifth_bit(const std::byte* bits, std::size_t element) {
  return (byte_at(bits, element / 8) >> (element % 8) & 1) << 4;
}

void q4_0(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (std::size_t j = 0; j < kGroup; ++j) {
    out[j] = d * number(low_bits(block + 2, j), 8);
  }
}

void q4_1(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  const float m = half_at(block, 2);
  for (std::size_t j = 0; j < kGroup; ++j) {
    out[j] = d * number(low_bits(block + 4, j)) + m;
  }
}

void q5_0(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (std::size_t j = 0; j < kGroup; ++j) {
    out[j] = d * number(low_bits(block + 6, j) | fifth_bit(block + 2, j), 16);
  }
}

void q5_1(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  const float m = half_at(block, 2);
  for (std::size_t j = 0; j < kGroup; ++j) {
    out[j] = d * number(low_bits(block + 8, j) | fifth_bit(block + 4, j)) + m;
  }
}

void q8_0(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (std::size_t j = 0; j < kGroup; ++j) {
    out[j] = d * signed_at(block, 2 + j);
  }
}

// Blocks of 256: scales of scales. Codes of few bits share bytes: a row of 32 bytes holds the
// codes of several groups of 32 elements, the first group in the lowest bits

void q2_k(const std::byte* block, float* out) {
  const std::byte* codes = block + 16;
  const float d = half_at(block, 80);
  const float m = half_at(block, 82);
  for (std::size_t i = 0; i < kLarge; ++i) {
    const unsigned scale = byte_at(block, i / 16);
    const std::size_t group = i / kGroup;
    const unsigned code = byte_at(codes, group / 4 * kGroup + i % kGroup) >> (2 * (group % 4)) & 3;
    out[i] = d * number(scale & 0xF) * number(code) - m * number(scale >> 4);
  }
}

// Of 16 scales of 6 bits: the low four in 8 bytes, the high two in 4.
float q3_scale(const std::byte* scales, std::size_t i) {
  const unsigned low = byte_at(scales, i % 8) >> (4 * (i / 8)) & 0xF;
  const unsigned high = byte_at(scales, 8 + i % 4) >> (2 * (i / 4)) & 3;
  return number(low | high << 4, 32);
}

void q3_k(const std::byte* block, float* out) {
  const std::byte* codes = block + 32;
  const std::byte* scales = block + 96;
  const float d = half_at(block, 108);
  for (std::size_t i = 0; i < kLarge; ++i) {
    const std::size_t group = i / kGroup;
    const std::size_t column = i % kGroup;
    const unsigned low = byte_at(codes, group / 4 * kGroup + column) >> (2 * (group % 4)) & 3;
    const unsigned third = byte_at(block, column) >> group & 1;
    out[i] = d * q3_scale(scales, i / 16) * number(low | third << 2, 4);
  }
}

struct ScaleAndMinimum {
  float scale;
  float minimum;
};

// Of 8 pairs of 6 bits in 12 bytes: four scales, four minima, then the low bits of the rest, whose
// two high bits lie above the first ones'.
ScaleAndMinimum scale_and_minimum(const std::byte* packed, std::size_t i) {
  if (i < 4) {
    return {number(byte_at(packed, i) & 63), number(byte_at(packed, 4 + i) & 63)};
  }
  const unsigned low = byte_at(packed, 4 + i);
  return {number((low & 0xF) | (byte_at(packed, i - 4) >> 2 & 0x30)),
          number(low >> 4 | (byte_at(packed, i) >> 2 & 0x30))};
}

void q4_k(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  const float m = half_at(block, 2);
  const std::byte* codes = block + 16;
  for (std::size_t group = 0; group < kLarge / kGroup; ++group) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, group);
    for (std::size_t j = 0; j < kGroup; ++j) {
      const unsigned code = byte_at(codes, group / 2 * kGroup + j) >> (4 * (group % 2)) & 0xF;
      out[group * kGroup + j] = d * scale * number(code) - m * minimum;
    }
  }
}

void q5_k(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  const float m = half_at(block, 2);
  const std::byte* high = block + 16;
  const std::byte* codes = block + 48;
  for (std::size_t group = 0; group < kLarge / kGroup; ++group) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, group);
    for (std::size_t j = 0; j < kGroup; ++j) {
      const unsigned low = byte_at(codes, group / 2 * kGroup + j) >> (4 * (group % 2)) & 0xF;
      const unsigned fifth = byte_at(high, j) >> group & 1;
      out[group * kGroup + j] = d * scale * number(low | fifth << 4) - m * minimum;
    }
  }
}

void q6_k(const std::byte* block, float* out) {
  const std::byte* high = block + 128;
  const std::byte* scales = block + 192;
  const float d = half_at(block, 208);
  for (std::size_t i = 0; i < kLarge; ++i) {
    const std::size_t half = i / 128;
    const std::size_t group = i / kGroup % 4;
    const std::size_t column = i % kGroup;
    const unsigned low =
        byte_at(block, half * 64 + group % 2 * kGroup + column) >> (4 * (group / 2)) & 0xF;
    const unsigned top = byte_at(high, half * kGroup + column) >> (2 * group) & 3;
    out[i] = d * signed_at(scales, i / 16) * number(low | top << 4, 32);
  }
}

constexpr auto kStorages = std::to_array<GgufStorage>({
    {0, "F32", 1, 4, plain<float>},      {1, "F16", 1, 2, plain<float16>},
    {30, "BF16", 1, 2, plain<bfloat16>}, {8, "Q8_0", 32, 34, q8_0},
    {2, "Q4_0", 32, 18, q4_0},           {3, "Q4_1", 32, 20, q4_1},
    {6, "Q5_0", 32, 22, q5_0},           {7, "Q5_1", 32, 24, q5_1},
    {10, "Q2_K", 256, 84, q2_k},         {11, "Q3_K", 256, 110, q3_k},
    {12, "Q4_K", 256, 144, q4_k},        {13, "Q5_K", 256, 176, q5_k},
    {14, "Q6_K", 256, 210, q6_k},        {9, "Q8_1", 32, 36, nullptr},
    {15, "Q8_K", 256, 292, nullptr},     {16, "IQ2_XXS", 256, 66, nullptr},
    {17, "IQ2_XS", 256, 74, nullptr},    {18, "IQ3_XXS", 256, 98, nullptr},
    {19, "IQ1_S", 256, 50, nullptr},     {20, "IQ4_NL", 32, 18, nullptr},
    {21, "IQ3_S", 256, 110, nullptr},    {22, "IQ2_S", 256, 82, nullptr},
    {23, "IQ4_XS", 256, 136, nullptr},   {24, "I8", 1, 1, nullptr},
    {25, "I16", 1, 2, nullptr},          {26, "I32", 1, 4, nullptr},
    {27, "I64", 1, 8, nullptr},          {28, "F64", 1, 8, nullptr},
    {29, "IQ1_M", 256, 56, nullptr},     {34, "TQ1_0", 256, 54, nullptr},
    {35, "TQ2_0", 256, 66, nullptr},     {39, "MXFP4", 32, 17, nullptr},
    {40, "NVFP4", 64, 36, nullptr},      {41, "Q1_0", 128, 18, nullptr},
});

}  // namespace

const GgufStorage* find_gguf_storage(std::uint32_t number) {
  const auto* found = std::ranges::find(kStorages, number, &GgufStorage::number);
  return found == kStorages.end() ? nullptr : found;
}

std::string readable_gguf_types() {
  std::string names;
  for (const GgufStorage& storage : kStorages) {
    if (storage.dequantize != nullptr) {
      names += (names.empty() ? "" : ", ") + std::string(storage.name);
    }
  }
  return names;
}

void dequantize(const GgufStorage& storage, std::span<const std::byte> bytes, std::int64_t begin,
                std::span<float> out) {
  LMPO_CHECK(storage.dequantize != nullptr && begin >= 0);
  const std::int64_t end = begin + static_cast<std::int64_t>(out.size());
  LMPO_CHECK(storage.bytes(end + storage.block - 1) <= bytes.size());
  std::array<float, kLongestBlock> whole{};
  std::int64_t at = begin;
  while (at < end) {
    const std::int64_t inside = at % storage.block;
    const std::int64_t count = std::min(storage.block - inside, end - at);
    const std::byte* block = bytes.data() + storage.bytes(at - inside);
    float* const to = out.data() + (at - begin);
    if (count == storage.block) {
      storage.dequantize(block, to);
    } else {
      storage.dequantize(block, whole.data());
      std::copy_n(whole.begin() + inside, count, to);
    }
    at += count;
  }
}

}  // namespace lmpo
