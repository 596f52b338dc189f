#include "cli/command_table.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/names.h"
#include "cli/commands.h"
#include "recipe/option_set.h"

namespace lmpo {
namespace {

constexpr const char* kTrain = "Train";
constexpr const char* kLook = "Look at data and models";
constexpr const char* kData = "Make data";
constexpr const char* kConvert = "Make and convert models";
constexpr const char* kMeasure = "Try and measure";
constexpr const char* kLearn = "Learn more";

constexpr std::array table = std::to_array<Command>({
    {"train", kTrain, "train a checkpoint on preferences (LMPO, SimPO, DPO, ...)", run_train},
    {"sft", kTrain, "train a checkpoint on answers: train with --objective sft", run_sft},
    {"validate", kTrain,
     "check a run before it starts: files, tokens, rows, memory, disk, settings", run_validate},
    {"plan", kTrain, "the memory of a training step, before anything is loaded", run_plan},
    {"inspect", kLook, "data as the model will see it, with statistics; what a checkpoint holds",
     run_inspect},
    {"report", kLook, "training runs side by side, in one page", run_report},
    {"chat", kLook, "talk with a model, or with two side by side", run_chat},
    {"score", kLook, "log-probabilities of chosen and rejected responses", run_score},
    {"tokenize", kLook, "text to ids and back", run_tokenize},
    {"generate", kData, "answer prompts, once or several times", run_generate},
    {"pair", kData, "preferences of scored samples: the best against the worst", run_pair},
    {"merge", kConvert, "average or interpolate checkpoints", run_merge},
    {"export", kConvert, "write a checkpoint for llama.cpp (GGUF), or in another type", run_export},
    {"init", kConvert, "make a random model", run_init},
    {"example", kMeasure, "the whole way in a small world of its own: data, SFT, LMPO, a table",
     run_example},
    {"demo", kMeasure,
     "the paper in miniature: every method in the small world, with standard errors", run_demo},
    {"bench", kMeasure, "how fast this machine trains a model, part by part", run_bench},
    {"env", kMeasure, "what this program and this machine are", run_env},
    {"help", kLearn, "explain a command, an objective or another topic", run_help},
    {"docs", kLearn, "print a page of the documentation that is made from the program", run_docs},
});

}  // namespace

std::span<const Command> commands() {
  return table;
}

const Command& find_command(const std::string& name) {
  const auto found =
      std::ranges::find_if(table, [&](const Command& command) { return command.name == name; });
  if (found != table.end()) {
    return *found;
  }
  std::vector<std::string> names;
  for (const Command& command : table) {
    names.emplace_back(command.name);
  }
  user_error("there is no command '{}'{}; lmpo --help lists them", name, suggestion(name, names));
}

std::vector<ListedCommand> describe_commands() {
  std::vector<ListedCommand> all;
  for (const Command& command : table) {
    all.push_back(
        {command.name, command.group, command.summary, OptionSet::describe_command(command.run)});
  }
  return all;
}

}  // namespace lmpo
