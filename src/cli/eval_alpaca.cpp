// lmpo eval alpaca: AlpacaEval 2 of a model.
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "judge/alpaca_score.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo eval alpaca --annotations annotations.json --gamed df_gamed.csv\n"
    "  lmpo eval alpaca --annotations a.json --against b.json --gamed df_gamed.csv\n";

struct EvalAlpacaOptions {
  fs::path annotations;
  fs::path against;
  fs::path model_outputs;
  fs::path gamed;
  fs::path difficulty;
  std::optional<double> lc_penalty;
  fs::path leaderboard;
  fs::path output;
};

void declare(OptionSet& set, EvalAlpacaOptions& options) {
  set.group("Judged outputs");
  set.add("annotations", options.annotations,
          "annotations.json of the model, as alpaca_eval or this command wrote it",
          {.value_name = "FILE", .required = true});
  set.add(
      "against", options.against,
      "annotations of a second model: show the difference, with the error of paired differences",
      {.value_name = "FILE"});
  set.add("model_outputs", options.model_outputs,
          "model_outputs.json: check that the annotations are of these outputs",
          {.value_name = "FILE"});
  set.group("Length control");
  set.add("gamed", options.gamed,
          "df_gamed.csv of the dataset tatsu-lab/alpaca_eval on the Hub, for the length-controlled "
          "win rate; without its column preference, the sum known from published models is used",
          {.value_name = "FILE"});
  set.add("difficulty", options.difficulty,
          "instruction_difficulty.csv of the same dataset, in place of the difficulties of "
          "df_gamed.csv",
          {.value_name = "FILE"});
  set.add("lc_penalty", options.lc_penalty, "penalty C of the regression",
          {.range = kPositive, .default_text = "by cross-validation"});
  set.group("Results");
  set.add("leaderboard", options.leaderboard, "leaderboard.csv that the model's row is added to",
          {.value_name = "FILE"});
  set.add("output", options.output, "folder for leaderboard.csv and annotations.json",
          {.value_name = "DIR"});
  set.section("Examples", kExamples);
  set.check([&] {
    for (const char* name : {"difficulty", "lc_penalty"}) {
      if (set.given(name) && options.gamed.empty()) {
        set.reject(name, "is of length control, which needs --gamed df_gamed.csv");
      }
    }
    if (set.given("leaderboard") && options.output.empty()) {
      set.reject("leaderboard", "give --output DIR, where the new leaderboard.csv is to go");
    }
  });
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
  std::optional<LengthControlInput> length_control;
  if (options.gamed.empty()) {
    log_warning(
        "no length-controlled win rate: it needs --gamed df_gamed.csv, of the dataset "
        "tatsu-lab/alpaca_eval on the Hugging Face Hub");
  } else {
    length_control = read_length_control(options.gamed, options.difficulty, options.lc_penalty);
  }
  const LengthControlInput* input = length_control ? &*length_control : nullptr;
  const Annotations annotations = read_annotations(options.annotations);
  if (!options.model_outputs.empty()) {
    check_outputs(annotations, options.model_outputs);
  }
  std::vector<AlpacaScore> scores = {score_alpaca(annotations, input)};
  if (!options.against.empty()) {
    const Annotations others = read_annotations(options.against);
    scores.push_back(score_alpaca(others, input));
    fmt::print("{}", alpaca_table(scores));
    print_difference(difference_of({annotations, scores[0]}, {others, scores[1]}), scores[0],
                     scores[1]);
  } else {
    fmt::print("{}", alpaca_table(scores));
  }
  if (!options.output.empty()) {
    write_results(options, annotations, scores[0]);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kEvalAlpacaCommand = command<declare, run>(
    "Scores a model on AlpacaEval 2: the rate at which a judge prefers its answers to those of "
    "GPT-4, as it is, and as it would be at equal length.");

}  // namespace lmpo
