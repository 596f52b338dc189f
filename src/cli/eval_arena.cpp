// lmpo eval arena: Arena-Hard of a model.
#include <fmt/chrono.h>

#include <ctime>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/folder_name.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/judge_options.h"
#include "judge/arena_files.h"

namespace lmpo {
namespace {

constexpr const char* kEvalArenaExamples =
    "  lmpo eval arena --judgments model_judgment/gpt-4-1106-preview/NAME.jsonl "
    "--answers model_answer/NAME.jsonl\n"
    "  lmpo eval arena --judgments a.jsonl,b.jsonl --answers a_answers.jsonl,b_answers.jsonl "
    "--tiktoken cl100k_base.tiktoken --output OUT\n"
    "  lmpo eval arena --model DIR --questions question.jsonl --output OUT\n"
    "  lmpo eval arena --answers OUT/model_answer/NAME.jsonl --questions question.jsonl "
    "--baseline_answers gpt-4-0314.jsonl --max_cost 40 --output OUT\n";

struct EvalArenaOptions {
  AnsweringOptions answering;
  JudgeOptions judge;
  std::string name;
  fs::path questions;
  fs::path baseline_answers;
  std::vector<fs::path> answers;
  std::vector<fs::path> judgments;
  std::string category;
  std::int64_t limit = 0;
  fs::path tiktoken;
  std::string rules = "auto";
  std::string baseline;
  std::int64_t rounds = 100;
  fs::path output;
};

void declare_answers(OptionSet& set, EvalArenaOptions& options) {
  set.group("Model, answers or judgments");
  set.add("model_name_or_path", options.answering.run.model,
          "folder of a model that answers the questions; run the same command again to resume",
          {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}});
  set.add("name", options.name, "name of the model in the results",
          {.default_text = "that of its folder"});
  set.add("questions", options.questions,
          "question.jsonl of arena-hard-auto: the 500 questions of v0.1",
          {.value_name = "FILE", .synonyms = {"data"}});
  set.add("baseline_answers", options.baseline_answers,
          "the baseline's answers, model_answer/gpt-4-0314.jsonl of arena-hard-auto",
          {.value_name = "FILE"});
  set.add(
      "answers", options.answers,
      "answers to judge; with --judgments: answers of these models and of the baseline, for the "
      "average number of tokens",
      {.value_name = "FILE"});
  set.add(
      "judgments", options.judgments,
      "instead of a judge: judgments of a model, as arena-hard-auto or this command wrote them; of "
      "two models: also their difference",
      {.value_name = "FILE"});
  set.add(
      "category", options.category,
      "only questions and judgments of this category, such as hard_prompt; files since 2025 have "
      "several, and each is scored by itself");
  set.add("limit", options.limit, "judge only the first N questions, to try it; 0: all",
          {.range = at_least(0)});
  set.add(
      "tiktoken", options.tiktoken,
      "cl100k_base.tiktoken (o200k_base.tiktoken since 2025): count the tokens of the answers; by "
      "default the counts that their files hold are used",
      {.value_name = "FILE"});
}

void check_sources(const OptionSet& set, const EvalArenaOptions& options) {
  const bool has_model = !options.answering.run.model.empty();
  if (!options.judgments.empty()) {
    if (has_model) {
      set.reject("judgments", "has the judgments already; remove --model");
    }
    return;
  }
  if (has_model != options.answers.empty() || options.answers.size() > 1) {
    set.reject("answers", "give --model DIR, --answers FILE or --judgments FILE");
  }
  if (options.questions.empty()) {
    set.reject(
        "questions",
        "give --questions FILE: data/arena-hard-v0.1/question.jsonl of arena-hard-auto's GitHub "
        "repository");
  }
  if (options.output.empty()) {
    set.reject("output", "give --output DIR, for what is written");
  }
}

void declare(OptionSet& set, EvalArenaOptions& options) {
  declare_answers(set, options);
  add_answering_options(set, options.answering, "that of arena-hard-auto");
  add_judge_options(set, options.judge);
  set.group("Rules and results");
  set.add(
      "rules", options.rules,
      "v0.1: those of 2024, which papers report; v2: those since 2025; auto: by the layout of the "
      "files",
      {.choices = {"auto", "v0.1", "v2"}});
  set.add("baseline", options.baseline, "name of the model that all others played against",
          {.default_text = "as its answers or the judgments say, else gpt-4-0314"});
  set.add("rounds", options.rounds, "rounds of the bootstrap", {.range = within(2, 100'000)});
  set.add("output", options.output, "folder for answers, judgments and leaderboard.csv",
          {.value_name = "DIR"});
  set.section("Examples", kEvalArenaExamples);
  set.check([&] { check_sources(set, options); });
}

ArenaRules rules_of(const std::string& name, bool since_2025) {
  return name == "v2" || (name == "auto" && since_2025) ? ArenaRules::v2 : ArenaRules::v01;
}

std::optional<Tokenizer> read_tiktoken(const fs::path& file) {
  return file.empty() ? std::nullopt
                      : std::optional(Tokenizer::from_model(read_file(file), file.string()));
}

// Of models by name.
std::map<std::string, std::int64_t> tokens_of(const std::vector<fs::path>& files,
                                              const Tokenizer* tokenizer) {
  std::map<std::string, std::int64_t> tokens;
  for (const fs::path& file : files) {
    const std::vector<ArenaAnswer> answers = read_arena_answers(file);
    if (const auto average = average_tokens(answers, tokenizer)) {
      tokens[answers.front().model] = *average;
    } else {
      log_warning("{}: the answers have no token counts: give --tiktoken", file.string());
    }
  }
  return tokens;
}

std::vector<ArenaQuestion> questions_to_ask(const EvalArenaOptions& options) {
  std::vector<ArenaQuestion> questions = read_arena_questions(options.questions);
  if (!options.category.empty()) {
    std::erase_if(questions, [&](const auto& each) { return each.category != options.category; });
    if (questions.empty()) {
      user_error("{}: there is no question of the category '{}'", options.questions.string(),
                 options.category);
    }
  }
  for (const ArenaQuestion& question : questions) {
    if (question.category == "creative_writing") {
      user_error(
          "{}: questions of the category creative_writing have another judge's prompt, which "
          "lmpo does not have; give --category hard_prompt for the others",
          options.questions.string());
    }
  }
  if (options.limit > 0 && options.limit < std::ssize(questions)) {
    log_warning("only the first {} of {} questions: not Arena-Hard's result", options.limit,
                questions.size());
    questions.resize(static_cast<std::size_t>(options.limit));
  }
  return questions;
}

// Writes the model's answers and returns their file.
fs::path answer_questions(const EvalArenaOptions& options, std::span<const ArenaQuestion> questions,
                          const Tokenizer* tokenizer) {
  std::vector<std::string> prompts;
  for (const ArenaQuestion& question : questions) {
    prompts.push_back(question.prompt);
  }
  const std::string name =
      options.name.empty() ? folder_name(options.answering.run.model) : options.name;
  const std::vector<std::string> answers =
      answers_of(options.answering, kArenaDecoding, prompts, options.output / "answers.jsonl");
  fs::path file = options.output / "model_answer" / (name + ".jsonl");
  fs::create_directories(file.parent_path());
  write_file_atomically(file, answer_lines(questions, answers, name, tokenizer));
  return file;
}

// Judges what is in the file of answers; writes the judgments and returns their file.
fs::path judge_answers(const EvalArenaOptions& options, const JudgeChoice& choice,
                       std::span<const ArenaQuestion> questions, const fs::path& answer_file) {
  const ArenaRules rules = rules_of(options.rules, questions.front().since_2025);
  const std::vector<ArenaAnswer> model =
      in_order_of(questions, read_arena_answers(answer_file), answer_file.string());
  const std::vector<ArenaAnswer> baseline = in_order_of(
      questions, read_arena_answers(options.baseline_answers), options.baseline_answers.string());
  AnswerStore store(options.output / "judge.jsonl");
  const std::vector<JudgeCase> games = games_of(questions, baseline, model);
  const std::vector<GameVerdict> verdicts = judge_games(choice, store, rules, games);
  const std::string name = options.name.empty() ? model.front().model : options.name;
  fs::path file =
      options.output / "model_judgment" / judge_name(choice) / (folder_name(name) + ".jsonl");
  fs::create_directories(file.parent_path());
  write_file_atomically(file, judgment_lines({.questions = questions,
                                              .judge = judge_name(choice),
                                              .baseline = baseline.front().model,
                                              .model = name,
                                              .games = games,
                                              .verdicts = verdicts},
                                             rules));
  return file;
}

// Answers and judges as far as it was asked to: then there are judgments.
bool make_judgments(EvalArenaOptions& options, const Tokenizer* tokenizer) {
  const auto choice = judge_of(options.judge, options.answering);
  if (!choice && options.answering.run.model.empty()) {
    user_error(
        "there is no judge: set OPENAI_API_KEY, or give --judge URL, --judge_program CMD or "
        "--judge_reward_model DIR");
  }
  if (choice && options.baseline_answers.empty()) {
    user_error(
        "give --baseline_answers FILE: data/arena-hard-v0.1/model_answer/gpt-4-0314.jsonl of "
        "arena-hard-auto's GitHub repository");
  }
  fs::create_directories(options.output);
  const std::vector<ArenaQuestion> questions = questions_to_ask(options);
  if (!options.answering.run.model.empty()) {
    options.answers = {answer_questions(options, questions, tokenizer)};
  }
  if (!choice) {
    log_info("wrote {}; no judge was named, so it is not judged", options.answers[0].string());
    return false;
  }
  options.judgments = {judge_answers(options, *choice, questions, options.answers[0])};
  options.answers.push_back(options.baseline_answers);
  if (options.baseline.empty()) {
    options.baseline = read_arena_answers(options.baseline_answers).front().model;
  }
  return true;
}

std::vector<ArenaJudgments> read_judgments(const EvalArenaOptions& options) {
  std::vector<ArenaJudgments> judgments;
  for (const fs::path& file : options.judgments) {
    judgments.push_back(of_category(read_arena_judgments(file), options.category));
    if (options.rules == "auto" && judgments.back().since_2025 != judgments.front().since_2025) {
      user_error("the judgments of {} and {} have different layouts: choose --rules v0.1 or v2",
                 judgments.front().model, judgments.back().model);
    }
  }
  return judgments;
}

std::string baseline_of(const std::vector<ArenaJudgments>& judgments,
                        const EvalArenaOptions& options) {
  const std::string& said = judgments.front().rows.front().baseline;
  for (const ArenaJudgments& each : judgments) {
    if (each.rows.front().baseline != said) {
      user_error("{} and {} played against different baselines, '{}' and '{}'",
                 judgments.front().model, each.model, said, each.rows.front().baseline);
    }
  }
  return !options.baseline.empty() ? options.baseline : said.empty() ? "gpt-4-0314" : said;
}

std::vector<ArenaLine> score_judgments(const std::vector<ArenaJudgments>& judgments,
                                       const EvalArenaOptions& options, ArenaRules rules,
                                       const std::map<std::string, std::int64_t>& tokens) {
  std::vector<ArenaModel> models;
  for (const ArenaJudgments& each : judgments) {
    models.push_back(arena_model(each, rules));
  }
  std::vector<ArenaScore> scores = arena_scores(
      models, rules, options.rounds, static_cast<std::uint64_t>(options.answering.run.seed));
  scores.push_back(
      {.name = baseline_of(judgments, options), .score = 50, .lower = 50, .upper = 50});
  std::vector<ArenaLine> lines;
  for (const ArenaScore& score : scores) {
    const auto found = tokens.find(score.name);
    lines.push_back({score, found == tokens.end() ? std::nullopt : std::optional(found->second)});
  }
  return lines;
}

int run(EvalArenaOptions options) {
  apply_threads(options.answering.threads);
  const std::optional<Tokenizer> tokenizer = read_tiktoken(options.tiktoken);
  const Tokenizer* counter = tokenizer ? &*tokenizer : nullptr;
  if (options.judgments.empty() && !make_judgments(options, counter)) {
    return 0;
  }
  const std::vector<ArenaJudgments> judgments = read_judgments(options);
  const ArenaRules rules = rules_of(options.rules, judgments.front().since_2025);
  const std::vector<ArenaLine> lines =
      score_judgments(judgments, options, rules, tokens_of(options.answers, counter));
  fmt::print("{}", arena_table(lines, rules));
  if (judgments.size() == 2) {
    const ArenaDifference difference =
        difference_of(judgments[0], judgments[1], rules, options.rounds,
                      static_cast<std::uint64_t>(options.answering.run.seed));
    fmt::print("\n{} minus {}, over {} questions: {:+.2f} ± {:.2f} points\n", judgments[0].model,
               judgments[1].model, difference.questions, difference.difference, difference.error);
  }
  if (!options.output.empty()) {
    fs::create_directories(options.output);
    const std::string today = fmt::format("{:%Y-%m-%d}", fmt::localtime(std::time(nullptr)));
    write_file_atomically(options.output / "leaderboard.csv", arena_csv(lines, rules, today));
  }
  return 0;
}

}  // namespace

constinit const CommandCode kEvalArenaCommand = command<EvalArenaOptions>(
    "Scores a model on Arena-Hard: its win rate against the baseline over two games a question, "
    "with "
    "a bootstrap interval.");

}  // namespace lmpo
