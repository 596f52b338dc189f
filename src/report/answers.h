// Reads answers of models: samples of a run's evaluations and files of `lmpo generate`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/run.h"

namespace lmpo {

// The answers in a file of `lmpo generate`, written by --output (lists of responses) or from standard
// output (one per line). Other lines are skipped. UserError if no line is an answer.
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

// Adds the answers of an eval_samples.jsonl, then sorts all by step and index. Returns the number of
// lines that are not JSON.
std::int64_t read_samples(std::string_view text, std::vector<Answer>& answers);

}  // namespace lmpo
