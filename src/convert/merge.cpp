#include "convert/merge.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/threads.h"
#include "convert/stored_model.h"
#include "io/finite.h"
#include "io/store_floats.h"
#include "model/tensor_table.h"

namespace lmpo {
namespace {

constexpr std::int64_t parallel_grain = 1 << 14;  // elements

// config.json as lmpo itself would write it: spellings no longer differ.
ordered_json architecture(ModelConfig config) {
  config.original = {};
  ordered_json keys = config_to_json(config, Dtype::f32);
  for (const char* other :
       {"initializer_range", "bos_token_id", "eos_token_id", "pad_token_id", "torch_dtype"}) {
    keys.erase(other);
  }
  return keys;
}

// One tensor in several models.
class Sum {
 public:
  Sum(const std::string& name, const std::vector<WeightedModel>& models) : name_(name) {
    for (const WeightedModel& model : models) {
      if (model.weight != 0) {
        models_.push_back(model);
        views_.push_back(model.checkpoint->tensor(name));
      }
    }
    LMPO_CHECK(!models_.empty());
  }

  // Elements [begin, begin + out.size()).
  void read(std::int64_t begin, std::span<float> out) const {
    std::vector<double> sums(out.size());
    for (std::size_t m = 0; m < models_.size(); ++m) {
      read_finite(*models_[m].checkpoint, views_[m], begin, out);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double term = models_[m].weight * static_cast<double>(out[i]);
        sums[i] = m == 0 ? term : sums[i] + term;  // 0 + -0 would lose a sign
      }
    }
    std::ranges::transform(sums, out.begin(), [](double sum) { return static_cast<float>(sum); });
  }

  // Does the same for a type of files. After the last element the tensors may leave memory.
  void read_stored(std::int64_t begin, Dtype dtype, std::span<std::byte> out) const {
    const std::size_t size = dtype_size(dtype);
    const auto count = static_cast<std::int64_t>(out.size() / size);
    parallel_for(count, parallel_grain, [&](std::int64_t first, std::int64_t last) {
      std::vector<float> values(static_cast<std::size_t>(last - first));
      read(begin + first, values);
      store_floats(values, dtype,
                   out.subspan(static_cast<std::size_t>(first) * size, values.size() * size),
                   name_);
    });
    if (begin + count == views_[0].elements()) {
      for (const WeightedModel& model : models_) {
        model.checkpoint->forget(name_);
      }
    }
  }

 private:
  std::string name_;
  std::vector<WeightedModel> models_;
  std::vector<TensorView> views_;
};

// The result has the first model's tokenizer, whatever the others' ids mean.
void warn_of_other_tokenizer(const fs::path& first, const fs::path& other) {
  const fs::path here = first / "tokenizer.json";
  const fs::path there = other / "tokenizer.json";
  if (fs::exists(here) && fs::exists(there) && read_file(here) != read_file(there)) {
    log_warning("{} differs from {}, which the result gets: check that ids mean the same tokens",
                there.string(), here.string());
  }
}

}  // namespace

void check_same_architecture(const ModelConfig& first, const fs::path& first_folder,
                             const ModelConfig& other, const fs::path& other_folder) {
  const ordered_json expected = architecture(first);
  const ordered_json found = architecture(other);
  const auto differ = [&](const std::string& key) {
    const ordered_json here = found.value(key, ordered_json());
    const ordered_json there = expected.value(key, ordered_json());
    if (here != there) {
      user_error(
          "{}: config.json: {} is {}, but {} in {}; only models of the same architecture can be "
          "merged",
          other_folder.string(), key, here.dump(), there.dump(), first_folder.string());
    }
  };
  for (const ordered_json* object : {&expected, &found}) {
    for (const auto& [key, value] : object->items()) {
      differ(key);
    }
  }
}

std::vector<TensorSource> weighted_sum(const ModelConfig& config,
                                       const std::vector<WeightedModel>& models,
                                       std::optional<Dtype> dtype) {
  std::vector<TensorSource> tensors;
  for (const ModelTensor& expected : model_tensors(config)) {
    const Sum sum(expected.name, models);
    const Dtype stored = dtype.value_or(models.front().checkpoint->tensor(expected.name).dtype);
    tensors.push_back({.name = expected.name,
                       .dtype = stored,
                       .shape = expected.shape,
                       .read = [sum, stored](std::int64_t begin, std::span<std::byte> out) {
                         sum.read_stored(begin, stored, out);
                       }});
  }
  return tensors;
}

void write_weighted_sum(const fs::path& folder, const ModelConfig& config,
                        const std::vector<WeightedModel>& models, std::optional<Dtype> dtype,
                        const fs::path& texts_from, std::int64_t max_shard_bytes) {
  const std::vector<TensorSource> tensors = weighted_sum(config, models, dtype);
  AtomicFolder aside(folder);
  write_checkpoint(aside.path(), tensors, max_shard_bytes);
  copy_text_files(texts_from, aside.path());
  write_model_config(config, tensors.front().dtype, aside.path());
  aside.commit();
}

void merge_models(const std::vector<std::pair<fs::path, double>>& models,
                  std::optional<Dtype> dtype, const fs::path& output,
                  std::int64_t max_shard_bytes) {
  std::vector<StoredModel> stored;
  std::vector<WeightedModel> weighted;
  stored.reserve(models.size());
  for (const auto& [folder, weight] : models) {
    const StoredModel& model = stored.emplace_back(folder);
    check_same_architecture(stored[0].config, stored[0].folder, model.config, folder);
    warn_of_other_tokenizer(stored[0].folder, folder);
    weighted.push_back({&model.checkpoint, weight});
  }
  write_weighted_sum(output, stored[0].config, weighted, dtype, stored[0].folder, max_shard_bytes);
}

}  // namespace lmpo
