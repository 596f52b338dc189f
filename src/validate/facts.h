// What is known of a run before it starts: what the checks look at.
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

// Of the training or the evaluation data, as training will see it.
struct DataFacts {
  std::string what;    // "train data"
  std::string option;  // that names it: "dataset"
  std::int64_t rows = 0;
  std::int64_t kept = 0;
  std::int64_t examples = 0;  // that training makes of them: kto two of a pair
  DropCounts drops;
  // Of the kept.
  std::int64_t truncated = 0;
  std::int64_t identical_after_truncation = 0;
  std::int64_t token_spans_boundary = 0;
  NoteCounts notes;
  UnusedColumns unused_columns;
  std::string drop_advice;  // what would keep rows that truncation dropped
  std::int64_t conversations = 0;
  std::int64_t approved = 0;  // kto's
  std::int64_t longest = 0;   // tokens of a sequence
  // Rows of the same tokens as an earlier one, and those in which it is the other response that is
  // preferred.
  std::int64_t duplicates = 0;
  std::int64_t contradictions = 0;
  std::vector<Advice> turn_ends;
  std::unordered_set<std::string> row_hashes;
};

// A dataset's, before training adds to its trees. `ends` looks at the rows that are not cut, and
// may be null.
DataFacts data_facts(const Dataset& dataset, const DataOptions& options, TurnEnds* ends);

struct MemoryFacts {
  MemoryPlan plan;
  std::size_t allowed = 0;       // by max_memory, or what the device can give
  std::size_t host_allowed = 0;  // of a GPU's run
  std::string device;            // "cpu", or the GPU's name
  std::string recompute;
  std::int64_t computed_at_once = 0;  // examples
};

// Bytes where output_dir lies.
struct DiskFacts {
  std::uintmax_t free = 0;        // now
  std::uintmax_t freed = 0;       // of it, what the run removes of an earlier one
  std::uintmax_t model = 0;       // the final one
  std::uintmax_t checkpoint = 0;  // each: a model and its optimizer's state
  std::uintmax_t paged = 0;       // moments in a file
  std::int64_t written = 0;       // checkpoints in all
  std::int64_t most = 0;          // of them there at once; kept: in the end
  std::int64_t kept = 0;

  std::uintmax_t needed() const;
};

// What this run will write, exact but for texts. UserError for a checkpoint to resume from that is
// not there.
DiskFacts disk_facts(const TrainRecipe& recipe, const ModelConfig& config, const RunLength& length);

struct MachineFacts {
  bool computes_on_cpu = true;
  bool has_unused_gpu = false;
  // The rate of products with factors in bfloat16, by that of float32; 0: not measured.
  double bfloat16_rate = 0;
  std::int64_t processors = 0;
};

// Absent is what could not be read, or was not asked for; a check passes over it.
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
  // The data sets that there are.
  std::vector<const DataFacts*> data() const;
};

}  // namespace lmpo
