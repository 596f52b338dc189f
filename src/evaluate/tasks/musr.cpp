// MuSR: Sprague et al., "Testing the Limits of Chain-of-thought with Multistep Soft Reasoning"
// (arXiv 2310.16049).
#include "evaluate/judge.h"
#include "evaluate/python_list.h"
#include "evaluate/registry.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

Asked ask_musr(const Document& document) {
  const auto choices = python_list_of_texts(document.text("choices"));
  if (!choices || choices->empty()) {
    document.refuse("choices", "a list of texts, as Python writes it");
  }
  std::string prompt = document.text("narrative") + "\n\n" + document.text("question") + "\n\n";
  for (std::size_t i = 0; i < choices->size(); ++i) {
    prompt += std::to_string(i + 1) + " - " + (*choices)[i] + "\n";
  }
  const std::string answer = document.text("answer_choice");
  Asked asked = asked_choices(prompt + "\nAnswer:", *choices, index_of(*choices, answer));
  asked.answer = answer;
  asked.target = answer;
  return asked;
}

TaskInfo musr(const std::string& part) {
  return {
      .name = "leaderboard_musr_" + part,
      .summary = "long stories with a question: " + jinja::replace(part, "_", " ", -1),
      .data = {.dataset = "TAUR-Lab/MuSR",
               .split = part,
               .columns = {"narrative", "question", "choices", "answer_index", "answer_choice"}},
      .ask = ask_musr,
      .metrics = {{"acc_norm"}},
      .judge = judge_choices};
}

}  // namespace

std::vector<TaskInfo> musr_tasks() {
  return {musr("murder_mysteries"), musr("object_placements"), musr("team_allocation")};
}

std::vector<GroupInfo> musr_groups() {
  return {{.name = "leaderboard_musr",
           .summary = "all three kinds of stories",
           .members = {"leaderboard_musr_murder_mysteries", "leaderboard_musr_object_placements",
                       "leaderboard_musr_team_allocation"},
           .metrics = {"acc_norm"}}};
}

}  // namespace lmpo
