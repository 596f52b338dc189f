#include "judge/arena_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mean_error.h"
#include "base/random.h"
#include "base/readable.h"
#include "judge/csv.h"

namespace lmpo {
namespace {

[[noreturn]] void refuse_row(const SourceRow& row, std::string_view expected) {
  user_error("{}: {} was expected", row.location, expected);
}

bool has_new_layout(const SourceRow& row) {
  return row.valid_utf8 && row.value.contains("uid");
}

std::string id_of(const SourceRow& row) {
  return text_of_row(row, has_new_layout(row) ? "uid" : "question_id");
}

// The only element of a list under a key; null where there is another number of them.
const ordered_json* only_of(const ordered_json* object, const char* key) {
  const ordered_json* list = object == nullptr ? nullptr : descend(*object, {key});
  return list != nullptr && list->is_array() && list->size() == 1 ? &list->front() : nullptr;
}

// The last of "messages", whose content is a text or holds it as "answer".
const ordered_json* last_message(const ordered_json& row) {
  const ordered_json* messages = descend(row, {"messages"});
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    return nullptr;
  }
  const ordered_json* content = descend(messages->back(), {"content"});
  return content != nullptr && content->is_object() ? descend(*content, {"answer"}) : content;
}

std::optional<std::int64_t> whole_number(const ordered_json* value) {
  return value != nullptr && value->is_number_integer() ? std::optional(value->get<std::int64_t>())
                                                        : std::nullopt;
}

ArenaAnswer answer_of(const SourceRow& row) {
  ArenaAnswer answer{.id = id_of(row),
                     .model = text_of_row(row, has_new_layout(row) ? "model" : "model_id")};
  const ordered_json* content = nullptr;
  if (has_new_layout(row)) {
    content = last_message(row.value);
    answer.tokens = whole_number(descend(row.value, {"metadata", "token_len"}));
  } else if (const ordered_json* turn = only_of(only_of(&row.value, "choices"), "turns")) {
    content = descend(*turn, {"content"});
    answer.tokens = whole_number(descend(*turn, {"token_len"}));
    if (!answer.tokens) {
      answer.tokens = whole_number(descend(row.value, {"conv_metadata", "token_len"}));
    }
  }
  if (content == nullptr || !content->is_string()) {
    refuse_row(row, "one answer, in choices[0].turns[0].content or the last of messages,");
  }
  answer.text = content->get<std::string>();
  return answer;
}

GameLabels labels_of(const SourceRow& row) {
  const ordered_json* games = descend(row.value, {"games"});
  if (games == nullptr || !games->is_array() || games->size() != 2) {
    refuse_row(row, "'games', a list of two games,");
  }
  GameLabels labels;
  for (std::size_t game = 0; game < labels.size(); ++game) {
    const ordered_json* score = descend((*games)[game], {"score"});
    if (score != nullptr && score->is_string()) {
      labels[game] = score->get<std::string>();
    }
  }
  return labels;
}

ordered_json answer_of_2024(const ArenaQuestion& question, const std::string& answer,
                            const std::string& model, const std::string& id) {
  const ordered_json turn = {{"content", answer}};
  const ordered_json choice = {{"index", 0}, {"turns", ordered_json::array({turn})}};
  return {{"question_id", question.id},
          {"answer_id", id},
          {"model_id", model},
          {"choices", ordered_json::array({choice})}};
}

ordered_json answer_since_2025(const ArenaQuestion& question, const std::string& answer,
                               const std::string& model, const std::string& id) {
  const ordered_json asked = {{"role", "user"}, {"content", question.prompt}};
  const ordered_json said = {{"role", "assistant"}, {"content", {{"answer", answer}}}};
  return {{"uid", question.id},
          {"ans_id", id},
          {"model", model},
          {"messages", ordered_json::array({asked, said})}};
}

// The ids of rows are told apart.
class Ids {
 public:
  void add(const std::string& id, const std::string& location) {
    const auto [first, is_new] = locations_.emplace(id, location);
    if (!is_new) {
      user_error("{}: the id {} is that of {}, too", location, id, first->second);
    }
  }

