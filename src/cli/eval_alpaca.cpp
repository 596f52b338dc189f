// lmpo eval alpaca: AlpacaEval 2 of a model.
#include <optional>

#include "base/error.h"
#include "base/folder_name.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/judge_options.h"
#include "judge/alpaca_score.h"

namespace lmpo {
namespace {

constexpr const char* kEvalAlpacaExamples =
    "  lmpo eval alpaca --annotations annotations.json --gamed df_gamed.csv\n"
    "  lmpo eval alpaca --annotations a.json --against b.json --gamed df_gamed.csv\n"
    "  lmpo eval alpaca --model DIR --reference_outputs alpaca_eval_gpt4_baseline.json --output "
    "OUT\n"
    "  lmpo eval alpaca --model_outputs FILE --reference_outputs alpaca_eval_gpt4_baseline.json "
    "--gamed df_gamed.csv --max_cost 15 --output OUT\n"
    "  lmpo eval alpaca --model_outputs FILE --reference_outputs FILE --judge_reward_model DIR "
    "--output OUT\n";

struct EvalAlpacaOptions {
  AnsweringOptions answering;
  JudgeOptions judge;
  std::string name;
  fs::path reference_outputs;
  fs::path model_outputs;
  fs::path annotations;
  fs::path against;
  std::int64_t limit = 0;
  fs::path gamed;
  fs::path difficulty;
  std::optional<double> lc_penalty;
  fs::path leaderboard;
  fs::path output;
};

void declare_outputs(OptionSet& set, EvalAlpacaOptions& options) {
  set.group("Model, outputs or annotations");
  set.add("model_name_or_path", options.answering.run.model,
          "folder of a model that answers the instructions; run the same command again to resume",
          {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}});
  set.add("name", options.name, "name of the model in the results",
          {.default_text = "that of its folder, or of its outputs"});
  set.add("reference_outputs", options.reference_outputs,
          "the evaluation set: 805 instructions with the baseline's outputs, "
          "alpaca_eval_gpt4_baseline.json of the dataset tatsu-lab/alpaca_eval on the Hub",
          {.value_name = "FILE", .synonyms = {"data"}});
  set.add("model_outputs", options.model_outputs,
          "outputs to judge, model_outputs.json; with --annotations: check that these were judged",
          {.value_name = "FILE"});
  set.add("annotations", options.annotations,
          "instead of a judge: annotations.json, as alpaca_eval or this command wrote it",
          {.value_name = "FILE"});
  set.add(
      "against", options.against,
      "annotations of a second model: show the difference, with the error of paired differences",
      {.value_name = "FILE"});
  set.add("limit", options.limit, "judge only the first N instructions, to try it; 0: all",
          {.range = at_least(0)});
}

void declare_results(OptionSet& set, EvalAlpacaOptions& options) {
  set.group("Length control");
  set.add("gamed", options.gamed,
          "df_gamed.csv of the dataset tatsu-lab/alpaca_eval on the Hub, for the length-controlled "
          "win rate; without its column preference, the sum known from published models is used",
          {.value_name = "FILE"});
  set.add(
      "difficulty", options.difficulty,
      "instruction_difficulty.csv of that dataset, in place of the difficulties in df_gamed.csv",
      {.value_name = "FILE"});
  set.add("lc_penalty", options.lc_penalty, "penalty C of the regression",
          {.range = kPositive, .default_text = "by cross-validation"});
  set.group("Results");
  set.add("leaderboard", options.leaderboard, "leaderboard.csv that the model's row is added to",
          {.value_name = "FILE"});
  set.add("output", options.output,
          "folder for answers, judgements, annotations.json and leaderboard.csv",
          {.value_name = "DIR"});
}

void check(const OptionSet& set, const EvalAlpacaOptions& options) {
  for (const char* name : {"difficulty", "lc_penalty"}) {
    if (set.given(name) && options.gamed.empty()) {
      set.reject(name, "is of length control, which needs --gamed df_gamed.csv");
    }
  }
  const bool has_model = !options.answering.run.model.empty();
  if (!options.annotations.empty()) {
    if (has_model) {
      set.reject("annotations", "has the judgements already; remove --model");
    }
    if (options.output.empty() && set.given("leaderboard")) {
      set.reject("output", "give --output DIR, for what is written");
    }
    return;
  }
  if (has_model != options.model_outputs.empty()) {
    set.reject("model_outputs", "give --model DIR, --model_outputs FILE or --annotations FILE");
  }
  if (options.reference_outputs.empty()) {
    set.reject(
        "reference_outputs",
        "give --reference_outputs FILE, the 805 instructions with the baseline's outputs: "
        "alpaca_eval_gpt4_baseline.json of the dataset tatsu-lab/alpaca_eval on the Hugging Face "
        "Hub, or results/gpt4_1106_preview/model_outputs.json of its GitHub repository");
  }
  if (options.output.empty()) {
    set.reject("output", "give --output DIR, for what is written");
  }
}

void declare(OptionSet& set, EvalAlpacaOptions& options) {
  declare_outputs(set, options);
  add_answering_options(set, options.answering, "of the paper's recipe for the kind of model");
  add_judge_options(set, options.judge);
  declare_results(set, options);
  set.section("Examples", kEvalAlpacaExamples);
  set.check([&] { check(set, options); });
}

std::vector<AlpacaOutput> answer_instructions(const EvalAlpacaOptions& options,
                                              std::span<const AlpacaOutput> reference) {
  std::vector<std::string> prompts;
  for (const AlpacaOutput& each : reference) {
    prompts.push_back(each.instruction);
  }
  const AnswerRun& run = options.answering.run;
  const std::vector<std::string> answers = answers_of(options.answering, alpaca_decoding(run.model),
                                                      prompts, options.output / "answers.jsonl");
  std::vector<AlpacaOutput> outputs;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    outputs.push_back({.instruction = reference[i].instruction,
                       .output = stripped(answers[i]),
                       .generator = options.name.empty() ? folder_name(run.model) : options.name,
                       .dataset = reference[i].dataset});
  }
  write_alpaca_outputs(options.output / "model_outputs.json", outputs);
  return outputs;
}

