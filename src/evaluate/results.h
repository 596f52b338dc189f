// What an evaluation found, as the harness writes it: results_DATE.json, samples_TASK_DATE.jsonl, and
// its table. So its viewers and scripts read them. docs/howto-eval.md says what differs.
#pragma once

#include <string>

#include "base/json.h"
#include "evaluate/evaluation.h"

namespace lmpo {

// What the results say about the run, beside its options.
struct EvaluationFacts {
  std::string version;  // of lmpo
  fs::path model;
  std::string dtype;
  std::string device;
  std::int64_t parameters = 0;
  std::optional<std::string> chat_template = {};  // its text, where it was used
  double start = 0;                               // seconds since 1970
  double seconds = 0;                             // that it took
};

// The content of results_DATE.json.
ordered_json results_json(const EvaluationResult& result, const EvaluationOptions& options,
                          const EvaluationFacts& facts);
// The lines of samples_TASK_DATE.jsonl: one a document and filter.
std::string sample_lines(const TaskResult& task, const PromptStyle& style);
// A table in Markdown, as the harness prints it.
std::string results_table(const EvaluationResult& result);

// The folder of a model's results: OUTPUT/NAME, where what is no part of a file's name is "__".
fs::path results_folder(const fs::path& output, const fs::path& model);
// Writes the files above into that folder, which must exist.
void write_results(const fs::path& folder, const EvaluationResult& result,
                   const EvaluationOptions& options, const EvaluationFacts& facts,
                   bool with_samples);

}  // namespace lmpo
