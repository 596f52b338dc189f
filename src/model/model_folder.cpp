#include "model/model_folder.h"

#include <set>

#include "base/error.h"

namespace lmpo {

TensorSource tensor_from_device(std::string name, Tensor tensor, Ops& ops) {
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < tensor.rank(); ++axis) {
    shape.push_back(tensor.dim(axis));
  }
  const Tensor flat = tensor.reshaped({tensor.elements()});
  return {.name = std::move(name),
          .dtype = tensor.dtype(),
          .shape = std::move(shape),
          .read = [flat, &ops](std::int64_t begin, std::span<std::byte> out) {
            const auto count = static_cast<std::int64_t>(out.size() / dtype_size(flat.dtype()));
            ops.download(out.data(), flat.rows(begin, begin + count));
          }};
}

void write_model_folder(const fs::path& folder, const Weights& weights, Ops& ops,
                        const fs::path& texts_from, std::int64_t max_shard_bytes) {
  std::vector<TensorSource> tensors;
  for (const NamedParameter& named : weights.named()) {
    tensors.push_back(tensor_from_device(named.name, named.parameter.value, ops));
  }
  write_checkpoint(folder, tensors, max_shard_bytes);
  copy_text_files(texts_from, folder);
  write_file_atomically(folder / "config.json",
                        config_to_json(weights.config(), weights.storage()).dump(2) + "\n");
}

void add_model_files(Hash& hash, const fs::path& folder) {
  std::set<fs::path> files = {folder / "config.json"};
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") {
      files.insert(entry.path());
    }
  }
  for (const fs::path& path : files) {
    hash.add_file(path);
  }
}

void check_tokenizer_fits(const ModelConfig& config, std::int64_t tokenizer_id_limit,
                          const fs::path& folder) {
  if (tokenizer_id_limit > config.vocab_size) {
    user_error(
        "{}: the tokenizer has ids up to {}, but the model's embedding has {} rows (vocab_size): "
        "use "
        "the tokenizer that belongs to the model",
        folder.string(), tokenizer_id_limit - 1, config.vocab_size);
  }
}

}  // namespace lmpo
