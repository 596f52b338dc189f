// A training run small enough for tests: a random model of src/model/testdata and random pairs.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "io/safetensors.h"
#include "objective/registry.h"
#include "train/trainer.h"

namespace lmpo::testing {

inline fs::path small_model(const std::string& name = "llama") {
  return source_folder() / "src/model/testdata" / name;
}

inline void append_tokens(std::vector<std::int32_t>& tokens, std::int64_t count, Random& random) {
  for (std::int64_t i = 0; i < count; ++i) {
    tokens.push_back(3 + static_cast<std::int32_t>(random.below(44)));
  }
}

// Trees of `responses` responses after a prompt; lengths vary, some responses begin alike.
inline std::vector<Tree> random_trees(std::int64_t count, int responses = 2) {
  std::vector<Tree> trees;
  for (std::int64_t row = 0; row < count; ++row) {
    Random random(5, static_cast<std::uint64_t>(row));
    Tree tree;
    tree.row = row;
    std::vector<std::int32_t> prompt;
    append_tokens(prompt, 1 + static_cast<std::int64_t>(random.below(20)), random);
    std::vector<std::int32_t> beginning = prompt;
    append_tokens(beginning, static_cast<std::int64_t>(random.below(4)), random);
    for (int i = 0; i < responses; ++i) {
      std::vector<std::int32_t> tokens = beginning;
      append_tokens(tokens, 1 + static_cast<std::int64_t>(random.below(15)), random);
      tree.sequences.push_back({tokens, static_cast<std::int32_t>(prompt.size())});
    }
    trees.push_back(tree);
  }
  return trees;
}

inline Dataset dataset_of(std::vector<Tree> trees) {
  Dataset dataset;
  dataset.rows = static_cast<std::int64_t>(trees.size());
  dataset.trees = std::move(trees);
  return dataset;
}

class SmallRun : public FolderTest {
 protected:
  // Twenty steps of eight pairs, two epochs, into folder_/name.
  TrainInputs inputs(const std::string& name, const std::string& objective = "lmpo") const {
    TrainInputs result;
    TrainRecipe& recipe = result.recipe;
    recipe.model_name_or_path = small_model();
    recipe.output_dir = folder_ / name;
    recipe.objective = objective;
    recipe.objective_options = find_objective(objective).defaults;
    recipe.reference_cache = folder_ / "cache";
    recipe.learning_rate = 1e-3;
    recipe.lr_scheduler_type = TrainRecipe::Scheduler::cosine;
    recipe.warmup_ratio = 0.1;
    recipe.num_train_epochs = 2;
    recipe.logging_steps = 1;
    recipe.eval_samples = 0;  // the model has no tokenizer
    recipe.save_strategy = TrainRecipe::Strategy::no;
    result.train = dataset_of(random_trees(80, objective == "sft" ? 1 : 2));
    return result;
  }

  json state(const std::string& name) const {
    return read_json(folder_ / name / "trainer_state.json");
  }

  // Of the trained model, one tensor after another.
  std::vector<float> weights(const std::string& name) const {
    const SafetensorsFile file(folder_ / name / "model.safetensors");
    std::vector<float> all;
    for (const StoredTensor& stored : file.tensors()) {
      const TensorView tensor = file.tensor(stored.name);
      std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
      read_as_float(tensor, 0, values);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

  std::vector<double> losses(const std::string& name) const {
    std::vector<double> result;
    const json saved = state(name);
    for (const json& entry : saved.at("log_history")) {
      if (entry.contains("loss")) {
        result.push_back(entry["loss"]);
      }
    }
    return result;
  }
};

}  // namespace lmpo::testing
