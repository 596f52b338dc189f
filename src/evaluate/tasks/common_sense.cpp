// Choices among continuations, a line of words each: HellaSwag (arXiv 1905.07830), PIQA (arXiv
// 1911.11641), BoolQ (arXiv 1905.10044).
#include "evaluate/judge.h"
#include "evaluate/registry.h"
#include "evaluate/wiki_how.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

Asked ask_hellaswag(const Document& document) {
  const std::string context =
      document.text("ctx_a") + " " + jinja::capitalize(document.text("ctx_b"));
  std::vector<std::string> endings = document.texts("endings");
  for (std::string& ending : endings) {
    ending = without_wiki_how_marks(ending);
  }
  return asked_choices(without_wiki_how_marks(document.text("activity_label") + ": " + context),
                       std::move(endings), document.number("label"));
}

Asked ask_piqa(const Document& document) {
  return asked_choices("Question: " + document.text("goal") + "\nAnswer:",
                       {document.text("sol1"), document.text("sol2")}, document.number("label"));
}

Asked ask_boolq(const Document& document) {
  return asked_choices(
      document.text("passage") + "\nQuestion: " + document.text("question") + "?\nAnswer:",
      {"no", "yes"}, document.number("label"));
}

TaskInfo of_validation(std::string name, std::string summary, std::string dataset,
                       std::string config, std::vector<std::string> columns,
                       Asked (*ask)(const Document&)) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .data = {.dataset = std::move(dataset),
                   .config = std::move(config),
                   .split = "validation",
                   .example_split = "train",
                   .columns = std::move(columns)},
          .draws_one_more = true,
          .ask = ask,
          .metrics = {{"acc"}, {"acc_norm"}},
          .judge = judge_choices};
}

}  // namespace

std::vector<TaskInfo> common_sense_tasks() {
  TaskInfo boolq =
      of_validation("boolq", "questions about a passage, answered by yes or no", "aps/super_glue",
                    "boolq", {"question", "passage", "idx", "label"}, ask_boolq);
  boolq.version = "2.0";
  boolq.metrics = {{"acc"}};
  return {of_validation("hellaswag", "how everyday scenes go on", "Rowan/hellaswag", "",
                        {"ind", "activity_label", "ctx_a", "ctx_b", "ctx", "endings", "source_id",
                         "split", "split_type", "label"},
                        ask_hellaswag),
          of_validation("piqa", "how to do things in the physical world", "baber/piqa", "",
                        {"goal", "sol1", "sol2", "label"}, ask_piqa),
          std::move(boolq)};
}

}  // namespace lmpo
