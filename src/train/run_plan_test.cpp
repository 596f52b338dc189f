// What a run on a GPU plans, on a device that only says how much it has.
#include "train/run_plan.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"
#include "data/sampler.h"
#include "tensor/arena.h"
#include "train/testing/small_run.h"

namespace lmpo::run_plan_test {
namespace {

// A GPU with so much memory, whose ops compute nothing.
class CountedGpu final : public Device {
 public:
  explicit CountedGpu(std::size_t available) : available_(available) {}
  std::string name() const override { return "counted GPU"; }
  bool is_cpu() const override { return false; }
  Dtype usual_compute() const override { return Dtype::bf16; }
  std::unique_ptr<Ops> make_ops(Dtype compute) override { return make_cuda_plan_ops(compute); }
  Arena make_arena(std::size_t) override { return Arena::counting(); }
  Arena make_paged_arena(std::size_t, const fs::path&) override { return Arena::counting(); }
  std::size_t available_memory() const override { return available_; }
  std::size_t memory_beside_arenas() const override { return 1000; }
  std::size_t peak_memory() const override { return 0; }

 private:
  std::size_t available_;
};

class GpuPlan : public lmpo::testing::SmallRun {
 protected:
  struct Planned {
    MemoryPlan memory;
    StoragePlan storage;
    Recompute recompute;
    PackLimits limits;
  };
  Planned plan(std::size_t available, const std::string& dtype = "bfloat16") const {
    TrainInputs given = inputs("planned");
    given.recipe.dtype = dtype;
    given.recipe.optim = optim_;
    const ModelConfig config = read_model_config(given.recipe.model_name_or_path);
    const RunLength length(given.recipe, std::ssize(given.train.trees));
    CountedGpu device(available);
    const auto ops = device.make_ops(Dtype::bf16);
    const RunPlan plan(given, config, length, device, *ops);
    return {plan.memory(), plan.storage(), plan.model_options().recompute, plan.train_limits()};
  }
  static constexpr std::size_t kPlenty = std::size_t{1} << 40;

