// The GGUF format of llama.cpp (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md),
// version 3, written in a stream. A file is, all numbers little-endian,
//
//   "GGUF", u32 3, u64 number of tensors, u64 number of keys
//   keys      text KEY, u32 type, value; a text is a u64 length and its bytes, a list a u32 type,
//             a u64 length and its values
//   tensors   text NAME, u32 number of sizes, u64 sizes (the innermost first), u32 type,
//             u64 offset, counted from where the data begins
//   data      each tensor begins at a multiple of 32; zeros lie between
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/file.h"

namespace lmpo {

// How tensors are stored, by the format's numbers. q8_0: blocks of 32 elements, each a float16 d
// and 32 signed bytes q; an element is d * q.
enum class GgufType : std::uint32_t { f32 = 0, f16 = 1, q8_0 = 8, bf16 = 30 };

inline constexpr std::int64_t q8_0_block = 32;

using GgufValue = std::variant<std::uint32_t, float, bool, std::string, std::vector<std::int32_t>,
                               std::vector<float>, std::vector<std::string>>;
using GgufMetadata = std::vector<std::pair<std::string, GgufValue>>;

// A tensor to write, read a piece at a time as float32.
struct GgufTensor {
  std::string name;
  GgufType type = GgufType::f32;
  std::vector<std::int64_t> shape;  // the outermost first; of q8_0 the last is a multiple of 32
  // Puts elements begin, begin + 1, ... into `out`. Called by several threads at once.
  std::function<void(std::int64_t begin, std::span<float> out)> read;
  std::function<void()> done = {};  // called after the last piece, where there is one

  std::int64_t elements() const;
  std::size_t bytes() const;
};

// Writes a file that appears whole. Holds a few MiB in memory. UserError that names the tensor
// where a value cannot be stored in its type.
void write_gguf(const fs::path& path, const GgufMetadata& metadata,
                const std::vector<GgufTensor>& tensors);

}  // namespace lmpo
