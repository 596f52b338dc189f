#include "validate/checks.h"

namespace lmpo {

std::span<const Check> checks() {
  static constexpr Check all[] = {
      {check_tokenizer_size, true},
      {check_special_tokens},
      {check_chat_template},
      {check_positions, true},
      {check_drops},
      {check_truncation_of_rows},
      {check_identical_responses, true},
      {check_duplicates},
      {check_contradictions},
      {check_turn_ends},
      {check_plain_text},
      {check_boundary, true},
      {check_row_notes, true},
      {check_unused_columns, true},
      {check_labels, true},
      {check_overlap},
      {check_objective_named},
      {check_options_without_effect},
      {check_reference},
      {check_batches},
      {check_published_batch},
      {check_learning_rate},
      {check_beta},
      {check_warmup},
      {check_intervals},
      {check_memory, true},
      {check_disk},
      {check_processor},
  };
  return all;
}

Findings check_run(const RunFacts& facts, CheckedBy by) {
  Findings findings;
  for (const Check& check : checks()) {
    if (by == CheckedBy::validate || !check.said_by_training) {
      check.run(facts, findings);
    }
  }
  return findings;
}

}  // namespace lmpo
