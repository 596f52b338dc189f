// What stands before the tensors of a GGUF file (io/gguf.h has the layout): versions 2 and 3,
// little-endian. A header that contradicts itself or the file is a UserError that names the file and
// the key or tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/gguf_keys.h"
#include "io/gguf_types.h"

namespace lmpo {

struct StoredGgufTensor {
  std::string name;
  const GgufStorage* storage = nullptr;  // perhaps one that is not read
  std::vector<std::int64_t> shape;       // the outermost first
  std::size_t begin = 0;                 // bytes of the file [begin, end)
  std::size_t end = 0;

  std::int64_t elements() const;
};

struct GgufHeader {
  GgufKeys keys;
  std::vector<StoredGgufTensor> tensors;  // in the order of their bytes, which do not overlap
};

// Reads and checks the header of a whole file's bytes; `source` names it in errors.
GgufHeader parse_gguf(std::span<const std::byte> file, std::string_view source);

}  // namespace lmpo
