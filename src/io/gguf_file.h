// GGUF models, read without copying: one file, or the parts of a split one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "io/gguf_header.h"

namespace lmpo {

// Reading from many threads is safe.
class GgufFile {
 public:
  // Any part of a split model (NAME-00001-of-00003.gguf) opens all of them, which lie in one folder;
  // the keys are the first's. UserError that names what is missing or contradicts itself.
  explicit GgufFile(const fs::path& path);

  const fs::path& path() const { return path_; }
  const GgufKeys& keys() const { return parts_.front()->header.keys; }
  std::size_t parts() const { return parts_.size(); }
  std::vector<const StoredGgufTensor*> tensors() const;       // in the order of the files
  const StoredGgufTensor* find(std::string_view name) const;  // null where there is none

  // Elements [begin, begin + out.size()) of a tensor as float32. UserError for a tensor that is not
  // there, a type that is not read, and a value that is NaN or infinite.
  void read(std::string_view name, std::int64_t begin, std::span<float> out) const;
  // The tensor's pages may leave memory; they come back from the file if read again.
  void forget(std::string_view name) const;

 private:
  struct Part {
    explicit Part(const fs::path& path);

    MappedFile file;
    GgufHeader header;
  };
  struct Place {
    const Part* part;
    const StoredGgufTensor* tensor;
  };

  void add_part(std::unique_ptr<Part> part);
  void add_parts(const GgufKeys& given);
  const Place& place(std::string_view name) const;

  fs::path path_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::map<std::string_view, Place> places_;
};

}  // namespace lmpo
