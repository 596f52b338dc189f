// Runs with frozen parameters.
#include "model/freeze.h"

#include <gmock/gmock.h>

#include <cmath>

#include "io/checkpoint.h"
#include "model/weights.h"
#include "train/memory_plan.h"
#include "train/testing/small_run.h"

namespace lmpo::freeze_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class FrozenRun : public lmpo::testing::SmallRun,
                  public ::testing::WithParamInterface<const char*> {
 protected:
  TrainInputs frozen(const std::string& name, const std::vector<std::string>& freeze) const {
    TrainInputs given = inputs(name, "simpo");
    given.recipe.model_name_or_path = model_;
    given.recipe.dtype = GetParam();
    given.recipe.freeze = freeze;
    given.recipe.max_steps = 6;
    given.recipe.save_strategy = TrainRecipe::Strategy::steps;
    given.recipe.save_steps = 4;
    given.recipe.weight_decay = 0.1;
    return given;
  }

  fs::path model_ = lmpo::testing::small_model("llama_bias");
};

INSTANTIATE_TEST_SUITE_P(Types, FrozenRun, ::testing::Values("float32", "bfloat16", "float16"),
                         [](const auto& given) { return std::string(given.param); });

// The bytes of every tensor of a model folder.
std::map<std::string, std::string> tensors_of(const fs::path& folder) {
  const Checkpoint checkpoint = Checkpoint::open(folder);
  std::map<std::string, std::string> all;
  for (const std::string& name : checkpoint.names()) {
    const TensorView view = checkpoint.tensor(name);
    all[name].assign(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
  }
  return all;
}

TEST_P(FrozenRun, KeepsTheBytesOfWhatIsFrozen) {
  const std::vector<std::string> freeze = {"model.embed_tokens.*", "model.layers.0.*", "*.mlp.*"};
  // The source in the storage type: a step that learns nothing writes it.
  TrainInputs copied = frozen("source", {});
  copied.recipe.learning_rate = 0;
  copied.recipe.max_steps = 1;
  run_training(std::move(copied));
  model_ = folder_ / "source";
  run_training(frozen("run", freeze));
  const auto before = tensors_of(model_);
  const auto after = tensors_of(folder_ / "run");
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, bytes] : before) {
    EXPECT_EQ(after.at(name) == bytes, is_frozen(name, freeze)) << name;
  }
}

TEST_P(FrozenRun, ResumesInTheSameBytes) {
  const std::vector<std::string> freeze = {"*.self_attn.*", "*.bias"};
  run_training(frozen("whole", freeze));
  fs::create_directories(folder_ / "resumed");
  fs::copy(folder_ / "whole/checkpoint-4", folder_ / "resumed/checkpoint-4",
           fs::copy_options::recursive);
  TrainInputs second = frozen("resumed", freeze);
  second.recipe.resume_from_checkpoint = "true";
  run_training(std::move(second));
  for (const char* file : {"model.safetensors", "checkpoint-6/optimizer.safetensors",
                           "checkpoint-6/model.safetensors", "checkpoint-6/lmpo_state.json"}) {
    EXPECT_EQ(read_file(folder_ / "whole" / file), read_file(folder_ / "resumed" / file)) << file;
  }
}

TEST_P(FrozenRun, IsNotResumedWithAnotherFreeze) {
  run_training(frozen("run", {"*.mlp.*"}));
  for (const auto& [freeze, what] :
       {std::pair(std::vector<std::string>{}, "gate_proj.weight was frozen"),
        std::pair(std::vector<std::string>{"*.mlp.*", "model.norm.weight"},
                  "model.norm.weight was trained")}) {
    TrainInputs other = frozen("run", freeze);
    other.recipe.max_steps = 8;
    other.recipe.resume_from_checkpoint = "true";
    EXPECT_THAT(user_error_of([&] { run_training(std::move(other)); }),
                AllOf(HasSubstr(what), HasSubstr("resume with the same freeze")));
  }
}

// The norm of the gradients of what trains alone, and the memory that was planned.
TEST_P(FrozenRun, CountsWhatTrains) {
  const std::vector<std::string> freeze = {"model.layers.*", "lm_head.weight"};
  TrainInputs given = frozen("run", freeze);
  given.recipe.max_steps = 1;
  run_training(std::move(given));
  TrainInputs free = frozen("free", {});
  free.recipe.max_steps = 1;
  run_training(std::move(free));
  const auto norm = [&](const char* name) {
    return state(name).at("log_history")[0].at("grad_norm").get<double>();
  };
  EXPECT_GT(norm("run"), 0);
  EXPECT_LT(norm("run"), norm("free"));
  const auto planned = [&](const char* name) {
    return read_json(folder_ / name / "lmpo_run.json").at("memory").at("arena").get<std::size_t>();
  };
  EXPECT_LT(planned("run"), planned("free"));
}

}  // namespace
}  // namespace lmpo::freeze_test
