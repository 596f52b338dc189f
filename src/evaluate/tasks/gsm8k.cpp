// GSM8K: Cobbe et al., "Training Verifiers to Solve Math Word Problems" (arXiv 2110.14168).
#include "evaluate/registry.h"
#include "grade/answer_filters.h"

namespace lmpo {
namespace {

Judgement exact_match(std::string filter, std::string taken, const std::string& answer) {
  const bool equal = grade::gsm8k_exact_match().equal(taken, answer);
  return {.filter = std::move(filter),
          .taken = {std::move(taken)},
          .metrics = {{"exact_match", {equal ? 1.0 : 0.0}}}};
}

std::vector<Judgement> judge_gsm8k(const Document&, const Asked& asked,
                                   std::span<const Reply> replies) {
  const std::string& text = *replies[0].text;
  return {
      exact_match("strict-match", grade::gsm8k_strict_match().apply(text), asked.answer),
      exact_match("flexible-extract", grade::gsm8k_flexible_extract().apply(text), asked.answer)};
}

Asked ask_gsm8k(const Document& document) {
  return {.prompts = {"Question: " + document.text("question") + "\nAnswer:"},
          .answer = document.text("answer")};
}

// Of June 2023: the numbers after the marks, without commas, are equal.
std::vector<Judgement> judge_gsm8k_2023(const Document& document, const Asked& asked,
                                        std::span<const Reply> replies) {
  const auto number = [](std::string_view text) {
    std::string marked = grade::gsm8k_strict_match().apply(text);
    std::erase(marked, ',');
    return marked;
  };
  const std::string gold = number(asked.answer);
  if (gold == "[invalid]") {
    document.refuse("answer", "a text with #### and the final number");
  }
  return {{.metrics = {{"acc", {number(*replies[0].text) == gold ? 1.0 : 0.0}}}}};
}

TaskInfo gsm8k() {
  return {.name = "gsm8k",
          .summary = "word problems of school mathematics, answered in steps",
          .version = "3.0",
          .data = {.dataset = "openai/gsm8k",
                   .config = "main",
                   .split = "test",
                   .example_split = "train",
                   .columns = {"question", "answer"}},
          .examples = 5,
          .ask = ask_gsm8k,
          .decoding = Decoding{.until = {"Question:", "</s>", "<|im_end|>"}},
          .metrics = {{"exact_match"}},
          .judge = judge_gsm8k};
}

}  // namespace

std::vector<TaskInfo> gsm8k_tasks() {
  return {gsm8k()};
}

// The colon ends an answer: many a text is cut there, and the leaderboard's numbers are so.
TaskInfo gsm8k_of_2023() {
  TaskInfo task = gsm8k();
  task.version = "0";
  task.decoding = Decoding{.until = {":", "Question:", "Question"}};
  task.metrics = {{"acc"}};
  task.judge = judge_gsm8k_2023;
  return task;
}

}  // namespace lmpo
