// Small models with what PyTorch makes of them (src/model/testdata, by tools/oracle/model_golden.py).
// For tests only.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/testing/test_paths.h"
#include "model/language_model.h"
#include "ops/device.h"

namespace lmpo::testing {

// One for each way in which models differ, and one a family.
inline const std::vector<std::string> golden_models = {"llama",
                                                       "llama_tied",
                                                       "mistral",
                                                       "llama_bias",
                                                       "llama_bias_tied",
                                                       "gemma",
                                                       "gemma2",
                                                       "gemma3_text",
                                                       "granite",
                                                       "ministral3",
                                                       "olmo2",
                                                       "olmo3",
                                                       "phi3_longrope_partial",
                                                       "qwen2_window",
                                                       "qwen3",
                                                       "smollm3"};

struct Golden {
  json facts;
  ModelConfig config;
  Checkpoint weights;
  Checkpoint gradients;
  std::vector<Tree> trees;
};

inline Golden read_golden(const std::string& name) {
  const fs::path folder = source_folder() / "src/model/testdata" / name;
  Golden golden{read_json(folder / "golden.json"),
                read_model_config(folder),
                Checkpoint::open(folder),
                Checkpoint::open(folder / "gradients.safetensors"),
                {}};
  for (const json& row : golden.facts.at("rows")) {
    Tree tree;
    for (const char* side : {"chosen", "rejected"}) {
      auto tokens = row.at("prompt").get<std::vector<std::int32_t>>();
      const auto scored_begin = static_cast<std::int32_t>(tokens.size());
      const auto answer = row.at(side).get<std::vector<std::int32_t>>();
      tokens.insert(tokens.end(), answer.begin(), answer.end());
      tree.sequences.push_back({tokens, scored_begin});
    }
    golden.trees.push_back(tree);
  }
  return golden;
}

// A model with its memory, ready to train.
struct Trained {
  // With random weights.
  Trained(const ModelConfig& config, Dtype storage, Recompute recompute, std::uint64_t seed,
          std::unique_ptr<Device> on, Dtype compute)
      : Trained(config, storage, recompute, std::move(on), compute, true) {
    weights.initialize(seed, *ops);
  }
  Trained(const Golden& golden, Dtype storage, Recompute recompute,
          std::unique_ptr<Device> on = make_cpu_device(), Dtype compute = Dtype::f32,
          bool pad_gradient = true)
      : Trained(golden.config, storage, recompute, std::move(on), compute, pad_gradient) {
    weights.load(golden.weights, *ops);
  }

  std::unique_ptr<Device> device;
  std::unique_ptr<Ops> ops;
  Arena arena;
  Weights weights;
  LanguageModel model;

 private:
  Trained(const ModelConfig& config, Dtype storage, Recompute recompute, std::unique_ptr<Device> on,
          Dtype compute, bool pad_gradient)
      : device(std::move(on)),
        ops(device->make_ops(compute)),
        arena(device->make_arena(std::size_t{64} << 20)),
        weights(config, storage, WeightUse::training, arena),
        model(weights, *ops, arena,
              {.max_positions = 64, .recompute = recompute, .pad_gradient = pad_gradient}) {
    weights.zero_gradients(*ops);
  }
};

// SimPO over all trees, `per_pack` at a time; returns the batch loss and leaves gradients behind.
inline double simpo_step(Trained& trained, const Golden& golden, std::size_t per_pack,
                         std::vector<double>* all_sums = nullptr) {
  const double beta = golden.facts.at("beta");
  const double gamma = golden.facts.at("gamma");
  const auto pairs = static_cast<double>(golden.trees.size());
  double loss = 0;
  for (std::size_t first = 0; first < golden.trees.size(); first += per_pack) {
    std::vector<const Tree*> trees;
    for (std::size_t i = first; i < std::min(first + per_pack, golden.trees.size()); ++i) {
      trees.push_back(&golden.trees[i]);
    }
    trained.model.train(
        make_pack(trees), [&](std::span<const double> sums, std::span<double> seeds) {
          for (std::size_t i = 0; i < trees.size(); ++i) {
            const double n_w = trees[i]->sequences[0].scored_tokens();
            const double n_l = trees[i]->sequences[1].scored_tokens();
            const double z = beta * (sums[2 * i] / n_w - sums[2 * i + 1] / n_l) - gamma;
            loss += std::log1p(std::exp(-z)) / pairs;
            const double slope = -1 / (1 + std::exp(z)) / pairs;
            seeds[2 * i] = slope * beta / n_w;
            seeds[2 * i + 1] = -slope * beta / n_l;
          }
          if (all_sums != nullptr) {
            all_sums->insert(all_sums->end(), sums.begin(), sums.end());
          }
        });
  }
  return loss;
}

inline std::vector<float> to_host(Ops& ops, Tensor x) {
  std::vector<float> host(static_cast<std::size_t>(x.elements()));
  ops.download(host.data(), x);
  return host;
}

inline double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / norm);
}

}  // namespace lmpo::testing
