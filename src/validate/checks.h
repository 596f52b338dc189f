// The checks of a run, each a function that reads the facts and adds its findings. Checks keep no
// state and may run in any thread.
//
// A new check: write it in the file of its subject, list it in checks.cpp, and test it on facts with
// the fault and facts without it.
#pragma once

#include <span>

#include "validate/facts.h"
#include "validate/finding.h"

namespace lmpo {

struct Check {
  void (*run)(const RunFacts& facts, Findings& findings);
  // `lmpo train` reports the same by itself.
  bool said_by_training = false;
};

// All checks, in the order of their findings.
std::span<const Check> checks();

// Runs all checks; for training, those that it does not make by itself.
enum class CheckedBy { validate, training };
Findings check_run(const RunFacts& facts, CheckedBy by);

// The model: model_checks.cpp.
void check_tokenizer_size(const RunFacts& facts, Findings& findings);
void check_special_tokens(const RunFacts& facts, Findings& findings);
void check_chat_template(const RunFacts& facts, Findings& findings);
void check_positions(const RunFacts& facts, Findings& findings);

// The data: data_checks.cpp.
void check_drops(const RunFacts& facts, Findings& findings);
void check_truncation_of_rows(const RunFacts& facts, Findings& findings);
void check_identical_responses(const RunFacts& facts, Findings& findings);
void check_duplicates(const RunFacts& facts, Findings& findings);
void check_contradictions(const RunFacts& facts, Findings& findings);
void check_turn_ends(const RunFacts& facts, Findings& findings);
void check_plain_text(const RunFacts& facts, Findings& findings);
void check_boundary(const RunFacts& facts, Findings& findings);
void check_row_notes(const RunFacts& facts, Findings& findings);
void check_unused_columns(const RunFacts& facts, Findings& findings);
void check_labels(const RunFacts& facts, Findings& findings);
void check_overlap(const RunFacts& facts, Findings& findings);

// The options: option_checks.cpp.
void check_objective_named(const RunFacts& facts, Findings& findings);
void check_options_without_effect(const RunFacts& facts, Findings& findings);
void check_reference(const RunFacts& facts, Findings& findings);

// Steps and learning rate: schedule_checks.cpp.
void check_batches(const RunFacts& facts, Findings& findings);
void check_published_batch(const RunFacts& facts, Findings& findings);
void check_learning_rate(const RunFacts& facts, Findings& findings);
void check_beta(const RunFacts& facts, Findings& findings);
void check_warmup(const RunFacts& facts, Findings& findings);
void check_intervals(const RunFacts& facts, Findings& findings);

// The machine: machine_checks.cpp.
void check_memory(const RunFacts& facts, Findings& findings);
void check_disk(const RunFacts& facts, Findings& findings);
void check_processor(const RunFacts& facts, Findings& findings);

}  // namespace lmpo