 private:
  std::map<std::string, std::string> locations_;
};

std::string first_few(const std::vector<std::string>& ids) {
  const auto most = std::min<std::ptrdiff_t>(3, std::ssize(ids));
  return fmt::format("{}{}", fmt::join(ids.begin(), ids.begin() + most, ", "),
                     std::ssize(ids) > most ? ", ..." : "");
}

// Sum and number of a question's rows.
struct QuestionRows {
  double sum = 0;
  double count = 0;
};

std::map<std::string, QuestionRows> rows_by_question(const ArenaJudgments& judgments,
                                                     ArenaRules rules) {
  std::map<std::string, QuestionRows> questions;
  for (const ArenaJudgment& judgment : judgments.rows) {
    for (const double row : game_rows(judgment.labels, rules)) {
      questions[judgment.id].sum += row;
      questions[judgment.id].count += 1;
    }
  }
  return questions;
}

using QuestionPairs = std::vector<std::array<QuestionRows, 2>>;

QuestionPairs pairs_of(const ArenaJudgments& first, const ArenaJudgments& second,
                       ArenaRules rules) {
  const auto others = rows_by_question(second, rules);
  QuestionPairs pairs;
  for (const auto& [id, rows] : rows_by_question(first, rules)) {
    if (const auto found = others.find(id); found != others.end()) {
      pairs.push_back({rows, found->second});
    }
  }
  return pairs;
}

// Of the pairs of these indices.
template <typename IndexOf>
double rate_difference(const QuestionPairs& pairs, const IndexOf& index_of) {
  std::array<QuestionRows, 2> totals{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (std::size_t side = 0; side < totals.size(); ++side) {
      totals[side].sum += pairs[index_of(i)][side].sum;
      totals[side].count += pairs[index_of(i)][side].count;
    }
  }
  return totals[0].sum / totals[0].count - totals[1].sum / totals[1].count;
}

void sort_lines(std::vector<ArenaLine>& lines) {
  std::ranges::stable_sort(
      lines, [](const ArenaLine& a, const ArenaLine& b) { return a.score.score > b.score.score; });
}

// To so many parts of a point; the quotient is the nearest double to its decimal digits.
double rounded(double value, double parts) {
  return std::round(value * parts) / parts;
}

}  // namespace

std::vector<ArenaQuestion> read_arena_questions(const fs::path& file) {
  std::vector<ArenaQuestion> questions;
  Ids ids;
  for (const SourceRow& row : rows_of(file, "questions")) {
    ArenaQuestion question{.id = id_of(row),
                           .category = text_or_empty(row, "category"),
                           .since_2025 = has_new_layout(row)};
    if (has_new_layout(row)) {
      question.prompt = text_of_row(row, "prompt");
    } else {
      const ordered_json* turn = only_of(&row.value, "turns");
      const ordered_json* content = turn == nullptr ? nullptr : descend(*turn, {"content"});
      if (content == nullptr || !content->is_string()) {
        refuse_row(row, "one turn with its content");
      }
      question.prompt = content->get<std::string>();
    }
    ids.add(question.id, row.location);
    questions.push_back(std::move(question));
  }
  return questions;
}

std::vector<ArenaAnswer> read_arena_answers(const fs::path& file) {
  std::vector<ArenaAnswer> answers;
  Ids ids;
  for (const SourceRow& row : rows_of(file, "answers")) {
    answers.push_back(answer_of(row));
    ids.add(answers.back().id, row.location);
    if (answers.back().model != answers.front().model) {
      user_error("{}: an answer of '{}' among those of '{}'", row.location, answers.back().model,
                 answers.front().model);
    }
  }
  return answers;
}

std::vector<ArenaAnswer> in_order_of(std::span<const ArenaQuestion> questions,
                                     std::vector<ArenaAnswer> answers, std::string_view source) {
  std::map<std::string, ArenaAnswer> by_id;
  for (ArenaAnswer& answer : answers) {
    by_id.emplace(answer.id, std::move(answer));
  }
  std::vector<ArenaAnswer> ordered;
  std::vector<std::string> missing;
  for (const ArenaQuestion& question : questions) {
    if (auto found = by_id.extract(question.id)) {
      ordered.push_back(std::move(found.mapped()));
    } else {
      missing.push_back(question.id);
    }
  }
  if (!missing.empty()) {
    user_error("{}: {} of {} questions have no answer: {}", source, missing.size(),
               questions.size(), first_few(missing));
  }
  if (!by_id.empty()) {
    log_warning("{}: {} to other questions are not used", source,
                counted(std::ssize(by_id), "answer"));
  }
  return ordered;
}

std::string answer_lines(std::span<const ArenaQuestion> questions,
                         std::span<const std::string> answers, const std::string& model,
                         const Tokenizer* tokenizer) {
  std::string lines;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const double now = static_cast<double>(std::time(nullptr));
    Hash id;
    id.add(model);
    id.add(questions[i].id);
    ordered_json counts = ordered_json::object();
    if (tokenizer != nullptr) {
      counts["token_len"] = tokenizer->encode(answers[i], false, SpecialText::text).size();
    }
    ordered_json line = questions[i].since_2025
                            ? answer_since_2025(questions[i], answers[i], model, id.text())
                            : answer_of_2024(questions[i], answers[i], model, id.text());
    line["tstamp"] = now;
    line[questions[i].since_2025 ? "metadata" : "conv_metadata"] = counts;
    lines += json_line(line) + "\n";
  }
  return lines;
}

std::optional<std::int64_t> average_tokens(std::span<const ArenaAnswer> answers,
                                           const Tokenizer* tokenizer) {
  std::int64_t sum = 0;
  for (const ArenaAnswer& answer : answers) {
    if (tokenizer != nullptr) {
      sum += std::ssize(tokenizer->encode(answer.text, false, SpecialText::text));
    } else if (answer.tokens) {
      sum += *answer.tokens;
    } else {
      return std::nullopt;
    }
  }
  return answers.empty() ? std::nullopt : std::optional(sum / std::ssize(answers));
}

