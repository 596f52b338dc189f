// Several updates of a whole model against the same in double: torch.nn.utils.clip_grad_norm_, then
// torch.optim.AdamW with norms in a group that does not decay.
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "tensor/arena.h"
#include "train/testing/small_run.h"

namespace lmpo::optimizer_test {
namespace {

// One weight as AdamW's authors write it.
struct ScalarWeight {
  double value;
  double moment1 = 0;
  double moment2 = 0;

  void update(const OptimizerOptions& options, int step, double rate, double decay, double g) {
    value -= rate * decay * value;
    moment1 = options.beta1 * moment1 + (1 - options.beta1) * g;
    moment2 = options.beta2 * moment2 + (1 - options.beta2) * g * g;
    const double m = moment1 / (1 - std::pow(options.beta1, step));
    const double v = moment2 / (1 - std::pow(options.beta2, step));
    value -= rate * m / (std::sqrt(v) + options.epsilon);
  }
};

// The exact weight behind storage of any type.
double master(const Parameter& parameter, std::int64_t i) {
  switch (parameter.value.dtype()) {
    case Dtype::bf16:
      return join_float({parameter.value.bf16()[i], parameter.low.i16()[i]});
    case Dtype::f16:
      return parameter.low.f32()[i];
    default:
      return parameter.value.f32()[i];
  }
}

struct OptimizerCase {
  std::string model;
  Dtype storage;
  double max_grad_norm;
};

class WholeModel : public ::testing::TestWithParam<OptimizerCase> {
 protected:
  WholeModel() {
    const fs::path folder = lmpo::testing::small_model(GetParam().model);
    weights_.emplace(read_model_config(folder), GetParam().storage, WeightUse::training, arena_);
    weights_->load(Checkpoint::open(folder), *ops_);
    weights_->zero_moments(*ops_);
  }

  // Random gradients, the same for every storage; some steps' are large and some small. Returns
  // their norm.
  double fill_gradients(int step) {
    Random random(3, static_cast<std::uint64_t>(step));
    const double scale = step % 2 == 0 ? 0.01 : 1.0;
    double squares = 0;
    for (const Parameter& parameter : weights_->parameters()) {
      for (std::int64_t i = 0; i < parameter.gradient.elements(); ++i) {
        const auto g = static_cast<float>(scale * random.normal());
        parameter.gradient.f32()[i] = g;
        squares += static_cast<double>(g) * static_cast<double>(g);
      }
    }
    return std::sqrt(squares);
  }

  std::unique_ptr<Ops> ops_ = make_cpu_ops();
  Arena arena_ = Arena::host(std::size_t{16} << 20);
  std::optional<Weights> weights_;
};

INSTANTIATE_TEST_SUITE_P(Cases, WholeModel,
                         ::testing::Values(OptimizerCase{"llama", Dtype::f32, 10},
                                           OptimizerCase{"llama_tied", Dtype::f32, 0},
                                           OptimizerCase{"llama", Dtype::bf16, 10},
                                           OptimizerCase{"mistral", Dtype::f16, 10}),
                         [](const auto& given) {
                           return given.param.model + "_" +
                                  std::string(dtype_name(given.param.storage));
                         });

TEST_P(WholeModel, MovesAsScalarsInDouble) {
  const OptimizerOptions options = {.beta1 = 0.8,
                                    .beta2 = 0.95,
                                    .epsilon = 1e-6,
                                    .weight_decay = 0.5,
                                    .max_grad_norm = GetParam().max_grad_norm};
  std::vector<ScalarWeight> truth;
  for (const Parameter& parameter : weights_->parameters()) {
    for (std::int64_t i = 0; i < parameter.value.elements(); ++i) {
      truth.push_back({.value = master(parameter, i)});
    }
  }
  ASSERT_EQ(std::ssize(truth), weights_->count());  // tied weights move once
  int clipped = 0;
  for (int step = 1; step <= 6; ++step) {
    const double rate = 0.01 * step;
    const double expected_norm = fill_gradients(step);
    const double norm = gradient_norm(*weights_, *ops_);
    EXPECT_NEAR(norm, expected_norm, 1e-12 * expected_norm);
    adamw_step(*weights_, *ops_, options, step, rate, norm);

    const bool clips = options.max_grad_norm > 0 && expected_norm > options.max_grad_norm;
    const double scale = clips ? options.max_grad_norm / (expected_norm + 1e-6) : 1;
    clipped += clips ? 1 : 0;
    auto weight = truth.begin();
    for (const Parameter& parameter : weights_->parameters()) {
      const double decay = parameter.value.rank() > 1 ? options.weight_decay : 0;
      for (std::int64_t i = 0; i < parameter.value.elements(); ++i, ++weight) {
        const double g = scale * static_cast<double>(parameter.gradient.f32()[i]);
        weight->update(options, step, rate, decay, g);
        ASSERT_NEAR(master(parameter, i), weight->value, 2e-6) << "step " << step << ", " << i;
      }
    }
  }
  EXPECT_EQ(clipped, options.max_grad_norm > 0 ? 3 : 0);
}

// What the model computes with is the master, rounded.
TEST_P(WholeModel, StorageFollowsTheMaster) {
  const double norm = fill_gradients(1);
  adamw_step(*weights_, *ops_, {}, 1, 1e-5, norm);
  const auto stored = [](const Parameter& parameter, std::int64_t i) -> double {
    switch (parameter.value.dtype()) {
      case Dtype::bf16:
        return to_float(parameter.value.bf16()[i]);
      case Dtype::f16:
        return to_float(parameter.value.f16()[i]);
      default:
        return parameter.value.f32()[i];
    }
  };
  // Half a unit in the last place, relative; and that of float16's subnormal numbers.
  const Dtype storage = GetParam().storage;
  const double relative = storage == Dtype::f32 ? 0 : storage == Dtype::bf16 ? 0x1p-8 : 0x1p-11;
  const double absolute = storage == Dtype::f16 ? 0x1p-25 : 0;
  for (const Parameter& parameter : weights_->parameters()) {
    for (std::int64_t i = 0; i < parameter.value.elements(); ++i) {
      const double exact = master(parameter, i);
      ASSERT_NEAR(stored(parameter, i), exact, relative * std::abs(exact) + absolute);
    }
  }
}

}  // namespace
}  // namespace lmpo::optimizer_test
