// The types in which GGUF files store tensors, and their values as float32.
//
// Most are blocks: a few numbers that stand for 32 or 256 elements. Source: ggml's block structures
// (ggml-common.h). Values equal those of llama.cpp's Python package gguf, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lmpo {

struct GgufStorage {
  std::uint32_t number;     // in the file
  std::string_view name;    // "Q4_K"
  std::int64_t block;       // elements of a block
  std::size_t block_bytes;  // its bytes
  // Puts the elements of one block into `out`; null for a type that lmpo does not read.
  void (*dequantize)(const std::byte* block, float* out);

  // Of whole blocks.
  std::size_t bytes(std::int64_t elements) const {
    return static_cast<std::size_t>(elements / block) * block_bytes;
  }
  bool is_float() const { return block == 1; }  // no blocks: F32, F16, BF16
};

// Null for a number that no type has.
const GgufStorage* find_gguf_storage(std::uint32_t number);
// "F32, F16, ...": the types that are read, for messages.
std::string readable_gguf_types();

// Elements [begin, begin + out.size()) of a tensor stored as `bytes`, whole blocks of a type that is
// read. Thread-safe.
void dequantize(const GgufStorage& storage, std::span<const std::byte> bytes, std::int64_t begin,
                std::span<float> out);

}  // namespace lmpo
