// The files of Arena-Hard, in both of its layouts: that of v0.1 of 2024 (question_id, turns, choices),
// and the one since 2025 (uid, prompt, messages).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "judge/arena_score.h"
#include "judge/rows_of.h"
#include "text/tokenizer.h"

namespace lmpo {

// A line of question.jsonl.
struct ArenaQuestion {
  std::string id;
  std::string prompt = {};
  std::string category = {};
  bool since_2025 = false;  // the file's layout
};
// UserError for a line without these, more than one turn, or an id that comes twice.
std::vector<ArenaQuestion> read_arena_questions(const fs::path& file);

// A line of model_answer/MODEL.jsonl.
struct ArenaAnswer {
  std::string id;
  std::string model = {};
  std::string text = {};
  std::optional<std::int64_t> tokens = {};  // as counted when it was written
};
// UserError as above, and for answers of more than one model.
std::vector<ArenaAnswer> read_arena_answers(const fs::path& file);
// The answers in the order of the questions. UserError that names the first questions without answer.
// Answers to other questions are counted in a warning.
std::vector<ArenaAnswer> in_order_of(std::span<const ArenaQuestion> questions,
                                     std::vector<ArenaAnswer> answers, std::string_view source);

// model_answer/MODEL.jsonl in the questions' layout. Tokens are counted where there is a tokenizer.
std::string answer_lines(std::span<const ArenaQuestion> questions,
                         std::span<const std::string> answers, const std::string& model,
                         const Tokenizer* tokenizer);

// The mean number of tokens, as an integer: by the tokenizer if there is one, else as they were
// counted; nothing where they were not.
std::optional<std::int64_t> average_tokens(std::span<const ArenaAnswer> answers,
                                           const Tokenizer* tokenizer);

// A line of model_judgment/JUDGE/MODEL.jsonl.
struct ArenaJudgment {
  std::string id;
  GameLabels labels = {};
  std::string category = {};  // this and the baseline: "" in v0.1's layout
  std::string baseline = {};
};
struct ArenaJudgments {
  std::string model = {};
  std::vector<ArenaJudgment> rows = {};
  bool since_2025 = false;  // which layout the file has
};
// UserError as above, and for a judgment without two games.
ArenaJudgments read_arena_judgments(const fs::path& file);
// Those of a category; "": all. arena-hard-auto scores each category by itself, so UserError that lists
// them where they are several, or where there is no such.
ArenaJudgments of_category(ArenaJudgments judgments, const std::string& category);

// All rows of a model. Games without a label that counts are counted in a warning. UserError where no
// game has one.
ArenaModel arena_model(const ArenaJudgments& judgments, ArenaRules rules);

// The first model's score minus the second's over the questions that both have, in points. The error is
// the deviation over rounds that draw questions. UserError where there are none.
struct ArenaDifference {
  std::int64_t questions = 0;
  double difference = 0;
  double error = 0;
};
ArenaDifference difference_of(const ArenaJudgments& first, const ArenaJudgments& second,
                              ArenaRules rules, std::int64_t rounds, std::uint64_t seed);

// What a score sheet says of a model.
struct ArenaLine {
  ArenaScore score = {};
  std::optional<std::int64_t> tokens = {};
};
// Lines for a terminal, the best first; and a leaderboard in arena-hard-auto's layout.
std::string arena_table(std::vector<ArenaLine> lines, ArenaRules rules);
std::string arena_csv(std::vector<ArenaLine> lines, ArenaRules rules, std::string_view date);

}  // namespace lmpo
