#include "validate/facts.h"

#include <algorithm>
#include <limits>

#include "base/hash.h"
#include "tensor/arena.h"
#include "train/checkpoints.h"
#include "train/train_state.h"
#include "validate/output_folder.h"

namespace lmpo {
namespace {

std::string hash_of(std::span<const Sequence* const> sequences) {
  Hash hash;
  for (const Sequence* sequence : sequences) {
    hash.add(sequence->tokens.data(), sequence->tokens.size() * sizeof(TokenId));
    hash.add(static_cast<std::uint64_t>(sequence->scored_begin));
    if (!sequence->gaps.empty()) {
      hash.add(sequence->gaps.data(), sequence->gaps.size() * sizeof(TokenRun));
    }
  }
  return hash.text();
}

// The same row with the preference reversed; "" if it is no pair.
std::string hash_of_opposite(const Tree& tree) {
  if (tree.sequences.size() != 2) {
    return "";
  }
  return hash_of(std::vector<const Sequence*>{&tree.sequences[1], &tree.sequences[0]});
}

std::string hash_of_row(const Tree& tree) {
  std::vector<const Sequence*> sequences;
  for (const Sequence& sequence : tree.sequences) {
    sequences.push_back(&sequence);
  }
  return hash_of(sequences);
}

// Truncation leaves sequences of these sizes; others are whole (see truncation.h).
bool may_be_cut(const Tree& tree, const DataOptions& options) {
  return std::ranges::any_of(tree.sequences, [&](const Sequence& sequence) {
    const bool full = options.max_length && std::ssize(sequence.tokens) >= *options.max_length;
    const bool full_response = options.max_length && options.max_prompt_length &&
                               std::ssize(sequence.tokens) - sequence.scored_begin >=
                                   *options.max_length - *options.max_prompt_length;
    return full || full_response;
  });
}

void add_row(DataFacts& facts, const Tree& tree, bool labelled) {
  for (const Sequence& sequence : tree.sequences) {
    facts.longest = std::max<std::int64_t>(facts.longest, std::ssize(sequence.tokens));
  }
  facts.examples += labelled ? std::ssize(tree.sequences) : 1;
  if (const std::string opposite = hash_of_opposite(tree); !opposite.empty()) {
    facts.contradictions += facts.row_hashes.contains(opposite);
  }
  facts.duplicates += !facts.row_hashes.insert(hash_of_row(tree)).second;
}

std::uintmax_t size_of_folder(const fs::path& folder) {
  std::uintmax_t total = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    total += entry.is_regular_file() ? entry.file_size() : 0;
  }
  return total;
}

// What the run writes: from the very tensors, which take no memory here.
void add_sizes(DiskFacts& facts, const TrainRecipe& recipe, const ModelConfig& config) {
  Arena arena = Arena::counting();
  Arena moments = Arena::counting();
  const Dtype storage = recipe.dtype == "auto" ? config.dtype : parse_dtype(recipe.dtype);
  const Weights weights(config, storage, WeightUse::training, arena,
                        {.eight_bit_moments = recipe.eight_bit_moments(),
                         .moments = recipe.paged_moments() ? &moments : nullptr,
                         .freeze = recipe.freeze});
  for (const NamedParameter& named : weights.named()) {
    facts.model += named.parameter.value.bytes();
  }
  facts.checkpoint = facts.model + optimizer_bytes(weights);
  facts.paged = moments.peak();
}

// How many checkpoints, beside those that a resumed run finds.
void add_counts(DiskFacts& facts, const TrainRecipe& recipe, const RunLength& length) {
  std::int64_t start = 0;
  std::int64_t found = 0;
  if (!recipe.resume_from_checkpoint.empty()) {
    const fs::path resumed = find_checkpoint(recipe.resume_from_checkpoint, recipe.output_dir);
    for (const auto& [step, folder] : list_checkpoints(recipe.output_dir)) {
      start = fs::equivalent(folder, resumed) ? step : start;
      ++found;
    }
  }
  if (const std::int64_t end = length.total_steps; length.save_steps > 0 && start < end) {
    facts.written = end / length.save_steps - start / length.save_steps;
    facts.written += end % length.save_steps != 0;  // the last step is saved whatever its number
  }
  const std::int64_t limit = recipe.save_total_limit.value_or(facts.written + found);
  facts.most = std::clamp<std::int64_t>(limit + 1 - found, 0, facts.written);
  facts.kept = std::clamp<std::int64_t>(limit - found, 0, facts.written);
}

}  // namespace

DataFacts data_facts(const Dataset& dataset, const DataOptions& options, TurnEnds* ends) {
  DataFacts facts;
  facts.rows = dataset.rows;
  facts.kept = std::ssize(dataset.trees);
  facts.drops = dataset.drops;
  facts.truncated = dataset.truncated;
  facts.identical_after_truncation = dataset.identical_after_truncation;
  facts.token_spans_boundary = dataset.token_spans_boundary;
  facts.notes = dataset.notes;
  facts.unused_columns = dataset.unused_columns;
  facts.drop_advice = drop_advice(dataset, options);
  facts.conversations = dataset.conversations;
  facts.labels = count_labels(dataset.trees);
  for (const Tree& tree : dataset.trees) {
    add_row(facts, tree, options.kind == RowKind::labelled);
    if (ends != nullptr && !may_be_cut(tree, options)) {
      ends->add(tree.row, tree.sequences);
    }
  }
  if (ends != nullptr) {
    facts.turn_ends = ends->advice();
  }
  return facts;
}

std::uintmax_t DiskFacts::needed() const {
  const auto of = [&](std::int64_t checkpoints) {
    return static_cast<std::uintmax_t>(checkpoints) * checkpoint;
  };
  return paged + std::max(of(most), of(kept) + model);
}

DiskFacts disk_facts(const TrainRecipe& recipe, const ModelConfig& config,
                     const RunLength& length) {
  DiskFacts facts;
  std::error_code unknown;
  const fs::space_info space = fs::space(existing_parent(recipe.output_dir), unknown);
  facts.free = unknown ? std::numeric_limits<std::uintmax_t>::max() : space.available;
  if (recipe.overwrite_output_dir && recipe.resume_from_checkpoint.empty() &&
      fs::is_directory(recipe.output_dir)) {
    for (const auto& [step, folder] : list_checkpoints(recipe.output_dir)) {
      facts.freed += size_of_folder(folder);
    }
  }
  add_sizes(facts, recipe, config);
  add_counts(facts, recipe, length);
  return facts;
}

std::string RunFacts::where(std::string_view option) const {
  return places.given(option) ? places.place(option) : fmt::format("{} (default)", option);
}

std::vector<const DataFacts*> RunFacts::data() const {
  std::vector<const DataFacts*> all;
  for (const std::optional<DataFacts>* facts : {&train, &evaluation}) {
    if (*facts) {
      all.push_back(&**facts);
    }
  }
  return all;
}

}  // namespace lmpo
