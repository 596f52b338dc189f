// lmpo eval arena: Arena-Hard of a model.
#include <fmt/chrono.h>

#include <ctime>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "judge/arena_files.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo eval arena --judgments model_judgment/gpt-4-1106-preview/NAME.jsonl "
    "--answers model_answer/NAME.jsonl\n"
    "  lmpo eval arena --judgments a.jsonl,b.jsonl --answers a_answers.jsonl,b_answers.jsonl "
    "--tiktoken cl100k_base.tiktoken --output OUT\n";

struct EvalArenaOptions {
  std::vector<fs::path> judgments;
  std::vector<fs::path> answers;
  fs::path tiktoken;
  std::string rules = "auto";
  std::string baseline = "gpt-4-0314";
  std::int64_t rounds = 100;
  std::int64_t seed = 42;
  fs::path output;
};

void declare(OptionSet& set, EvalArenaOptions& options) {
  set.group("Judged answers");
  set.add(
      "judgments", options.judgments,
      "judgments of a model, as arena-hard-auto or this command wrote them; of two models: also "
      "their difference",
      {.value_name = "FILE", .required = true});
  set.add("answers", options.answers,
          "answers of these models, and of the baseline, for the average number of tokens",
          {.value_name = "FILE"});
  set.add("tiktoken", options.tiktoken,
          "cl100k_base.tiktoken (o200k_base.tiktoken since 2025): count the tokens of the answers "
          "again; by default the counts that their files hold are used",
          {.value_name = "FILE"});
  set.group("Rules");
  set.add(
      "rules", options.rules,
      "v0.1: those of 2024, which papers report; v2: those since 2025; auto: by the layout of the "
      "judgments",
      {.choices = {"auto", "v0.1", "v2"}});
  set.add("baseline", options.baseline, "name of the model that all others played against");
  set.add("rounds", options.rounds, "rounds of the bootstrap", {.range = within(2, 100'000)});
  set.add("seed", options.seed, "seed of the bootstrap", {.range = at_least(0), .letter = 's'});
  set.add("output", options.output, "folder for leaderboard.csv", {.value_name = "DIR"});
  set.section("Examples", kExamples);
}

ArenaRules rules_of(const std::string& name, const std::vector<ArenaJudgments>& judgments) {
  const bool since_2025 = judgments.front().since_2025;
  for (const ArenaJudgments& each : judgments) {
    if (name == "auto" && each.since_2025 != since_2025) {
      user_error("the judgments of {} and {} have different layouts: choose --rules v0.1 or v2",
                 judgments.front().model, each.model);
    }
  }
  return name == "v2" || (name == "auto" && since_2025) ? ArenaRules::v2 : ArenaRules::v01;
}

std::map<std::string, std::int64_t> tokens_of(const EvalArenaOptions& options) {
  std::optional<Tokenizer> tokenizer;
  if (!options.tiktoken.empty()) {
    tokenizer = Tokenizer::from_model(read_file(options.tiktoken), options.tiktoken.string());
  }
  std::map<std::string, std::int64_t> tokens;
  for (const fs::path& file : options.answers) {
    const std::vector<ArenaAnswer> answers = read_arena_answers(file);
    if (const auto average = average_tokens(answers, tokenizer ? &*tokenizer : nullptr)) {
      tokens[answers.front().model] = *average;
    } else {
      log_warning("{}: the answers have no token counts: give --tiktoken", file.string());
    }
  }
  return tokens;
}

std::string today() {
  return fmt::format("{:%Y-%m-%d}", fmt::localtime(std::time(nullptr)));
}

int run(const EvalArenaOptions& options) {
  std::vector<ArenaJudgments> judgments;
  for (const fs::path& file : options.judgments) {
    judgments.push_back(read_arena_judgments(file));
  }
  const ArenaRules rules = rules_of(options.rules, judgments);
  const auto seed = static_cast<std::uint64_t>(options.seed);
  std::vector<ArenaModel> models;
  for (const ArenaJudgments& each : judgments) {
    models.push_back(arena_model(each, rules));
  }
  std::map<std::string, std::int64_t> tokens = tokens_of(options);
  std::vector<ArenaScore> scores = arena_scores(models, rules, options.rounds, seed);
  scores.push_back({.name = options.baseline, .score = 50, .lower = 50, .upper = 50});
  std::vector<ArenaLine> lines;
  for (const ArenaScore& score : scores) {
    const auto found = tokens.find(score.name);
    lines.push_back({score, found == tokens.end() ? std::nullopt : std::optional(found->second)});
  }
  fmt::print("{}", arena_table(lines, rules));
  if (judgments.size() == 2) {
    const ArenaDifference difference =
        difference_of(judgments[0], judgments[1], rules, options.rounds, seed);
    fmt::print("\n{} minus {}, over {} questions: {:+.2f} ± {:.2f} points\n", judgments[0].model,
               judgments[1].model, difference.questions, difference.difference, difference.error);
  }
  if (!options.output.empty()) {
    fs::create_directories(options.output);
    write_file_atomically(options.output / "leaderboard.csv", arena_csv(lines, rules, today()));
  }
  return 0;
}

}  // namespace

constinit const CommandCode kEvalArenaCommand = command<declare, run>(
    "Scores a model on Arena-Hard: its win rate against the baseline over two games a question, "
    "with "
    "a bootstrap interval.");

}  // namespace lmpo
