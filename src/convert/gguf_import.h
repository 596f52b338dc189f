// GGUF files as model folders: the way back from gguf_model.h.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>

#include "io/gguf_file.h"
#include "model/config.h"

namespace lmpo {

struct ImportedModel {
  std::string name;     // general.name, or the file's
  std::string license;  // general.license, or ""
  ModelConfig config;
  std::size_t parts = 1;                           // files
  std::map<std::string_view, std::int64_t> types;  // of the file: how many tensors have each
  std::int64_t parameters = 0;
  Dtype dtype = Dtype::f32;  // of the folder
  std::size_t bytes = 0;     // of its weights
  std::int64_t rounded = 0;  // values that `dtype` holds less exactly than the file
  std::string tokenizer;     // its kind, for a person
  std::int64_t tokens = 0;
  bool has_template = false;
};
// Of the file's tensors: "210 Q4_1, 61 F32, 1 Q8_0", the most frequent type first.
std::string type_counts(const ImportedModel& model);

// The tensors of the folder under transformers' names, read from the file a piece at a time: what
// gguf_tensors does to rows and norms is undone. `rounded` counts the values that `dtype` cannot
// hold. UserError that names tensors that are missing, of another shape or not the family's. The
// file must outlive the result.
std::vector<TensorSource> imported_tensors(const ModelConfig& config, const GgufFile& file,
                                           Dtype dtype, std::atomic<std::int64_t>& rounded);

// bfloat16 or float16 if all matrices are stored so, else float32, which holds every type exactly.
Dtype exact_type(const ModelConfig& config, const GgufFile& file);

// Writes a model folder, which appears whole: config.json, weights, tokenizer, chat template and
// generation_config.json. Without a `dtype`, that of exact_type. UserError for a file that lmpo does
// not read, and where the disk has too little room.
ImportedModel import_gguf(const fs::path& file, const fs::path& folder, std::optional<Dtype> dtype,
                          std::int64_t max_shard_bytes);

}  // namespace lmpo
