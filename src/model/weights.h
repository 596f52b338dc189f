// The weights of a model, their gradients and optimizer state, all in one arena.
//
// Storage is float32, bfloat16 or float16. What trains in 16 bits keeps an exact float32 master:
// for bfloat16 the 16 bits it lacks (SplitFloat), for float16 a float32 copy. What is frozen keeps
// its values alone. For inference storage may also be int8: matrices are then rounded to 8 bits by
// rows (eight_bits.h) while they are loaded; norms and biases are float32.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "model/config.h"
#include "model/freeze.h"
#include "model/parameter.h"
#include "model/tensor_table.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

struct NamedParameter {
  std::string name;  // as in the checkpoint: "model.layers.0.self_attn.q_proj.weight"
  Parameter parameter;
};

enum class WeightUse { inference, training };

// What the optimizer needs of the parameters, and where it lies. An arena may be a file, or the
// host's memory where a GPU computes; without one it is that of the weights.
struct OptimizerStorage {
  bool eight_bit_moments = false;  // of matrices; norms and biases are small and stay float32
  Arena* moments = nullptr;
  Arena* master = nullptr;
  FreezePatterns freeze = {};  // what does not train; check_freeze accepts them
};

class Weights {
 public:
  // Allocates everything in the arena; contents are undefined until load or initialize.
  Weights(const ModelConfig& config, Dtype storage, WeightUse use, Arena& arena,
          const OptimizerStorage& optimizer = {});

  // Reads a checkpoint that matches the configuration (check_tensors) into storage and exact
  // master. UserError that names the tensors where weights are not finite.
  void load(const Checkpoint& checkpoint, Ops& ops);
  // Random weights as transformers makes them: matrices normal(0, initializer_range), norms that
  // multiply by 1, biases and the pad token's row 0.
  void initialize(std::uint64_t seed, Ops& ops);
  // For measuring, and far quicker: every matrix takes these values in turn.
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

  // Every distinct parameter once, in the order of the forward pass.
  std::vector<Parameter> parameters() const { return parameters_; }
  // Those of them that train: what the optimizer walks.
  std::vector<Parameter> trained() const;
  // The checkpoint's tensors by name, in the order of model_tensors(config).
  std::vector<NamedParameter> named() const { return named_; }
  std::int64_t count() const;  // elements, tied weights once

 private:
  // Where the table says that a tensor lies.
  Parameter& at(const ModelTensor& tensor);
  void allocate(const std::vector<ModelTensor>& tensors, Arena& arena);
  // Writes float32 values into a parameter (and its master), a chunk at a time; fill(begin, out)
  // gives elements [begin, begin + out.size()).
  void assign(const Parameter& parameter, Ops& ops,
              const std::function<void(std::int64_t begin, std::span<float> out)>& fill) const;

  ModelConfig config_;
  Dtype storage_;
  WeightUse use_;
  OptimizerStorage optimizer_;
  std::vector<Parameter> parameters_;
  std::vector<NamedParameter> named_;
};

}  // namespace lmpo
