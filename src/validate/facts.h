// What is known about a run before it starts: the input of the checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "data/dataset.h"
#include "inspect/checkpoint_facts.h"
#include "inspect/turn_ends.h"
#include "model/config.h"
#include "recipe/setting_places.h"
#include "recipe/train_recipe.h"
#include "train/memory_plan.h"
#include "train/run_length.h"

namespace lmpo {

// The training or evaluation data as training will see it.
struct DataFacts {
  std::string what;    // "train data"
  std::string option;  // the option that names it: "dataset"
  std::int64_t rows = 0;
  std::int64_t kept = 0;
  std::int64_t examples = 0;  // kto makes two of a pair
  DropCounts drops;
  // Counts of kept rows.
  std::int64_t truncated = 0;
  std::int64_t identical_after_truncation = 0;
  std::int64_t token_spans_boundary = 0;
  NoteCounts notes;
  UnusedColumns unused_columns;
  std::string drop_advice;  // how to keep the rows that truncation dropped
  std::int64_t conversations = 0;
  LabelCounts labels;        // for kto
  std::int64_t longest = 0;  // tokens of the longest sequence
  // Rows with the same tokens as an earlier one, and rows that prefer the other response of an
  // earlier one.
  std::int64_t duplicates = 0;
  std::int64_t contradictions = 0;
  std::vector<Advice> turn_ends;
  std::unordered_set<std::string> row_hashes;
};

// The facts of a dataset before training adds to its trees. `ends`, which may be null, sees the rows
// that are not truncated.
DataFacts data_facts(const Dataset& dataset, const DataOptions& options, TurnEnds* ends);

struct MemoryFacts {
  MemoryPlan plan;
  std::size_t allowed = 0;       // bytes: max_memory, or what is free on the device
  std::size_t host_allowed = 0;  // host memory of a run on a GPU
  std::string device;            // "cpu", or the GPU's name
  std::string recompute;
  std::int64_t micro_batch = 0;  // its size in examples
};

// Bytes on the disk of output_dir.
struct DiskFacts {
  std::uintmax_t free = 0;        // now
  std::uintmax_t freed = 0;       // by removing an earlier run
  std::uintmax_t model = 0;       // the final model
  std::uintmax_t checkpoint = 0;  // one model with its optimizer state
  std::uintmax_t paged = 0;       // optimizer moments in a file
  std::int64_t written = 0;       // checkpoints in total
  std::int64_t most = 0;          // checkpoints at a time; kept: at the end
  std::int64_t kept = 0;

  std::uintmax_t needed() const;
};

// What the run will write, exact but for text files. UserError if the checkpoint to resume from is
// missing.
DiskFacts disk_facts(const TrainRecipe& recipe, const ModelConfig& config, const RunLength& length);

struct MachineFacts {
  bool computes_on_cpu = true;
  bool has_unused_gpu = false;
  // Rate of bfloat16 matrix products divided by that of float32 ones; 0: not measured.
  double bfloat16_rate = 0;
  std::int64_t processors = 0;
};

// A fact is absent if it could not be read or was not asked for; checks skip it.
struct RunFacts {
  // The recipe must outlive it.
  RunFacts(const TrainRecipe& the_recipe, SettingPlaces the_places)
      : recipe(the_recipe), places(std::move(the_places)) {}

  const TrainRecipe& recipe;
  SettingPlaces places;
  std::optional<ModelConfig> model;
  std::optional<TextFacts> text;
  std::optional<DataFacts> train;
  std::optional<DataFacts> evaluation;
  std::optional<RunLength> length;
  std::optional<MemoryFacts> memory;
  std::optional<DiskFacts> disk;
  std::optional<MachineFacts> machine;
  std::optional<bool> needs_reference;

  // "recipe.yaml:7: beta", "--beta", "beta (default)".
  std::string where(std::string_view option) const;
  // The data sets that are present.
  std::vector<const DataFacts*> data() const;
};

}  // namespace lmpo
