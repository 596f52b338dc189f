#include "judge/program_judge.h"

#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/progress.h"
#include "judge/piped_program.h"

namespace lmpo {
namespace {

ordered_json question_of(const JudgeCase& each) {
  return {{"instruction", each.instruction}, {"first", each.first}, {"second", each.second}};
}

// Asks what the store lacks. `check` refuses what is no answer.
class ProgramAnswers {
 public:
  ProgramAnswers(const std::string& command, AnswerStore& store, std::span<const JudgeCase> cases)
      : command_(command), store_(store), answers_(cases.size()) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      ordered_json question = question_of(cases[i]);
      keys_.push_back(AnswerStore::key_of(command, question));
      if (auto kept = store.find(keys_.back())) {
        answers_[i] = std::move(*kept);
        continue;
      }
      ordered_json line = {{"index", i}};
      line.update(question);
      input_ += json_line(line) + "\n";
    }
  }

  template <typename Check>
  std::vector<ordered_json> ask(const Check& check) {
    if (!input_.empty()) {
      Progress progress({.what = "judge", .unit = "answers", .total = std::ssize(answers_)});
      std::int64_t number = 0;
      const int status = run_piped(command_, input_, [&](std::string_view line) {
        take(line, fmt::format("--judge_program, line {}", ++number), check);
        progress.step(1, 0);
      });
      require_all(status);
    }
    std::vector<ordered_json> all;
    for (std::optional<ordered_json>& answer : answers_) {
      all.push_back(std::move(*answer));
    }
    return all;
  }

 private:
  template <typename Check>
  void take(std::string_view line, const std::string& place, const Check& check) {
    const ordered_json answer = parse_ordered_json(line, place);
    const auto index = required<std::int64_t>(json(answer), "index", place);
    if (index < 0 || index >= std::ssize(answers_)) {
      user_error("{}: key 'index': there is no question {}", place, index);
    }
    check(answer, place);
    const auto i = static_cast<std::size_t>(index);
    if (answers_[i]) {
      user_error("{}: question {} has its answer already", place, index);
    }
    answers_[i] = answer;
    store_.add(keys_[i], answer);
  }

  void require_all(int status) const {
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < answers_.size(); ++i) {
      if (!answers_[i]) {
        missing.push_back(i);
      }
    }
    if (!missing.empty()) {
      const auto shown = std::min<std::ptrdiff_t>(5, std::ssize(missing));
      user_error(
          "--judge_program: {} of {} questions have no answer: {}{}; it ended with status {}",
          missing.size(), answers_.size(),
          fmt::join(missing.begin(), missing.begin() + shown, ", "),
          std::ssize(missing) > shown ? ", ..." : "", status);
    }
    if (status != 0) {
      user_error("--judge_program: the program ended with status {}", status);
    }
  }

  const std::string& command_;
  AnswerStore& store_;
  std::vector<std::string> keys_;
  std::vector<std::optional<ordered_json>> answers_;
  std::string input_;
};

void check_preference(const ordered_json& answer, const std::string& place) {
  const auto found = answer.find("preference");
  const bool is_none = found != answer.end() && found->is_null();
  const bool is_number = found != answer.end() && found->is_number() && found->get<double>() >= 1 &&
                         found->get<double>() <= 2;
  if (!is_none && !is_number) {
    user_error(
        "{}: key 'preference': a number from 1 (the first is better) to 2 was expected, or null",
        place);
  }
}

bool holds_text(const ordered_json& answer, const char* key) {
  return answer.contains(key) && answer[key].is_string();
}

void check_verdict(const ordered_json& answer, const std::string& place, ArenaRules rules) {
  const bool has_none = answer.contains("verdict") && answer["verdict"].is_null();
  const bool has_label =
      holds_text(answer, "verdict") && counts_as_label(answer["verdict"].get<std::string>(), rules);
  if (!has_none && !has_label && !holds_text(answer, "judgment")) {
    user_error(
        "{}: 'verdict', one of A>>B, A>B, A=B, B>A, B>>A or null, or 'judgment', a text, was "
        "expected",
        place);
  }
}

GameVerdict verdict_of(const ordered_json& answer, ArenaRules rules) {
  if (holds_text(answer, "verdict")) {
    const auto label = answer["verdict"].get<std::string>();
    return {.judgment = "[[" + label + "]]", .label = label};
  }
  if (!holds_text(answer, "judgment")) {
    return {};
  }
  const auto judgment = answer["judgment"].get<std::string>();
  return {.judgment = judgment, .label = verdict_label(judgment, rules)};
}

}  // namespace

std::vector<PairVerdict> ask_program_pairs(const std::string& command, AnswerStore& store,
                                           std::span<const JudgeCase> cases) {
  std::vector<PairVerdict> verdicts;
  ProgramAnswers answers(command, store, cases);
  for (const ordered_json& answer : answers.ask(check_preference)) {
    const ordered_json& preference = answer["preference"];
    verdicts.push_back({.preference = preference.is_null()
                                          ? std::numeric_limits<double>::quiet_NaN()
                                          : preference.get<double>(),
                        .raw = answer});
  }
  return verdicts;
}

std::vector<GameVerdict> ask_program_games(const std::string& command, AnswerStore& store,
                                           ArenaRules rules, std::span<const JudgeCase> games) {
  std::vector<GameVerdict> verdicts;
  ProgramAnswers answers(command, store, games);
  for (const ordered_json& answer :
       answers.ask([&](const ordered_json&given, const std::string&place) {
         check_verdict(given, place, rules);
       })) {
    verdicts.push_back(verdict_of(answer, rules));
  }
  return verdicts;
}

}  // namespace lmpo
