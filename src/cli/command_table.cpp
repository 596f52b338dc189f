#include "cli/command_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/names.h"
#include "cli/commands.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

constexpr const char* kTrain = "Train";
constexpr const char* kLook = "Look at data and models";
constexpr const char* kData = "Make data";
constexpr const char* kEvaluate = "Evaluate";
constexpr const char* kConvert = "Make and convert models";
constexpr const char* kMeasure = "Try and measure";
constexpr const char* kLearn = "Learn more";

constexpr std::array table = std::to_array<Command>({
    {"train", kTrain, "train a checkpoint on preferences (LMPO, SimPO, DPO, ...)", kTrainCommand},
    {"sft", kTrain, "fine-tune a checkpoint on answers (train --objective sft)", kSftCommand},
    {"validate", kTrain,
     "check a run before it starts: files, tokens, rows, memory, disk, settings", kValidateCommand},
    {"plan", kTrain, "show the memory of a training step before anything is loaded", kPlanCommand},
    {"inspect", kLook, "show data as the model sees it, a checkpoint or a run", kInspectCommand},
    {"report", kLook, "compare training runs in one page", kReportCommand},
    {"chat", kLook, "talk with a model, or with two side by side", kChatCommand},
    {"serve", kLook, "answer requests over HTTP, as OpenAI's API does", kServeCommand},
    {"score", kLook, "compute log-probabilities of chosen and rejected responses", kScoreCommand},
    {"tokenize", kLook, "convert text to token ids and back", kTokenizeCommand},
    {"generate", kData, "answer prompts, once or several times", kGenerateCommand},
    {"pair", kData, "make preference pairs from scored samples: best against worst", kPairCommand},
    {"eval", kEvaluate, "evaluate a model on tasks (ARC, GSM8K, ...), as lm-eval does",
     kEvalCommand},
    {"eval alpaca", kEvaluate,
     "score on AlpacaEval 2: win rate, also at equal length, against GPT-4", kEvalAlpacaCommand},
    {"eval arena", kEvaluate, "score on Arena-Hard: win rate with its interval", kEvalArenaCommand},
    {"merge", kConvert, "average or interpolate checkpoints", kMergeCommand},
    {"export", kConvert, "write a checkpoint for llama.cpp (GGUF), or in another type",
     kExportCommand},
    {"import", kConvert, "make a model folder of a GGUF file", kImportCommand},
    {"init", kConvert, "make a random model", kInitCommand},
    {"example", kMeasure, "run the full pipeline (data, SFT, LMPO) on a synthetic toy task",
     kExampleCommand},
    {"demo", kMeasure,
     "repeat the paper in miniature: every method on the toy task, with standard errors",
     kDemoCommand},
    {"bench", kMeasure, "measure how fast this machine trains a model, part by part",
     kBenchCommand},
    {"env", kMeasure, "show facts about this program and this machine", kEnvCommand},
    {"help", kLearn, "explain a command, an objective or another topic", kHelpCommand},
    {"docs", kLearn, "print a page of the documentation generated from the program", kDocsCommand},
});

// What people type who know other programs.
constexpr auto other_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"finetune", "lmpo sft (on answers) or lmpo train (on preferences)"},
    {"fine-tune", "lmpo sft (on answers) or lmpo train (on preferences)"},
    {"fit", "lmpo train"},
    {"run", "lmpo train RECIPE.yaml, or lmpo chat to talk with a model"},
    {"align", "lmpo train"},
    {"tune", "lmpo train"},
    {"resume", "lmpo train ... --resume"},
    {"dry-run", "lmpo train ... --dry_run"},
    {"check", "lmpo validate"},
    {"lint", "lmpo validate"},
    {"evaluate", "lmpo eval (tasks), lmpo score (log-probabilities) or lmpo train --eval_dataset"},
    {"lm-eval", "lmpo eval"},
    {"lm_eval", "lmpo eval"},
    {"tasks", "lmpo help tasks"},
    {"server", "lmpo serve"},
    {"api", "lmpo serve"},
    {"openai", "lmpo serve"},
    {"host", "lmpo serve"},
    {"deploy", "lmpo serve, or lmpo export DIR --output model.gguf for llama.cpp"},
    {"infer", "lmpo generate"},
    {"inference", "lmpo generate"},
    {"predict", "lmpo generate"},
    {"complete", "lmpo generate"},
    {"sample", "lmpo generate --samples N"},
    {"convert", "lmpo export"},
    {"quantize", "lmpo export DIR --type q8_0 --output model.gguf"},
    {"gguf", "lmpo export DIR --output model.gguf, or lmpo import FILE.gguf DIR"},
    {"dequantize", "lmpo import FILE.gguf DIR"},
    {"save", "lmpo export"},
    {"average", "lmpo merge"},
    {"soup", "lmpo merge"},
    {"encode", "lmpo tokenize"},
    {"decode", "lmpo tokenize --decode"},
    {"preprocess", "lmpo inspect, which shows rows as the model sees them; lmpo train tokenizes"},
    {"data", "lmpo inspect"},
    {"show", "lmpo inspect"},
    {"info", "lmpo inspect (a model or data) or lmpo env (this machine)"},
    {"plot", "lmpo report"},
    {"compare", "lmpo report (runs) or lmpo inspect A B (checkpoints)"},
    {"benchmark", "lmpo bench"},
    {"memory", "lmpo plan"},
    {"version", "lmpo --version"},
    {"doctor", "lmpo env"},
    {"download", "hf download NAME; lmpo train then takes models and datasets by NAME"},
});

// Of a word that is no command: an objective, another program's command, or a slip of the pen.
std::string meaning_of(const std::string& word) {
  for (const ObjectiveInfo& info : objectives()) {
    if (word == info.name) {
      return fmt::format(": use lmpo train --objective {}", word);
    }
  }
  for (const auto& [name, meaning] : other_names) {
    if (word == name) {
      return fmt::format(": use {}", meaning);
    }
  }
  std::vector<std::string> names;
  for (const Command& command : table) {
    names.emplace_back(command.name);
  }
  return suggestion(word, names);
}

OptionSet empty_set(const Command& command) {
  return {fmt::format("lmpo {}", command.name), command.code.about};
}

}  // namespace

int Command::run(const std::vector<std::string>& arguments) const {
  return code.run(empty_set(*this), arguments);
}

CommandDescription Command::describe() const {
  return code.describe(empty_set(*this));
}

std::span<const Command> commands() {
  return table;
}

std::vector<std::string> with_whole_name(std::vector<std::string> words) {
  if (words.size() > 1) {
    const std::string both = words[0] + " " + words[1];
    if (std::ranges::find(table, both, &Command::name) != table.end()) {
      words.erase(words.begin());
      words[0] = both;
    }
  }
  return words;
}

const Command& find_command(const std::string& name) {
  const auto found =
      std::ranges::find_if(table, [&](const Command& command) { return command.name == name; });
  if (found != table.end()) {
    return *found;
  }
  if (name.ends_with(".yaml") || name.ends_with(".yml")) {
    user_error("'{}' is not a command; use lmpo train {}", name, name);
  }
  user_error("there is no command '{}'{}; lmpo --help lists them", name, meaning_of(name));
}

std::vector<ListedCommand> describe_commands() {
  std::vector<ListedCommand> all;
  for (const Command& command : table) {
    all.push_back({command.name, command.group, command.summary, command.describe()});
  }
  return all;
}

}  // namespace lmpo
