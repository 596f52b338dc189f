// lmpo inspect: data as the model will see it, what a checkpoint holds, or how a run stands.
#include <cstdio>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "inspect/data_inspection.h"
#include "inspect/data_page.h"
#include "inspect/data_text.h"
#include "inspect/folder_report.h"
#include "inspect/row_kind.h"
#include "recipe/train_recipe.h"

namespace lmpo {
namespace {

constexpr const char* kInspectExamples =
    "  lmpo inspect pairs.jsonl --model DIR                     rows, lengths, dropped rows\n"
    "  lmpo inspect pairs.jsonl -m DIR --rows 7,12 --show_tokens 0\n"
    "  lmpo inspect pairs.jsonl -m DIR --max_length 1024 --max_prompt_length 512\n"
    "  lmpo inspect pairs.jsonl -m DIR --pack --max_pack_tokens 8192\n"
    "  lmpo inspect pairs.jsonl -m DIR --json\n"
    "  lmpo inspect pairs.jsonl -m DIR --html pairs.html\n"
    "  lmpo inspect DIR                                         a checkpoint\n"
    "  lmpo inspect DIR OTHER                                   how two checkpoints differ\n"
    "  lmpo inspect OUTPUT_DIR                                  a training run, finished or not\n";

struct InspectOptions {
  std::vector<DataSource> what;
  fs::path model;
  fs::path chat_template;
  std::string kind = "auto";
  SurveyOptions survey;
  bool pack = false;
  std::int64_t max_pack_tokens = 8192;
  std::int64_t micro_batch = 128;
  std::int64_t accumulation = 1;
  std::int64_t seed = 42;
  TrainRecipe::Sampling sampling = TrainRecipe::Sampling::random;
  bool json = false;
  fs::path html;
  std::int64_t threads = 0;
};

void declare(OptionSet& set, InspectOptions& options) {
  set.group("What to look at");
  set.add_positional("WHAT", options.what,
                     "files, patterns or folders of rows, with --model; or one or two folders of "
                     "checkpoints; or the folder of a training run; none: the model");
  set.add("model_name_or_path", options.model,
          "for rows: the checkpoint whose tokenizer and chat template are used; alone: the "
          "checkpoint to look at",
          {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}});
  set.add("chat_template_path", options.chat_template,
          "chat template to use instead of the model's", {.value_name = "FILE"});
  set.add("kind", options.kind, "how to read rows; auto: by the keys of the first row",
          {.choices = {"auto", "preference", "sft", "labelled", "ranked"}});
  set.group("Rows to show");
  set.add("rows", options.survey.rows, "their numbers, counted from 0",
          {.range = at_least(0), .default_text = "the first ones"});
  set.add("show", options.survey.show, "how many rows, if --rows is not given",
          {.range = at_least(0)});
  set.add("show_tokens", options.survey.show_tokens,
          "maximum tokens to show of a prompt or a response; 0: all", {.range = at_least(0)});
  add_data_options(set, options.survey.data);
  set.group("Packs");
  set.add("pack", options.pack,
          "show how full the packs of one epoch of training are (for one example per row; kto "
          "makes others)");
  set.add("max_pack_tokens", options.max_pack_tokens, "maximum input tokens per micro-batch",
          {.range = at_least(1)});
  set.add("per_device_train_batch_size", options.micro_batch, "micro-batch size in rows",
          {.range = at_least(1)});
  set.add("gradient_accumulation_steps", options.accumulation,
          "a global batch has per_device_train_batch_size times this many rows",
          {.range = at_least(1)});
  set.add("train_sampling_strategy", options.sampling, "order of rows");
  set.add("seed", options.seed, "seed of the random order", {.range = at_least(0)});
  set.group("Output");
  set.add("json", options.json, "print everything as one JSON object");
  set.add("html", options.html, "for rows: also write a page for a browser",
          {.value_name = "FILE"});
  add_threads_option(set, options.threads);
  set.section("Examples", kInspectExamples);
}

DataInspection inspection_of(const InspectOptions& options) {
  DataInspection inspection{.sources = options.what,
                            .model = options.model,
                            .chat_template = options.chat_template,
                            .kind = row_kind_named(options.kind),
                            .survey = options.survey};
  if (options.pack) {
    inspection.packs = {
        .order = {.global_batch = options.micro_batch * options.accumulation,
                  .seed = static_cast<std::uint64_t>(options.seed),
                  .shuffle = options.sampling == TrainRecipe::Sampling::random},
        .limits = {.micro_batch = options.micro_batch, .max_tokens = options.max_pack_tokens}};
  }
  return inspection;
}

// ASCII alone: what a terminal would obey is escaped.
std::string json_text(const ordered_json& report) {
  return report.dump(1, ' ', true, json::error_handler_t::replace) + "\n";
}

std::string data_text(const InspectOptions& options) {
  const DataReport report = inspect_data(inspection_of(options));
  if (!options.html.empty()) {
    write_file_atomically(options.html, data_page(report));
  }
  if (options.json) {
    return json_text(to_json(report));
  }
  TerminalText out(Terminal::standard_output());
  print(report, out);
  return out.text();
}

std::string folder_text(const FolderReport& report, bool as_json) {
  if (as_json) {
    return json_text(to_json(report));
  }
  TerminalText out(Terminal::standard_output());
  print(report, out);
  return out.text();
}

void check_folders(const OptionSet& set, const InspectOptions& options) {
  for (const DataSource& each : options.what) {
    const bool may_be_run = options.what.size() == 1 && is_run(each.path);
    if (!may_be_run && !is_checkpoint(each.path)) {
      set.reject(
          "model_name_or_path",
          fmt::format("to show rows, give the model: --model DIR. To show a folder, give one of a "
                      "checkpoint (it has a config.json) or of a training run; {} is neither",
                      each.path.string()));
    }
  }
  if (!options.html.empty()) {
    set.reject(
        "html",
        "pages are for rows only; for a checkpoint use --json, for training runs lmpo report");
  }
  if (options.what.size() > 2) {
    user_error("give one or two checkpoints, not {}", options.what.size());
  }
}

int run(InspectOptions options, const OptionSet& set) {
  apply_threads(options.threads);
  if (options.what.empty() && options.model.empty()) {
    user_error(
        "WHAT is missing: give rows of data with --model DIR, or the folder of a checkpoint "
        "or a run");
  }
  if (options.what.empty()) {
    options.what = {std::exchange(options.model, {})};
  }
  if (!options.model.empty()) {
    const std::string text = data_text(options);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  check_folders(set, options);
  const FolderReport report = options.what.size() == 2
                                  ? folder_report(options.what[0].path, options.what[1].path)
                                  : folder_report(options.what[0].path);
  const std::string text = folder_text(report, options.json);
  std::fwrite(text.data(), 1, text.size(), stdout);
  require_undamaged(report.states);
  return 0;
}

}  // namespace

constinit const CommandCode kInspectCommand = command<InspectOptions>(
    "Shows rows of data as the model will see them: what is prompt, what is scored, what is "
    "truncated; lengths, dropped rows and why, and warnings. Or shows a checkpoint, the difference "
    "between two checkpoints, or the state of a training run.");

}  // namespace lmpo
