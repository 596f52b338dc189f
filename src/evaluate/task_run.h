// A task on its way: documents with their prompts, then with replies, then judged.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/metrics.h"
#include "evaluate/prompt.h"
#include "evaluate/registry.h"
#include "text/text_model.h"

namespace lmpo {

struct EvaluationOptions {
  std::vector<std::string> tasks;
  Harness harness = Harness::current;
  std::vector<fs::path> data;                 // where documents are looked for, see task_files.h
  std::optional<std::int64_t> examples = {};  // instead of each task's own number
  double limit = 0;                           // documents of a task; below 1 a share; 0: all
  std::int64_t example_seed = 1234;
  PromptStyle style = {};
  std::int64_t max_length = 0;  // tokens that the model reads at a time; 0: as config.json says
  std::int64_t batch_size = 16;
};

// One document of a task, from the question to its judgement.
struct EvaluatedDocument {
  Document document;
  Asked asked;
  std::vector<std::string> contexts = {};  // of its prompts
  std::vector<std::string> keys = {};      // of its requests, for the replies
  std::vector<Reply> replies = {};
  std::vector<Judgement> judgements = {};

  std::size_t requests() const { return std::max(contexts.size(), asked.choices.size()); }
  const std::string& context(std::size_t request) const {
    return contexts[contexts.size() == 1 ? 0 : request];
  }
};

struct TaskResult {
  const TaskInfo* task;
  std::int64_t examples = 0;
  std::int64_t available = 0;  // documents, before the limit
  std::vector<EvaluatedDocument> documents = {};
  std::vector<MetricResult> metrics = {};
};

// The document as the task puts it. UserError where it is of another kind.
Asked ask_document(const TaskInfo& task, const Document& document);
// Reads documents and examples and makes the contexts. UserError where data is missing or of another
// kind; see also examples.h and prompt.h.
TaskResult ask_task(const TaskInfo& task, const EvaluationOptions& options, const TextModel& text);
// The text that follows the context in a request: a choice with its delimiter.
std::string continuation_of(const Asked& asked, std::size_t request, const PromptStyle& style);
// Judges all documents, which have their replies, and aggregates.
void judge_task(TaskResult& result);

}  // namespace lmpo