  std::string optim_ = "adamw_torch";
};

// Master weights in host memory cost less than recomputation, recomputation less than small packs.
TEST_F(GpuPlan, GivesUpTheCheapestFirst) {
  const Planned all = plan(kPlenty);
  EXPECT_EQ(all.storage.master, Place::arena);
  EXPECT_EQ(all.recompute, Recompute::none);
  EXPECT_EQ(all.memory.host, 0u);

  const Planned master_on_host = plan(all.memory.total() - 1);
  EXPECT_EQ(master_on_host.storage.master, Place::host);
  EXPECT_EQ(master_on_host.recompute, Recompute::none);
  EXPECT_EQ(master_on_host.memory.arena + master_on_host.memory.host, all.memory.arena);

  const Planned recomputed = plan(master_on_host.memory.total() - 1);
  EXPECT_NE(recomputed.recompute, Recompute::none);
  EXPECT_EQ(recomputed.limits.micro_batch, all.limits.micro_batch);

  const Planned smallest = plan(0);
  EXPECT_EQ(smallest.storage.master, Place::host);
  EXPECT_EQ(smallest.recompute, Recompute::layers);
  EXPECT_EQ(smallest.limits.micro_batch, 1);
  EXPECT_THROW(require_memory(smallest.memory, CountedGpu(0), 0), UserError);
}

TEST_F(GpuPlan, Float32HasNoMasterToMove) {
  const Planned all = plan(kPlenty, "float32");
  const Planned less = plan(all.memory.total() - 1, "float32");
  EXPECT_EQ(less.storage.master, Place::arena);
  EXPECT_NE(less.recompute, Recompute::none);
}

TEST_F(GpuPlan, PagedMomentsLieOnTheHost) {
  const Planned here = plan(kPlenty);
  optim_ = "paged_adamw_32bit";
  const Planned paged = plan(kPlenty);
  EXPECT_EQ(paged.storage.moments, Place::host);
  EXPECT_EQ(paged.memory.disk, 0u);
  EXPECT_EQ(paged.memory.arena + paged.memory.host, here.memory.arena);
}

// What a run of so many steps plans on the CPU.
class CpuPlan : public lmpo::testing::SmallRun {
 protected:
  struct Planned {
    MemoryPlan memory;
    PackLimits limits;
  };
  static Planned plan(const TrainInputs& given, const ModelConfig& config) {
    const RunLength length(given.recipe, std::ssize(given.train.trees));
    const auto device = make_cpu_device();
    const auto ops = device->make_ops(Dtype::f32);
    const RunPlan plan(given, config, length, *device, *ops);
    return {plan.memory(), plan.train_limits()};
  }
  static Planned plan(const TrainInputs& given) {
    return plan(given, read_model_config(given.recipe.model_name_or_path));
  }
};

// A billion steps are planned from the data, not batch by batch: no pack of theirs is larger than
// the plan, because it would be cut.
TEST_F(CpuPlan, FollowsTheDataAndNotTheSteps) {
  TrainInputs given = inputs("planned");
  given.recipe.max_steps = 10;
  const Planned few = plan(given);
  EXPECT_TRUE(few.limits.planned.empty());  // all of it was looked at
  given.recipe.max_steps = kMostSteps;
  const Planned many = plan(given);
  ASSERT_FALSE(many.limits.planned.empty());
  EXPECT_GE(many.memory.arena, few.memory.arena);
  const ModelConfig config = read_model_config(given.recipe.model_name_or_path);
  const auto ops = make_cpu_ops();
  Sampler sampler(std::ssize(given.train.trees), {.global_batch = 8, .seed = 99});
  for (int step = 0; step < 2000; ++step) {
    LargestPacks largest;
    Trees batch;
    for (const std::int64_t index : sampler.next()) {
      batch.push_back(&given.train.trees[static_cast<std::size_t>(index)]);
    }
    for (const auto& pack : packs_of(batch, many.limits)) {
      PackSize size;
      for (const Tree* tree : pack) {
        size.add(size_of(*tree));
      }
      EXPECT_TRUE(std::ranges::any_of(many.limits.planned,
                                      [&](const PackSize& kept) { return kept.covers(size); }));
    }
  }
}

// Data in its own order repeats itself: one epoch is all there is to look at.
TEST_F(CpuPlan, AnOrderThatRepeatsNeedsOneEpoch) {
  TrainInputs given = inputs("planned");
  given.recipe.train_sampling_strategy = TrainRecipe::Sampling::sequential;
  given.recipe.max_steps = kMostSteps;
  EXPECT_TRUE(plan(given).limits.planned.empty());
  TrainInputs once = inputs("planned");
  once.recipe.train_sampling_strategy = TrainRecipe::Sampling::sequential;
  once.recipe.num_train_epochs = 1;
  EXPECT_EQ(plan(given).memory.arena, plan(once).memory.arena);
}

// Sample answers are in the plan, whoever makes it. Here they need more than a step does.
TEST_F(CpuPlan, HoldsTheSampleAnswers) {
  TrainInputs given = inputs("planned");
  given.recipe.recompute = "layers";
  given.recipe.per_device_train_batch_size = 1;
  given.recipe.per_device_eval_batch_size = 1;
  given.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(40));
  const std::size_t without = plan(given).memory.arena;
  given.recipe.eval_samples = 8;
  given.recipe.eval_sample_tokens = 60;
  EXPECT_GT(plan(given).memory.arena, without);
}

// What a plan for a GPU says against a model; "" where it says nothing.
std::string refusal_of_gpu(const TrainInputs& given, const ModelConfig& config) {
  const RunLength length(given.recipe, std::ssize(given.train.trees));
  CountedGpu device(std::size_t{1} << 40);
  const auto ops = device.make_ops(Dtype::bf16);
  try {
    const RunPlan planned(given, config, length, device, *ops);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST_F(CpuPlan, AModelTooWideForAGpuIsNamed) {
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  const TrainInputs given = inputs("planned");
  ModelConfig config = read_model_config(given.recipe.model_name_or_path);
  config.hidden_size = 8194;
  EXPECT_GT(plan(given, config).memory.arena, 0u);
  EXPECT_THAT(refusal_of_gpu(given, config),
              AllOf(HasSubstr("hidden_size"), HasSubstr("is 8194"), HasSubstr("--device cpu")));
}

// OLMo 2 normalizes the queries of all heads together.
TEST_F(CpuPlan, QueriesTooWideForAGpuAreNamed) {
  const TrainInputs given = inputs("planned");
  ModelConfig config = read_model_config(given.recipe.model_name_or_path);
  config.head_size = 512;
  config.heads = 17;
  config.key_heads = 1;
  EXPECT_EQ(refusal_of_gpu(given, config), "");
  config.query_key_norm = QueryKeyNorm::whole;
  EXPECT_THAT(refusal_of_gpu(given, config),
              ::testing::HasSubstr("where one norm takes all heads, is 8704"));
}

}  // namespace
}  // namespace lmpo::run_plan_test
