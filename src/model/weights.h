// The weights of a Llama or Mistral model, their gradients and optimizer state, all in one arena.
//
// Storage is float32, bfloat16 or float16. What trains in 16 bits keeps an exact float32 master:
// for bfloat16 the 16 bits it lacks (SplitFloat), for float16 a float32 copy. Projections that
// share an input are stored as one matrix, so that one product serves them; the checkpoint's names
// are views of its rows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "model/config.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

// A weight and what belongs to it. Without training only `value` is there.
struct Parameter {
  Tensor value;     // storage type
  Tensor low;       // bfloat16: int16 bits; float16: float32 master; float32: empty
  Tensor gradient;  // float32
  Moment moment1;   // float32; matrices also in 8 bits
  Moment moment2;
  bool decays = true;  // weight decay applies: matrices yes, norms no

  Parameter rows(std::int64_t begin, std::int64_t end) const;
};

struct NamedParameter {
  std::string name;  // as in the checkpoint: "model.layers.0.self_attn.q_proj.weight"
  Parameter parameter;
};

struct LayerWeights {
  Parameter input_norm;  // [D]
  Parameter qkv;         // [(H+2K)E, D]: q_proj, k_proj, v_proj
  Parameter o;           // [D, H*E]
  Parameter post_norm;   // [D]
  Parameter gate_up;     // [2F, D]: gate_proj, up_proj
  Parameter down;        // [D, F]
};

enum class WeightUse { inference, training };

// How and where is kept what the optimizer alone needs. Arenas of its own may be a file, or the
// host's memory where a GPU computes; none is that of the weights.
struct OptimizerStorage {
  bool eight_bit_moments = false;  // of matrices; norms, which are small, stay float32
  Arena* moments = nullptr;
  Arena* master = nullptr;
};

class Weights {
 public:
  // Allocates everything in the arena; contents are undefined until load or initialize.
  Weights(const ModelConfig& config, Dtype storage, WeightUse use, Arena& arena,
          const OptimizerStorage& optimizer = {});

  // Reads a checkpoint that matches the configuration (check_tensors) into storage and exact
  // master. UserError that names the tensors where weights are not finite.
  void load(const Checkpoint& checkpoint, Ops& ops);
  // Random weights as transformers makes them: normal(0, initializer_range), norms 1, the pad
  // token's row 0.
  void initialize(std::uint64_t seed, Ops& ops);
  // For measuring: every matrix takes these values in turn, and norms are 1. Far quicker.
  void initialize_from(std::span<const float> values, Ops& ops);
  // Sets gradients to zero.
  void zero_gradients(Ops& ops);
  // Sets moments to zero, before the first step.
  void zero_moments(Ops& ops);
  // After a use of the parameter's moments: where they are in a file, their memory is given up.
  void page_out_moments(const Parameter& parameter) const;

  const ModelConfig& config() const { return config_; }
  Dtype storage() const { return storage_; }
  WeightUse use() const { return use_; }

  Parameter embedding;               // [V, D]
  std::vector<LayerWeights> layers;  // L
  Parameter final_norm;              // [D]
  Parameter head;  // [V, D], the embedding itself when tied; of a reward model [1, D]

  // Every distinct parameter once, in a fixed order: what the optimizer walks.
  std::vector<Parameter> parameters() const;
  // The checkpoint's tensors by name, in the order of expected_tensors(config).
  std::vector<NamedParameter> named() const;
  std::int64_t count() const;  // elements, tied weights once

 private:
  // Writes float32 values into a parameter (and its master), a chunk at a time; fill(begin, out)
  // gives elements [begin, begin + out.size()).
  void assign(const Parameter& parameter, Ops& ops,
              const std::function<void(std::int64_t begin, std::span<float> out)>& fill) const;

  ModelConfig config_;
  Dtype storage_;
  WeightUse use_;
  OptimizerStorage optimizer_;
};

}  // namespace lmpo
