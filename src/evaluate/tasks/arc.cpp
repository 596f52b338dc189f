// ARC: Clark et al., "Think you have Solved Question Answering? Try ARC" (arXiv 1803.05457).
#include "evaluate/judge.h"
#include "evaluate/registry.h"

namespace lmpo {
namespace {

Asked ask_arc(const Document& document) {
  const Document choices = document.part("choices");
  return asked_choices(
      "Question: " + document.text("question") + "\nAnswer:", choices.texts("text"),
      index_of(choices.texts("label"), document.text("answerKey")));
}

TaskInfo arc(std::string name, std::string config) {
  return {.name = std::move(name),
          .summary = "science questions of schools, " + config,
          .data = {.dataset = "allenai/ai2_arc",
                   .config = std::move(config),
                   .split = "test",
                   .example_split = "train",
                   .columns = {"id", "question", "choices", "answerKey"}},
          .ask = ask_arc,
          .metrics = {{"acc"}, {"acc_norm"}},
          .judge = judge_choices};
}

}  // namespace

std::vector<TaskInfo> arc_tasks() {
  return {arc("arc_challenge", "ARC-Challenge"), arc("arc_easy", "ARC-Easy")};
}

}  // namespace lmpo
