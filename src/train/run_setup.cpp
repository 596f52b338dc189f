#include "train/run_setup.h"

#include "base/cache_folder.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "train/checkpoints.h"
#include "train/reference.h"

namespace lmpo {
namespace {

std::optional<fs::path> checkpoint_to_resume(const TrainRecipe& recipe) {
  if (recipe.resume_from_checkpoint.empty()) {
    return std::nullopt;
  }
  return find_checkpoint(recipe.resume_from_checkpoint, recipe.output_dir);
}

}  // namespace

RunSetup::RunSetup(TrainInputs given)
    : inputs(std::move(given)),
      resume(checkpoint_to_resume(recipe())),
      weights_folder(resume.value_or(recipe().model_name_or_path)),
      config(read_model_config(weights_folder)),
      length(recipe(), std::ssize(inputs.train.trees)),
      objective(make_objective(recipe().objective, recipe().objective_options)),
      device(open_device(recipe().device)),
      device_ops(device->make_ops(compute_type(*device, recipe().compute))),
      ops(make_timed_ops(*device_ops, times)),
      samples(inputs, config),
      plan(inputs, config, length, *device, *ops) {}

void RunSetup::score_reference() {
  if (!objective->needs_reference()) {
    return;
  }
  const ReferenceOptions options = {
      .model =
          recipe().reference_model.empty() ? recipe().model_name_or_path : recipe().reference_model,
      .storage = plan.storage().weights,
      .device = device,
      .compute = compute_type(*device, recipe().compute),
      .cache = recipe().reference_cache.empty() ? default_cache_folder() : recipe().reference_cache,
      .bar = !recipe().disable_tqdm};
  add_reference_logps(inputs.train.trees, plan.first_epoch(), options, "train data");
  if (inputs.evaluation) {
    std::vector<Tree>& trees = inputs.evaluation->trees;
    add_reference_logps(trees, packs_of(pointers(trees), plan.eval_limits()), options,
                        "evaluation data");
  }
}

void RunSetup::load_model() {
  const Checkpoint checkpoint = Checkpoint::open(weights_folder);
  check_tensors(config, checkpoint);
  const StoragePlan& storage = plan.storage();
  arena.emplace(device->make_arena(plan.memory().arena));
  if (const std::size_t bytes = plan.memory().disk + plan.memory().host; bytes > 0) {
    fs::create_directories(recipe().output_dir);
    paged.emplace(device->make_paged_arena(bytes, recipe().output_dir));
  }
  Arena* const elsewhere = paged ? &*paged : nullptr;
  weights.emplace(config, storage.weights, WeightUse::training, *arena,
                  storage.optimizer(elsewhere, elsewhere));
  weights->load(checkpoint, *ops);
  weights->zero_moments(*ops);
  model.emplace(*weights, *ops, *arena, plan.model_options());
}

}  // namespace lmpo
