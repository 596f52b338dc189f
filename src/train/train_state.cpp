#include "train/train_state.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/hash.h"
#include "model/model_folder.h"

namespace lmpo {
namespace {

constexpr std::int64_t kVersion = 1;

struct StoredPart {
  std::string name;
  Tensor tensor;
};

// What the optimizer keeps of a parameter, by the names of its file.
std::vector<StoredPart> stored_parts(const NamedParameter& named) {
  const Parameter& parameter = named.parameter;
  std::vector<StoredPart> parts = {{named.name + ".exp_avg", parameter.moment1.values},
                                   {named.name + ".exp_avg_scale", parameter.moment1.scales},
                                   {named.name + ".exp_avg_sq", parameter.moment2.values},
                                   {named.name + ".exp_avg_sq_scale", parameter.moment2.scales},
                                   {named.name + ".master", parameter.low}};
  std::erase_if(parts, [](const StoredPart& part) { return part.tensor.empty(); });
  return parts;
}

void require(const json& content, const char* key, json::value_t type, std::string_view source) {
  if (!content.contains(key) || content[key].type() != type) {
    user_error("{}: key '{}': {} was expected", source, key,
               type == json::value_t::array ? "a list" : "an object");
  }
}

// A count, which is not negative.
std::int64_t count(const json& content, const char* key, std::string_view source) {
  const auto value = required<std::int64_t>(content, key, source);
  if (value < 0) {
    user_error("{}: key '{}': a number that is not negative was expected", source, key);
  }
  return value;
}

}  // namespace

json TrainState::to_json() const {
  return {{"version", kVersion},
          {"step", step},
          {"tokens", tokens},
          {"sampler", {{"epoch", sampler.epoch}, {"position", sampler.position}}},
          {"objective", objective},
          {"loss_total", loss_total},
          {"loss_sum", loss_sum},
          {"loss_steps", loss_steps},
          {"grad_norm", grad_norm},
          {"learning_rate", learning_rate},
          {"metrics", metrics.to_json()},
          {"log_history", log_history},
          {"best", best.to_json()},
          {"run", run},
          {"data_fingerprint", data_fingerprint},
          {"options", options}};
}

TrainState TrainState::from_json(const json& content, std::string_view source) {
  if (required<std::int64_t>(content, "version", source) != kVersion) {
    user_error("{}: written by another version of lmpo, which this one cannot resume", source);
  }
  for (const char* key : {"sampler", "objective", "metrics", "options"}) {
    require(content, key, json::value_t::object, source);
  }
  require(content, "log_history", json::value_t::array, source);
  TrainState state;
  state.step = count(content, "step", source);
  state.tokens = count(content, "tokens", source);
  state.sampler = {.epoch = count(content["sampler"], "epoch", source),
                   .position = count(content["sampler"], "position", source)};
  state.objective = content["objective"];
  state.loss_total = required<double>(content, "loss_total", source);
  state.loss_sum = required<double>(content, "loss_sum", source);
  state.loss_steps = count(content, "loss_steps", source);
  // JSON has no number for a norm that is not finite.
  state.grad_norm =
      optional(content, "grad_norm", std::numeric_limits<double>::quiet_NaN(), source);
  state.learning_rate = required<double>(content, "learning_rate", source);
  try {
    state.metrics = MetricSums::from_json(content["metrics"]);
  } catch (const UserError& error) {
    user_error("{}: {}", source, error.what());
  }
  state.log_history = content["log_history"];
  state.best = BestSoFar::from_json(content.value("best", json()), source);
  state.run = content.contains("run") ? count(content, "run", source) : 0;
  state.data_fingerprint = required<std::string>(content, "data_fingerprint", source);
  state.options = content["options"];
  return state;
}

std::string data_fingerprint(std::span<const Tree> trees) {
  Hash hash;
  for (const Tree& tree : trees) {
    hash.add(tree.sequences.size());
    hash.add(static_cast<std::uint64_t>(tree.desirable));
    for (const Sequence& sequence : tree.sequences) {
      hash.add(static_cast<std::uint64_t>(sequence.scored_begin));
      if (!sequence.gaps.empty()) {
        hash.add(sequence.gaps.data(), sequence.gaps.size() * sizeof(TokenRun));
      }
      hash.add(sequence.tokens.data(), sequence.tokens.size() * sizeof(std::int32_t));
    }
  }
  return hash.text();
}

namespace {

// What trained has a first moment.
void require_same_freeze(const SafetensorsFile& file, const Weights& weights) {
  for (const NamedParameter& named : weights.named()) {
    const bool trained = file.find(named.name + ".exp_avg") != nullptr;
    if (trained != named.parameter.trains()) {
      user_error(
          "{}: {} was {} when the checkpoint was written and is {} now: resume with the same "
          "freeze, or start a new run with --model {}",
          file.path().string(), named.name, trained ? "trained" : "frozen",
          trained ? "frozen" : "trained", file.path().parent_path().string());
    }
  }
}

}  // namespace

std::size_t optimizer_bytes(const Weights& weights) {
  std::size_t bytes = 0;
  for (const NamedParameter& named : weights.named()) {
    for (const StoredPart& part : stored_parts(named)) {
      bytes += part.tensor.bytes();
    }
  }
  return bytes;
}

void write_optimizer(const fs::path& folder, const Weights& weights, Ops& ops) {
  std::vector<TensorSource> tensors;
  for (const NamedParameter& named : weights.named()) {
    for (const StoredPart& part : stored_parts(named)) {
      TensorSource& source = tensors.emplace_back(tensor_from_device(part.name, part.tensor, ops));
      source.read = [read = std::move(source.read), &weights, parameter = named.parameter](
                        std::int64_t begin, std::span<std::byte> out) {
        read(begin, out);
        weights.page_out_moments(parameter);
      };
    }
  }
  write_safetensors(folder / "optimizer.safetensors", tensors);
}

void read_optimizer(const fs::path& folder, const Weights& weights, Ops& ops) {
  const SafetensorsFile file(folder / "optimizer.safetensors");
  require_same_freeze(file, weights);
  for (const NamedParameter& named : weights.named()) {
    for (const auto& [name, tensor] : stored_parts(named)) {
      if (file.find(name) == nullptr) {
        user_error(
            "{}: there is no tensor '{}'; the checkpoint was written with another --dtype or "
            "--optim?",
            file.path().string(), name);
      }
      const TensorView stored = file.tensor(name);
      if (stored.dtype != tensor.dtype() || stored.elements() != tensor.elements()) {
        user_error(
            "{}: '{}' is not {}; the checkpoint was written with another --dtype or --optim?",
            file.path().string(), name, tensor.describe());
      }
      ops.upload(tensor, stored.bytes.data());
      file.forget(name);
    }
    weights.page_out_moments(named.parameter);
  }
}

}  // namespace lmpo
