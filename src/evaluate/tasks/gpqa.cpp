// GPQA: Rein et al., "A Graduate-Level Google-Proof Q&A Benchmark" (arXiv 2311.12022).
#include <array>

#include "base/python_random.h"
#include "evaluate/judge.h"
#include "evaluate/registry.h"
#include "evaluate/wiki_how.h"

namespace lmpo {
namespace {

constexpr std::array<const char*, 4> kAnswers = {"Incorrect Answer 1", "Incorrect Answer 2",
                                                 "Incorrect Answer 3", "Correct Answer"};

std::string cleaned(const Document& document, std::string_view key) {
  return document.has(key) && !document.row().at(std::string(key)).is_null()
             ? without_wiki_how_marks(document.text(key))
             : " ";
}

// The order of the choices is random. The harness draws it from Python's own generator, seeded with
// 0 at its start: the same where the task is asked alone and nothing is cached.
void shuffle_choices(std::vector<Document>& documents) {
  PythonRandom random(0);
  for (Document& document : documents) {
    std::vector<std::string> choices;
    for (const char* key : kAnswers) {
      choices.push_back(cleaned(document, key));
    }
    random.shuffle(choices);
    const std::int64_t gold = index_of(choices, cleaned(document, kAnswers[3]));
    for (std::size_t i = 0; i < choices.size(); ++i) {
      document.set("choice" + std::to_string(i + 1), choices[i]);
    }
    document.set("answer", std::string("(") + static_cast<char>('A' + gold) + ")");
  }
}

Asked ask_gpqa(const Document& document) {
  const std::vector<std::string> letters = {"(A)", "(B)", "(C)", "(D)"};
  std::string prompt =
      "What is the correct answer to this question:" + document.text("Question") + "\nChoices:\n";
  for (std::size_t i = 0; i < letters.size(); ++i) {
    prompt += letters[i] + " " + document.text("choice" + std::to_string(i + 1)) + "\n";
  }
  const std::string answer = document.text("answer");
  Asked asked = asked_choices(prompt + "Answer: ", letters, index_of(letters, answer));
  asked.target = answer;
  return asked;
}

TaskInfo gpqa(const std::string& part) {
  return {.name = "leaderboard_gpqa_" + part,
          .summary = "questions of experts that a search does not answer: " + part,
          .data = {.dataset = "Idavidrein/gpqa",
                   .config = "gpqa_" + part,
                   .split = "train",
                   .columns = {"Question", kAnswers[0], kAnswers[1], kAnswers[2], kAnswers[3]}},
          .fixed_examples = true,
          .prepare = shuffle_choices,
          .ask = ask_gpqa,
          .metrics = {{"acc_norm"}},
          .judge = judge_choices};
}

}  // namespace

std::vector<TaskInfo> gpqa_tasks() {
  return {gpqa("diamond"), gpqa("extended"), gpqa("main")};
}

std::vector<GroupInfo> gpqa_groups() {
  return {{.name = "leaderboard_gpqa",
           .summary = "all three parts of GPQA",
           .members = {"leaderboard_gpqa_diamond", "leaderboard_gpqa_extended",
                       "leaderboard_gpqa_main"},
           .metrics = {"acc_norm"}}};
}

}  // namespace lmpo
