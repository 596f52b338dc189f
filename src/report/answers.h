// Answers of models: samples of a run's evaluations, files of `lmpo generate`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/run.h"

namespace lmpo {

// The answers of a file of `lmpo generate`: with --output (lists of responses) or from standard
// output (one a line). Lines that are no answers are passed over. UserError where no line is one.
std::vector<Answer> read_answers(const fs::path& file);

// Answers that belong to no run.
struct AnswerSet {
  std::string name;
  std::vector<Answer> answers;
};
// The files of `texts`, "NAME=FILE" or a file that gives its own name. All names differ from one
// another and from those of the runs. UserError as read_answers.
std::vector<AnswerSet> read_answer_sets(std::span<const std::string> texts,
                                        std::span<const Run> runs);

// Adds those of an eval_samples.jsonl, then sorts all by step and index. Returns how many lines are
// not JSON.
std::int64_t read_samples(std::string_view text, std::vector<Answer>& answers);

}  // namespace lmpo
