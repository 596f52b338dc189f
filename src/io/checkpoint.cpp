#include "io/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/readable.h"

namespace lmpo {
namespace {

constexpr const char* single_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";

[[noreturn]] void refuse_without_weights(const fs::path& folder) {
  if (fs::exists(folder / "pytorch_model.bin") ||
      fs::exists(folder / "pytorch_model.bin.index.json")) {
    user_error(
        "{0}: only pytorch_model.bin is here, which lmpo does not read (a pickle can run code); "
        "convert it once with Python: from transformers import AutoModelForCausalLM as M; "
        "M.from_pretrained('{0}', torch_dtype='auto').save_pretrained('NEW_FOLDER', "
        "safe_serialization=True)",
        folder.string());
  }
  user_error("{}: no weights: {} or {} was expected", folder.string(), single_name, index_name);
}

// The names of the shards, by tensor, as the index gives them.
std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  const json content = read_json(index);
  if (!content.is_object() || !content.contains("weight_map") ||
      !content["weight_map"].is_object()) {
    user_error("{}: an object with the key 'weight_map' was expected", index.string());
  }
  std::map<std::string, std::string> map;
  for (const auto& [tensor, shard] : content["weight_map"].items()) {
    // A plain file name: an index must not lead out of its folder.
    if (!shard.is_string() || shard.get<std::string>().empty() ||
        fs::path(shard.get<std::string>()).filename() != shard.get<std::string>()) {
      user_error("{}: weight_map: '{}' must name a file of the same folder", index.string(),
                 tensor);
    }
    map[tensor] = shard.get<std::string>();
  }
  return map;
}

void warn_of_unlisted(const fs::path& index, const std::vector<std::string>& names) {
  if (!names.empty()) {
    log_warning("{}: skipped {} of its shards that weight_map does not name: {}{}", index.string(),
                counted(std::ssize(names), "tensor"),
                fmt::join(names.begin(),
                          names.begin() + std::min<std::ptrdiff_t>(5, std::ssize(names)), ", "),
                names.size() > 5 ? ", ..." : "");
  }
}

// Consecutive tensors, each group of at most max_bytes; a larger tensor is a group of its own that
// does not close the group being filled.
std::vector<std::vector<TensorSource>> cut_into_shards(const std::vector<TensorSource>& tensors,
                                                       std::size_t max_bytes) {
  std::vector<std::vector<TensorSource>> shards;
  std::vector<TensorSource> current;
  std::size_t current_bytes = 0;
  for (const TensorSource& tensor : tensors) {
    if (tensor.bytes() > max_bytes) {
      shards.push_back({tensor});
      continue;
    }
    if (current_bytes + tensor.bytes() > max_bytes) {
      shards.push_back(std::exchange(current, {}));
      current_bytes = 0;
    }
    current.push_back(tensor);
    current_bytes += tensor.bytes();
  }
  if (!current.empty() || shards.empty()) {
    shards.push_back(std::move(current));
  }
  return shards;
}

void remove_file(const fs::path& path) {
  std::error_code code;
  fs::remove(path, code);
  if (code) {
    machine_error("{}: cannot be removed: {}", path.string(), code.message());
  }
}

void move_file(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::rename(from, to, code);
  if (code) {
    machine_error("{}: cannot be put in place: {}", to.string(), code.message());
  }
}

bool is_weight_file(std::string name) {
  std::ranges::replace_if(
      name, [](char c) { return c >= '0' && c <= '9'; }, '0');
  return name == single_name || name == index_name || name == "model-00000-of-00000.safetensors";
}

// A tensor's name in a language model of its own: transformers writes "language_model.model.X" and
// names the same "model.language_model.X" in memory. The name itself for the tensors of other parts.
std::string language_model_name(const std::string& name) {
  constexpr std::string_view outer = "language_model.";
  constexpr std::string_view inner = "model.language_model.";
  return name.starts_with(inner)   ? "model." + name.substr(inner.size())
         : name.starts_with(outer) ? name.substr(outer.size())
                                   : name;
}

bool is_head(std::string_view name) {
  return name == "lm_head.weight" || name == "score.weight";
}

// Removes the weight files that are not of this save: a reader would prefer model.safetensors to
// the shards beside it.
void remove_other_weights(const fs::path& folder, const std::set<std::string>& written) {
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (is_weight_file(name) && !written.contains(name)) {
      others.push_back(entry.path());
    }
  }
  std::ranges::for_each(others, remove_file);
}

json make_index(const std::vector<std::vector<TensorSource>>& shards,
                const std::vector<std::string>& names) {
  json weight_map = json::object();
  std::size_t bytes = 0;
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const TensorSource& tensor : shards[i]) {
      weight_map[tensor.name] = names[i];
      bytes += tensor.bytes();
      parameters += tensor.bytes() / dtype_size(tensor.dtype);
    }
  }
  return {{"metadata", {{"total_parameters", parameters}, {"total_size", bytes}}},
          {"weight_map", weight_map}};
}

