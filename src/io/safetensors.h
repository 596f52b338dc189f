// The safetensors format (https://github.com/huggingface/safetensors), read without copying and
// written in a stream. A file is
//
//   8 bytes   N, the header's length, little-endian
//   N bytes   JSON: {"__metadata__": {text: text}, NAME: {"dtype", "shape", "data_offsets"}, ...}
//   the rest  the tensors, row-major, end to end: data_offsets are byte ranges of this part
//
// A header that contradicts itself or the file is a UserError that names the file and the tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tensor/dtype.h"

namespace lmpo {

// What a header says of a tensor. The type may be one that lmpo cannot read ("F64", "F8_E4M3").
struct StoredTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;  // bytes of the file [begin, end)
  std::size_t end = 0;
};

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

// Reads and checks the header of a whole file's bytes; `source` names it in errors.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, std::string_view source);

// A tensor's bytes where they lie in the mapped file, which must outlive the view. The bytes may
// start at any address: copy before reading them as numbers.
struct TensorView {
  std::string name;
  std::string source;  // the file, for messages
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  std::int64_t elements() const;
};

// Elements [begin, begin + out.size()) as float32. float32, bfloat16 and float16 only: else a
// UserError.
void read_as_float(const TensorView& tensor, std::int64_t begin, std::span<float> out);

// A mapped file. Reading from many threads is safe.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const fs::path& path);

  const fs::path& path() const { return file_.path(); }
  const std::vector<StoredTensor>& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  const StoredTensor* find(std::string_view name) const;  // null where there is none

  // Types: F32, BF16, F16, I32, I16. UserError for a name that is not there or another type.
  TensorView tensor(std::string_view name) const;
  // The tensor's pages may leave memory; they come back from the file if read again.
  void forget(std::string_view name) const;

 private:
  MappedFile file_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t, std::less<>> index_;  // name -> place in header_.tensors
};

// A tensor to write: what it is, and where its elements come from, a piece at a time.
struct TensorSource {
  // Puts elements begin, begin + 1, ... in the file's type into `out`, which holds whole elements.
  using Read = std::function<void(std::int64_t begin, std::span<std::byte> out)>;

  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;
  Read read;

  std::size_t bytes() const;
};

// A tensor that lies in memory, in the type it will have in the file, until it is written.
TensorSource tensor_from_memory(std::string name, Dtype dtype, std::vector<std::int64_t> shape,
                                const void* data);

// Writes a file, which appears whole, with the bytes that Python's safetensors library would write:
// larger types first, then by name, whatever the order given. Holds a piece of 4 MiB in memory.
// transformers needs the metadata {"format": "pt"}.
void write_safetensors(const fs::path& path, const std::vector<TensorSource>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace lmpo
