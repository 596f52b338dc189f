// The tensors and text files of a Hugging Face model folder.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/safetensors.h"

namespace lmpo {

// A checkpoint's tensors by name, over one file or many. Reading from many threads is safe.
//
// Of a multimodal model these are the language model's, under the names of a language model:
// "model.norm.weight" for "language_model.model.norm.weight" or "model.language_model.norm.weight".
class Checkpoint {
 public:
  // A folder with model.safetensors, or with model.safetensors.index.json and its shards; or one
  // .safetensors file. UserError that names what is missing or contradicts the index. Tensors that
  // the index does not name are skipped with a warning.
  static Checkpoint open(const fs::path& path);

  const fs::path& path() const { return path_; }
  std::vector<std::string> names() const;  // sorted
  // What the header says of a tensor, readable or not; null where there is none.
  const StoredTensor* find(std::string_view name) const;
  // UserError for a name that is not there or a type that cannot be read.
  TensorView tensor(std::string_view name) const;
  // The stored names of a multimodal model's other parts, sorted.
  const std::vector<std::string>& left_out() const { return left_out_; }
  // The tensor's pages may leave memory.
  void forget(std::string_view name) const;

 private:
  explicit Checkpoint(fs::path path) : path_(std::move(path)) {}
  void add_file(const fs::path& file);
  void add_shards(const fs::path& index);
  void keep_language_model();

  struct Place {
    const SafetensorsFile* file;
    std::string stored_name;
  };
  fs::path path_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Place, std::less<>> places_;
  std::vector<std::string> left_out_;
};

// Writes model.safetensors, or shards of at most max_shard_bytes and their index. A larger tensor
// gets a shard of its own. Shards take the tensors in the order given, which for transformers is the
// model's. Weight files of an earlier save are removed once the new ones are in place.
void write_checkpoint(const fs::path& folder, const std::vector<TensorSource>& tensors,
                      std::int64_t max_shard_bytes);

// Copies a model folder's tokenizer, template and generation files, those that are there.
void copy_text_files(const fs::path& from, const fs::path& to);

// UserError, with what to do, if the path is not a folder (a name on the Hub) or holds an adapter.
void require_model_folder(const fs::path& path);

}  // namespace lmpo
