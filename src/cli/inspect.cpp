// lmpo inspect: data as the model will see it.
#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "inspect/data_survey.h"
#include "inspect/data_text.h"
#include "inspect/row_kind.h"
#include "recipe/train_recipe.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo inspect pairs.jsonl --model DIR                     rows, lengths, what is dropped\n"
    "  lmpo inspect pairs.jsonl -m DIR --rows 7,12 --show_tokens 0\n"
    "  lmpo inspect pairs.jsonl -m DIR --max_length 1024 --max_prompt_length 512\n"
    "  lmpo inspect pairs.jsonl -m DIR --pack --max_pack_tokens 8192\n"
    "  lmpo inspect pairs.jsonl -m DIR --json\n";

struct InspectOptions {
  std::vector<DataSource> data;
  fs::path model;
  fs::path chat_template;
  std::string kind = "auto";
  SurveyOptions survey;
  bool pack = false;
  std::int64_t max_pack_tokens = 8192;
  std::int64_t most_trees = 128;
  std::int64_t accumulation = 1;
  std::int64_t seed = 42;
  bool json = false;
  std::int64_t threads = 0;
};

void declare(OptionSet& set, InspectOptions& options) {
  set.group("What to look at");
  set.add_positional("DATA", options.data, "files, patterns or folders of rows",
                     {.required = true});
  set.add("model_name_or_path", options.model,
          "folder of the checkpoint whose tokenizer and chat template are used",
          {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  set.add("chat_template_path", options.chat_template,
          "a file with another chat template than the model's", {.value_name = "FILE"});
  set.add("kind", options.kind, "what rows are read as; auto: as the first row looks",
          {.choices = {"auto", "preference", "sft", "labelled", "ranked"}});
  set.group("Rows that are shown");
  set.add("rows", options.survey.rows, "their numbers, counted from 0",
          {.range = at_least(0), .default_text = "the first ones"});
  set.add("show", options.survey.show, "how many, where --rows names none", {.range = at_least(0)});
  set.add("show_tokens", options.survey.show_tokens,
          "most tokens shown of a prompt or a response; 0: all", {.range = at_least(0)});
  add_data_options(set, options.survey.data);
  set.group("Packs");
  set.add("pack", options.pack, "how well the packs of an epoch of training are filled");
  set.add("max_pack_tokens", options.max_pack_tokens, "most input tokens in a pack",
          {.range = at_least(1)});
  set.add("per_device_train_batch_size", options.most_trees, "most rows in a pack",
          {.range = at_least(1)});
  set.add("gradient_accumulation_steps", options.accumulation,
          "a global batch has this many times per_device_train_batch_size rows",
          {.range = at_least(1)});
  set.add("seed", options.seed, "of the order of rows", {.range = at_least(0)});
  set.group("Output");
  set.add("json", options.json, "everything as one JSON object");
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
  return detect_row_kind(options.data);
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
      load_dataset(options.data, text.tokenizer, text.chat_template(), survey_options.data,
                   DataPurpose::training, {}, [&](const RowSeen& seen) { survey.add(seen); });
  DataReport report = survey.finish(dataset);
  for (const DataSource& source : options.data) {
    report.sources.push_back(source.path.string());
  }
  report.model = options.model.string();
  report.row_kind = name(survey_options.data.kind);
  if (options.pack && !dataset.trees.empty()) {
    report.packs =
        pack_report(dataset.trees,
                    {.global_batch = options.most_trees * options.accumulation,
                     .seed = static_cast<std::uint64_t>(options.seed)},
                    {.max_trees = options.most_trees, .max_tokens = options.max_pack_tokens});
  }
  return report;
}

}  // namespace

int run_inspect(const std::vector<std::string>& arguments) {
  InspectOptions options;
  OptionSet set(
      "lmpo inspect",
      "Shows rows of data as the model will see them: what is prompt, what is scored, what "
      "is cut; how long they are, which are dropped and why, and what looks wrong.");
  declare(set, options);
  if (!set.parse(arguments)) {
    return 0;
  }
  apply_threads(options.threads);
  const DataReport report = report_on_data(options);
  std::string text;
  if (options.json) {
    // ASCII alone: what a terminal would obey is escaped.
    text = to_json(report).dump(1, ' ', true, json::error_handler_t::replace) + "\n";
  } else {
    TerminalText out(Terminal::standard_output());
    print(report, out);
    text = out.text();
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace lmpo
