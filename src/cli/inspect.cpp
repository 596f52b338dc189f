// lmpo inspect: data as the model will see it, what a checkpoint holds, or how a run stands.
#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "inspect/checkpoint_difference.h"
#include "inspect/checkpoint_facts.h"
#include "inspect/checkpoint_state.h"
#include "inspect/data_page.h"
#include "inspect/data_survey.h"
#include "inspect/data_text.h"
#include "inspect/row_kind.h"
#include "inspect/run_facts.h"
#include "recipe/train_recipe.h"
#include "report/run_folder.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
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
          "most tokens to show of a prompt or a response; 0: all", {.range = at_least(0)});
  add_data_options(set, options.survey.data);
  set.group("Packs");
  set.add("pack", options.pack,
          "show how full the packs of one epoch of training are (for one example per row; kto "
          "makes others)");
  set.add("max_pack_tokens", options.max_pack_tokens, "most input tokens in a pack",
          {.range = at_least(1)});
  set.add("per_device_train_batch_size", options.micro_batch, "most rows in a pack",
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
  set.section("Examples", kExamples);
}

RowKind kind_of(const InspectOptions& options) {
  for (const RowKind kind :
       {RowKind::preference, RowKind::sft, RowKind::labelled, RowKind::ranked}) {
    if (options.kind == name(kind)) {
      return kind;
    }
  }
  return detect_row_kind(options.what);
}

// Where generation stops: what config.json says, or the tokenizer alone where there is none.
std::vector<std::int64_t> stop_ids(const fs::path& model, const Tokenizer& tokenizer) {
  if (fs::exists(model / "config.json")) {
    return read_stop_ids(model, read_model_config(model));
  }
  const auto eos = tokenizer.eos_id();
  return eos ? std::vector<std::int64_t>{*eos} : std::vector<std::int64_t>();
}

DataReport report_on_data(InspectOptions& options) {
  TextModel text = TextModel::load(options.model);
  if (!options.chat_template.empty()) {
    text.chat =
        ChatTemplate::parse(read_file(options.chat_template), options.chat_template.string());
  }
  SurveyOptions& survey_options = options.survey;
  survey_options.data.kind = kind_of(options);
  survey_options.stop_ids = stop_ids(options.model, text.tokenizer);
  survey_options.has_template = text.chat.has_value();
  DataSurvey survey(text.tokenizer, survey_options);
  const Dataset dataset =
      load_dataset(options.what, text.tokenizer, text.chat_template(), survey_options.data,
                   DataPurpose::training, {}, [&](const RowSeen& seen) { survey.add(seen); });
  DataReport report = survey.finish(dataset);
  for (const DataSource& source : options.what) {
    report.sources.push_back(source.path.string());
  }
  report.model = options.model.string();
  report.row_kind = name(survey_options.data.kind);
  if (options.pack && !dataset.trees.empty()) {
    report.packs =
        pack_report(dataset.trees,
                    {.global_batch = options.micro_batch * options.accumulation,
                     .seed = static_cast<std::uint64_t>(options.seed),
                     .shuffle = options.sampling == TrainRecipe::Sampling::random},
                    {.micro_batch = options.micro_batch, .max_tokens = options.max_pack_tokens});
  }
  return report;
}

// ASCII alone: what a terminal would obey is escaped.
std::string json_text(const ordered_json& report) {
  return report.dump(1, ' ', true, json::error_handler_t::replace) + "\n";
}

std::string inspect_data(InspectOptions& options) {
  const DataReport report = report_on_data(options);
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

bool is_checkpoint(const fs::path& folder) {
  return fs::exists(folder / "config.json");
}

// The output folder of a training; not a checkpoint in it, which has files of the same names.
bool is_run(const fs::path& folder) {
  return is_run_folder(folder) && !fs::exists(folder / "lmpo_state.json");
}

// The folder of a finished run is both a run and a checkpoint.
std::string inspect_folders(const InspectOptions& options,
                            const std::vector<CheckpointState>& states) {
  const fs::path& first = options.what[0].path;
  std::optional<Run> run;
  std::optional<CheckpointFacts> facts;
  std::optional<CheckpointDifference> difference;
  if (options.what.size() == 1 && is_run(first)) {
    run = read_run_folder(first);
  }
  if (is_checkpoint(first)) {
    facts = checkpoint_facts(first);
  }
  if (options.what.size() == 2) {
    difference = checkpoint_difference(first, options.what[1].path);
  }
  if (options.json) {
    ordered_json report = facts ? to_json(*facts) : ordered_json::object();
    if (run) {
      report["run"] = to_json(*run);
    }
    if (difference) {
      report["difference"] = to_json(*difference);
    }
    if (!states.empty()) {
      report["checkpoints"] = to_json(states);
    }
    return json_text(report);
  }
  TerminalText out(Terminal::standard_output());
  if (run) {
    print(*run, out);
  }
  if (run && facts) {
    out.heading("The model in the folder");
  }
  if (facts) {
    print(*facts, out);
  }
  if (difference) {
    print(*difference, out);
  }
  print(states, out);
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
        "WHAT is needed: rows of data with --model DIR, or the folder of a checkpoint "
        "or a run");
  }
  if (options.what.empty()) {
    options.what = {std::exchange(options.model, {})};
  }
  if (options.model.empty()) {
    check_folders(set, options);
  }
  std::vector<CheckpointState> states;
  if (options.model.empty() && options.what.size() == 1) {
    states = checkpoint_states(options.what[0].path);
  }
  const std::string text =
      options.model.empty() ? inspect_folders(options, states) : inspect_data(options);
  std::fwrite(text.data(), 1, text.size(), stdout);
  require_undamaged(states);
  return 0;
}

}  // namespace

constinit const CommandCode kInspectCommand = command<declare, run>(
    "Shows rows of data as the model will see them: what is prompt, what is scored, what is "
    "truncated; lengths, dropped rows and why, and warnings. Or shows a checkpoint, the difference "
    "between two checkpoints, or the state of a training run.");

}  // namespace lmpo