std::vector<AlpacaOutput> outputs_to_judge(const EvalAlpacaOptions& options,
                                           std::span<const AlpacaOutput> reference) {
  if (!options.answering.run.model.empty()) {
    return answer_instructions(options, reference);
  }
  std::vector<AlpacaOutput> outputs = in_order_of(
      reference, read_alpaca_outputs(options.model_outputs), options.model_outputs.string());
  for (AlpacaOutput& output : outputs) {
    if (!options.name.empty() || output.generator.empty()) {
      output.generator = options.name.empty() ? "Current model" : options.name;
    }
  }
  return outputs;
}

// Nothing where there is no judge: then the outputs are all that was asked for.
std::optional<Annotations> judge_outputs(const EvalAlpacaOptions& options) {
  std::vector<AlpacaOutput> reference = read_alpaca_outputs(options.reference_outputs);
  if (options.limit > 0 && options.limit < std::ssize(reference)) {
    log_warning("only the first {} of {} instructions: not AlpacaEval's result", options.limit,
                reference.size());
    reference.resize(static_cast<std::size_t>(options.limit));
  }
  const auto choice = judge_of(options.judge, options.answering);
  if (!choice && !options.model_outputs.empty()) {
    user_error(
        "there is no judge: set OPENAI_API_KEY, or give --judge URL, --judge_program CMD or "
        "--judge_reward_model DIR");
  }
  fs::create_directories(options.output);
  const std::vector<AlpacaOutput> outputs = outputs_to_judge(options, reference);
  if (!choice) {
    log_info("wrote {}; no judge was named, so it is not judged",
             (options.output / "model_outputs.json").string());
    return std::nullopt;
  }
  AnswerStore store(options.output / "judge.jsonl");
  const bool is_published = choice->model == "gpt-4-1106-preview" && !choice->url.empty();
  const Annotator annotator = {
      is_published ? "weighted_alpaca_eval_gpt4_turbo" : judge_name(*choice),
      [&](std::span<const JudgeCase> cases) { return judge_pairs(*choice, store, cases); }};
  return annotate(reference, outputs, annotator);
}

void print_difference(const AlpacaDifference& difference, const AlpacaScore& first,
                      const AlpacaScore& second) {
  fmt::print("\n{} minus {}, over {} instructions: win rate {:+.2f} ± {:.2f} points", first.model,
             second.model, difference.instructions, difference.win_rate.mean,
             difference.win_rate.error);
  if (difference.length_controlled) {
    fmt::print(", length-controlled {:+.2f} ± {:.2f}", difference.length_controlled->mean,
               difference.length_controlled->error);
  }
  fmt::print("\n");
}

void write_results(const EvalAlpacaOptions& options, const Annotations& annotations,
                   const AlpacaScore& score) {
  const LengthControl* control = score.length_control ? &*score.length_control : nullptr;
  const CsvTable before = options.leaderboard.empty() ? CsvTable() : read_csv(options.leaderboard);
  fs::create_directories(options.output);
  write_annotations(options.output / "annotations.json", annotations,
                    control == nullptr ? std::span<const double>() : control->chances);
  write_file_atomically(
      options.output / "leaderboard.csv",
      leaderboard_csv(before, score.model,
                      leaderboard_row(score.rates, score.average_length, control)));
  log_info("wrote leaderboard.csv and annotations.json to {}", options.output.string());
}

int run(const EvalAlpacaOptions& options) {
  apply_threads(options.answering.threads);
  std::optional<LengthControlInput> length_control;
  if (!options.gamed.empty()) {
    length_control = read_length_control(options.gamed, options.difficulty, options.lc_penalty);
  }
  const auto annotations = options.annotations.empty()
                               ? judge_outputs(options)
                               : std::optional(read_annotations(options.annotations));
  if (!annotations) {
    return 0;
  }
  if (!options.annotations.empty() && !options.model_outputs.empty()) {
    check_outputs(*annotations, options.model_outputs);
  }
  if (!length_control) {
    log_warning(
        "no length-controlled win rate: it needs --gamed df_gamed.csv, of the dataset "
        "tatsu-lab/alpaca_eval on the Hugging Face Hub");
  }
  const LengthControlInput* input = length_control ? &*length_control : nullptr;
  std::vector<AlpacaScore> scores = {score_alpaca(*annotations, input)};
  std::optional<Annotations> others;
  if (!options.against.empty()) {
    others = read_annotations(options.against);
    scores.push_back(score_alpaca(*others, input));
  }
  fmt::print("{}", alpaca_table(scores));
  if (others) {
    print_difference(difference_of({*annotations, scores[0]}, {*others, scores[1]}), scores[0],
                     scores[1]);
  }
  if (!options.output.empty()) {
    write_results(options, *annotations, scores[0]);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kEvalAlpacaCommand = command<EvalAlpacaOptions>(
    "Scores a model on AlpacaEval 2: the rate at which a judge prefers its answers to those of "
    "GPT-4, as it is, and as it would be at equal length.");

}  // namespace lmpo
