#include "evaluate/task_run.h"

#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "base/python_random.h"
#include "evaluate/examples.h"
#include "evaluate/task_files.h"

namespace lmpo {
namespace {

constexpr std::uint64_t kSeedOf2023 = 42;

std::int64_t limited(double limit, std::int64_t available) {
  if (limit == 0) {
    return available;
  }
  const double wanted = limit < 1 ? std::ceil(static_cast<double>(available) * limit) : limit;
  return std::min(available, static_cast<std::int64_t>(wanted));
}

std::int64_t examples_of(const TaskInfo& task, const EvaluationOptions& options) {
  if (options.examples && task.fixed_examples && *options.examples != task.examples) {
    log_warning("{}: the task always has {} examples; the number asked for is not used", task.name,
                task.examples);
  }
  return task.fixed_examples ? task.examples : options.examples.value_or(task.examples);
}

std::vector<Document> example_pool(const TaskInfo& task, const EvaluationOptions& options) {
  std::vector<Document> pool;
  if (!task.own_examples.empty()) {
    for (const ordered_json& example : task.own_examples) {
      pool.emplace_back(example, fmt::format("{}: example {}", task.name, pool.size()));
    }
    return pool;
  }
  const std::string& split =
      task.data.example_split.empty() ? task.data.split : task.data.example_split;
  pool = read_documents(task, split, options.data);
  if (task.prepare) {
    task.prepare(pool);
  }
  return pool;
}

void warn_of_missing_gold(const TaskResult& result) {
  const auto without = std::ranges::count_if(
      result.documents, [](const EvaluatedDocument& one) { return one.asked.gold < 0; });
  if (without > 0) {
    log_warning("{}: in {} documents the right answer is none of the choices; they count as wrong",
                result.task->name, without);
  }
}

}  // namespace

Asked ask_document(const TaskInfo& task, const Document& document) {
  Asked asked = task.ask(document);
  if (!task.decoding && !task.whole_text && asked.choices.empty()) {
    user_error("{}: the row has no choices", document.place());
  }
  return asked;
}

TaskResult ask_task(const TaskInfo& task, const EvaluationOptions& options, const TextModel& text) {
  std::vector<Document> documents = read_documents(task, task.data.split, options.data);
  if (task.prepare) {
    task.prepare(documents);
    if (documents.empty()) {
      user_error("{}: none of the rows of its data count", task.name);
    }
  }
  TaskResult result{
      .task = &task, .examples = examples_of(task, options), .available = std::ssize(documents)};
  // In June 2023 one generator shuffled the documents and then drew the examples.
  PythonRandom random(options.harness == Harness::current
                          ? static_cast<std::uint64_t>(options.example_seed)
                          : kSeedOf2023);
  if (options.harness == Harness::open_llm_v1) {
    random.shuffle(documents);
  }
  ExampleSource examples(
      task, result.examples,
      result.examples == 0 ? std::vector<Document>() : example_pool(task, options), random);
  documents.erase(documents.begin() + limited(options.limit, result.available), documents.end());
  for (Document& document : documents) {
    std::vector<Asked> shown;
    for (const Document* example : examples.next(document)) {
      shown.push_back(ask_document(task, *example));
    }
    EvaluatedDocument& one = result.documents.emplace_back(
        EvaluatedDocument{.document = std::move(document), .asked = {}});
    one.asked = ask_document(task, one.document);
    one.contexts =
        task.whole_text ? one.asked.prompts : contexts(task, one.asked, shown, options.style, text);
  }
  warn_of_missing_gold(result);
  return result;
}

std::string continuation_of(const Asked& asked, std::size_t request, const PromptStyle& style) {
  return std::string(choice_delimiter(style)) +
         asked.choices[asked.choices.size() == 1 ? 0 : request];
}

void judge_task(TaskResult& result) {
  std::vector<std::vector<Judgement>> judgements;
  for (EvaluatedDocument& one : result.documents) {
    one.judgements = result.task->judge(one.document, one.asked, one.replies);
    judgements.push_back(one.judgements);
  }
  result.metrics = aggregate(*result.task, judgements);
}

}  // namespace lmpo
