// Any bytes as a safetensors file: refused with a UserError, or every tensor lies inside the file,
// next to the one before, with the bytes of its shape.
#include "io/safetensors.h"

#include <cstddef>
#include <cstdint>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const lmpo::SafetensorsHeader header = lmpo::parse_safetensors(bytes, "input");
    std::size_t end = header.tensors.empty() ? size : header.tensors.front().begin;
    LMPO_CHECK(end >= 8);
    for (const lmpo::StoredTensor& tensor : header.tensors) {
      LMPO_CHECK(tensor.begin == end && tensor.end >= tensor.begin);
      end = tensor.end;
      if (tensor.dtype == "U8") {
        std::size_t elements = 1;
        for (const std::int64_t length : tensor.shape) {
          elements *= static_cast<std::size_t>(length);
        }
        LMPO_CHECK(elements == tensor.end - tensor.begin);
      }
    }
    LMPO_CHECK(end == size);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