// An adapter's folder looks like a model's, but has only what is added to the base model's weights.
void refuse_adapter(const fs::path& folder) {
  const fs::path file = folder / "adapter_config.json";
  if (!fs::exists(file) || fs::exists(folder / "config.json")) {
    return;
  }
  const json config = read_json(file);
  const json base = config.is_object() ? config.value("base_model_name_or_path", json()) : json();
  user_error(
      "{}: this is an adapter (LoRA) of {}, not a whole model, and lmpo reads no adapters. Merge "
      "it "
      "into its base model first, for example with PEFT: AutoPeftModelForCausalLM"
      ".from_pretrained('{}').merge_and_unload().save_pretrained('merged')",
      folder.string(),
      base.is_string() ? fmt::format("the base model '{}'", base.get<std::string>())
                       : "a base model",
      folder.string());
}

}  // namespace

void require_model_folder(const fs::path& path) {
  require_model_exists(path);
  refuse_adapter(path);
}

Checkpoint Checkpoint::open(const fs::path& path) {
  Checkpoint checkpoint(path);
  if (fs::is_regular_file(path)) {
    checkpoint.add_file(path);
    return checkpoint;
  }
  require_model_folder(path);
  if (fs::exists(path / single_name)) {
    checkpoint.add_file(path / single_name);
  } else if (fs::exists(path / index_name)) {
    checkpoint.add_shards(path / index_name);
  } else {
    refuse_without_weights(path);
  }
  checkpoint.keep_language_model();
  return checkpoint;
}

void Checkpoint::add_file(const fs::path& file) {
  files_.push_back(std::make_unique<SafetensorsFile>(file));
  for (const StoredTensor& tensor : files_.back()->tensors()) {
    places_[tensor.name] = {files_.back().get(), tensor.name};
  }
}

void Checkpoint::add_shards(const fs::path& index) {
  const std::map<std::string, std::string> weight_map = read_weight_map(index);
  std::map<std::string, const SafetensorsFile*> shards;
  for (const auto& [tensor, shard] : weight_map) {
    if (!shards.contains(shard)) {
      const fs::path file = index.parent_path() / shard;
      if (!fs::exists(file)) {
        user_error("{}: this shard is missing, {} lists it (for tensor '{}'); download it again",
                   file.string(), index.filename().string(), tensor);
      }
      files_.push_back(std::make_unique<SafetensorsFile>(file));
      shards[shard] = files_.back().get();
    }
    if (shards[shard]->find(tensor) == nullptr) {
      user_error("{}: weight_map: '{}' should be in {}, which does not hold it", index.string(),
                 tensor, shard);
    }
    places_[tensor] = {shards[shard], tensor};
  }
  std::vector<std::string> unlisted;
  for (const auto& [shard, file] : shards) {
    for (const StoredTensor& tensor : file->tensors()) {
      if (!places_.contains(tensor.name)) {
        unlisted.push_back(tensor.name);
      }
    }
  }
  warn_of_unlisted(index, unlisted);
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_) {
    names.push_back(name);
  }
  return names;
}

void Checkpoint::keep_language_model() {
  std::map<std::string, Place, std::less<>> kept;
  std::vector<std::string> others;
  bool is_multimodal = false;
  for (const auto& [name, place] : places_) {
    const std::string inner = language_model_name(name);
    is_multimodal |= inner != name;
    if (inner != name || is_head(name)) {
      kept[inner] = place;
    } else {
      others.push_back(name);
    }
  }
  if (is_multimodal) {
    places_ = std::move(kept);
    left_out_ = std::move(others);
  }
}

const StoredTensor* Checkpoint::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : found->second.file->find(found->second.stored_name);
}

TensorView Checkpoint::tensor(std::string_view name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) {
    user_error("{}: there is no tensor '{}'", path_.string(), name);
  }
  return found->second.file->tensor(found->second.stored_name);
}

void Checkpoint::forget(std::string_view name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) {
    found->second.file->forget(found->second.stored_name);
  }
}

void write_checkpoint(const fs::path& folder, const std::vector<TensorSource>& tensors,
                      std::int64_t max_shard_bytes) {
  LMPO_CHECK(max_shard_bytes > 0);
  const auto shards = cut_into_shards(tensors, static_cast<std::size_t>(max_shard_bytes));
  if (shards.size() == 1) {
    write_safetensors(folder / single_name, shards[0]);
    remove_other_weights(folder, {single_name});
    return;
  }
  // The shards are filled aside, so that a failure leaves an earlier save as it was.
  const AtomicFolder aside(folder / "model-shards");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    names.push_back(fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size()));
    write_safetensors(aside.path() / names[i], shards[i]);
  }
  // Without its index an earlier save cannot be read together with shards of this one.
  remove_file(folder / index_name);
  for (const std::string& name : names) {
    move_file(aside.path() / name, folder / name);
  }
  write_file_atomically(folder / index_name, make_index(shards, names).dump(2) + "\n");
  names.push_back(index_name);
  remove_other_weights(folder, {names.begin(), names.end()});
}

void copy_text_files(const fs::path& from, const fs::path& to) {
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "tekken.json", "tokenizer_config.json",
        "special_tokens_map.json", "chat_template.jinja", "generation_config.json",
        "added_tokens.json", "vocab.json", "merges.txt"}) {
    if (fs::exists(from / name) && !fs::equivalent(from, to)) {
      write_file_atomically(to / name, read_file(from / name));
    }
  }
}

}  // namespace lmpo