ArenaJudgments read_arena_judgments(const fs::path& file) {
  ArenaJudgments judgments;
  Ids ids;
  for (const SourceRow& row : rows_of(file, "judgments")) {
    const std::string model = text_of_row(row, "model");
    judgments.rows.push_back({.id = id_of(row),
                              .labels = labels_of(row),
                              .category = text_or_empty(row, "category"),
                              .baseline = text_or_empty(row, "baseline")});
    ids.add(judgments.rows.back().id, row.location);
    if (judgments.rows.size() == 1) {
      judgments.model = model;
      judgments.since_2025 = has_new_layout(row);
    } else if (model != judgments.model) {
      user_error("{}: a judgment of '{}' among those of '{}'", row.location, model,
                 judgments.model);
    }
  }
  return judgments;
}

ArenaJudgments of_category(ArenaJudgments judgments, const std::string& category) {
  std::set<std::string> known;
  for (const ArenaJudgment& row : judgments.rows) {
    known.insert(row.category);
  }
  if (category.empty() ? known.size() > 1 : !known.contains(category)) {
    user_error("{}: each category is scored by itself: give --category, one of {}", judgments.model,
               fmt::join(known, ", "));
  }
  if (!category.empty()) {
    std::erase_if(judgments.rows,
                  [&](const ArenaJudgment& row) { return row.category != category; });
  }
  return judgments;
}

ArenaModel arena_model(const ArenaJudgments& judgments, ArenaRules rules) {
  ArenaModel model{.name = judgments.model};
  std::int64_t without = 0;
  for (const ArenaJudgment& judgment : judgments.rows) {
    without += std::ranges::count_if(judgment.labels, [&](const auto& label) {
      return !label || !counts_as_label(*label, rules);
    });
    const std::vector<double> rows = game_rows(judgment.labels, rules);
    model.rows.insert(model.rows.end(), rows.begin(), rows.end());
  }
  if (model.rows.empty()) {
    user_error("{}: no game has a verdict that counts", judgments.model);
  }
  if (without > 0) {
    log_warning("{}: {} of {} games have no verdict; {} not count", judgments.model, without,
                2 * judgments.rows.size(),
                rules == ArenaRules::v01 ? "these games do" : "their questions do");
  }
  return model;
}

ArenaDifference difference_of(const ArenaJudgments& first, const ArenaJudgments& second,
                              ArenaRules rules, std::int64_t rounds, std::uint64_t seed) {
  const QuestionPairs pairs = pairs_of(first, second, rules);
  if (pairs.empty()) {
    user_error("{} and {} have no judged question in common", first.model, second.model);
  }
  std::vector<double> differences;
  for (std::int64_t round = 0; round < rounds; ++round) {
    Random random(seed, static_cast<std::uint64_t>(round));
    std::vector<std::size_t> drawn(pairs.size());
    std::ranges::generate(drawn,
                          [&] { return static_cast<std::size_t>(random.below(pairs.size())); });
    differences.push_back(rate_difference(pairs, [&](std::size_t i) { return drawn[i]; }));
  }
  return {.questions = std::ssize(pairs),
          .difference = 100 * rate_difference(pairs, [](std::size_t i) { return i; }),
          .error = 100 * standard_deviation(differences)};
}

std::string arena_table(std::vector<ArenaLine> lines, ArenaRules rules) {
  sort_lines(lines);
  const char* interval = rules == ArenaRules::v01 ? "95%" : "90%";
  std::string text;
  for (const auto& [score, tokens] : lines) {
    text += fmt::format("{:<30} | score: {:^5.1f} | {} CI: {:^14} | average #tokens: {}\n",
                        score.name, score.score, interval,
                        fmt::format("({:+.1f}, {:+.1f})", rounded(score.lower - score.score, 10),
                                    rounded(score.upper - score.score, 10)),
                        tokens ? fmt::format("{}", *tokens) : "-");
  }
  return text;
}

std::string arena_csv(std::vector<ArenaLine> lines, ArenaRules rules, std::string_view date) {
  sort_lines(lines);
  std::string text = rules == ArenaRules::v01
                         ? "model,score,rating_q025,rating_q975,CI,avg_tokens,date\n"
                         : "model,score,rating_q05,rating_q95,CI,avg_tokens,date\n";
  for (const auto& [score, tokens] : lines) {
    const auto two = [](double value) { return csv_number(rounded(value, 100)); };
    text +=
        fmt::format("{},{},{},{},\"(-{:.2f}, +{:.2f})\",{},{}\n", csv_field(score.name),
                    two(score.score), two(score.lower), two(score.upper), score.score - score.lower,
                    score.upper - score.score, tokens ? fmt::format("{}.0", *tokens) : "", date);
  }
  return text;
}

}  // namespace lmpo
