// lmpo validate: everything that can be wrong with a run, before it starts.
#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/machine_memory.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/run_facts.h"
#include "data/files.h"
#include "io/finite.h"
#include "objective/registry.h"
#include "recipe/run_data.h"
#include "train/checkpoints.h"
#include "train/examples.h"
#include "train/run_plan.h"
#include "train/train_state.h"
#include "validate/output_folder.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo validate recipe.yaml                       what lmpo train would meet\n"
    "  lmpo validate recipe.yaml --json                the same for a program\n"
    "  lmpo validate --model DIR --data pairs.jsonl --output_dir out\n"
    "  lmpo validate recipe.yaml --without_weights --max_memory 80GB --max_disk 1TB\n"
    "                                                  a run on another machine\n"
    "The exit code is 2 where there are errors, 0 where there are none.\n";

struct ValidateOptions {
  TrainRecipe recipe;
  bool json = false;
  bool without_weights = false;
  Bytes max_disk;
};

constexpr const char* kSeeHelp =
    "lmpo train --help explains each option, docs/options.md lists them";

// What was refused in several lines, as one.
std::string one_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\n') {
      line += text[at];
      continue;
    }
    line += "; ";
    at = std::min(text.find_first_not_of(" \n", at), text.size()) - 1;
  }
  return line;
}

// What to do about a remark of the options.
std::string_view remedy_of(const Remark& remark) {
  static const std::map<std::string_view, std::string_view> remedies = {
      {"option_unknown", "correct the name, or remove it"},
      {"option_invalid", "give such a value, or leave it out for the default"},
      {"option_missing", "give it in the recipe or as a flag"},
      {"options_contradict", "change one of them"},
      {"option_renamed", "no action needed: both names work"},
      {"option_not_used", "no action needed"},
      {"option_ignored", "remove it, or choose an objective that uses it"},
      {"objective_inferred", "if another is meant, name it: objective: NAME"},
      {"nll_not_added", "set cpo_alpha: 0 for the paper's SimPO, or another number for its NLL"},
      {"recipe_of_another_program", "compare the settings that lmpo train --dry_run shows"},
      {"recipe_unreadable", "correct the file: it holds lines of 'name: value'"}};
  const auto found = remedies.find(remark.name);
  return found == remedies.end() ? kSeeHelp : found->second;
}

// Reads what training would read, as far as it goes, and goes on after what is refused.
class RunSurvey {
 public:
  RunSurvey(const ValidateOptions& options, const OptionSet& set)
      : recipe_(options.recipe),
        set_(set),
        options_(options),
        text_(recipe_),
        facts_(recipe_, set) {}

  Findings run();

 private:
  // False where the body was refused; the finding has its words as the reason.
  template <typename Body>
  bool attempt(const char* name, std::string_view option, const char* remedy, Body&& body);

  void take_remarks();
  void open_output();
  void open_machine();
  void read_model();
  void read_weights();
  void read_reference();
  void read_text();
  void read_data();
  std::optional<Dataset> read_rows(const std::vector<DataSource>& sources, DataPurpose purpose,
                                   const char* what, const char* option);
  void measure_run();
  void plan_memory_of_run();
  void compare_with_checkpoint() const;

  const TrainRecipe& recipe_;
  const OptionSet& set_;
  const ValidateOptions& options_;
  RunText text_;
  RunFacts facts_;
  Findings refused_;
  std::unique_ptr<Objective> objective_;
  std::shared_ptr<Device> device_;
  fs::path weights_;  // the model's folder, or the checkpoint that is resumed
  TrainInputs inputs_;
  bool has_train_ = false;
};

template <typename Body>
bool RunSurvey::attempt(const char* name, std::string_view option, const char* remedy,
                        Body&& body) {
  try {
    body();
    return true;
  } catch (const UserError& error) {
    refused_.error(name, facts_.where(option), one_line(error.what()), remedy);
  } catch (const MachineError& error) {
    refused_.error(name, facts_.where(option), one_line(error.what()), remedy);
  } catch (const fs::filesystem_error& error) {
    refused_.error(name, facts_.where(option), one_line(error.what()), remedy);
  }
  return false;
}

Findings RunSurvey::run() {
  take_remarks();
  attempt("objective_invalid", "objective", kSeeHelp, [&] {
    objective_ = make_objective(recipe_.objective, recipe_.objective_options);
    facts_.needs_reference = objective_->needs_reference();
  });
  open_output();
  open_machine();
  if (!recipe_.model_name_or_path.empty()) {
    read_model();
  }
  read_data();
  if (has_train_ && objective_ && facts_.model) {
    measure_run();
  }
  Findings all = refused_;
  for (const Finding& finding : check_run(facts_, CheckedBy::validate).all()) {
    all.add(finding);
  }
  return all;
}

void RunSurvey::take_remarks() {
  for (const Remark& remark : set_.remarks()) {
    const Severity severity = remark.level == LogLevel::error     ? Severity::error
                              : remark.level == LogLevel::warning ? Severity::warning
                                                                  : Severity::note;
    const std::string prefix = remark.place + ": ";
    refused_.add({severity, remark.name, remark.place,
                  remark.text.starts_with(prefix) ? remark.text.substr(prefix.size()) : remark.text,
                  std::string(remedy_of(remark))});
  }
}

void RunSurvey::open_output() {
  if (!recipe_.output_dir.empty()) {
    attempt("output_dir_unusable", "output_dir", "name a folder of this run's own",
            [&] { require_output_folder(recipe_); });
  }
}

void RunSurvey::open_machine() {
  attempt("device_unavailable", "device",
          "leave device out, which takes what there is; lmpo env shows it",
          [&] { device_ = open_device(recipe_.device); });
  if (device_) {
    facts_.machine = machine_facts(*device_, recipe_, CheckedBy::validate);
  }
}

void RunSurvey::read_model() {
  weights_ = recipe_.model_name_or_path;
  if (!recipe_.resume_from_checkpoint.empty()) {
    attempt("checkpoint_missing", "resume_from_checkpoint",
            "start anew without resume_from_checkpoint, or name a checkpoint that is there", [&] {
              weights_ = find_checkpoint(recipe_.resume_from_checkpoint, recipe_.output_dir);
            });
  }
  const bool there =
      attempt("model_missing", "model_name_or_path", "name the folder of a Hugging Face checkpoint",
              [&] { require_model_folder(weights_); });
  if (!there) {
    return;
  }
  attempt("model_config_invalid", "model_name_or_path",
          "lmpo trains Llama and Mistral models: correct config.json or take another model",
          [&] { facts_.model = read_model_config(weights_); });
  if (facts_.model) {
    read_weights();
    read_reference();
  }
  read_text();
}

void RunSurvey::read_weights() {
  const bool any = fs::exists(weights_ / "model.safetensors") ||
                   fs::exists(weights_ / "model.safetensors.index.json");
  if (!any && options_.without_weights) {
    refused_.note("weights_missing", facts_.where("model_name_or_path"),
                  fmt::format("{}: the weights are not there and were not looked at; all else was "
                              "checked by config.json",
                              weights_.string()),
                  "fetch them before the run, and validate once more without --without_weights");
    return;
  }
  const bool fits =
      attempt(any ? "weights_misfit" : "weights_missing", "model_name_or_path",
              any ? "tensors and config.json must be of one model: fetch it anew"
                  : "fetch them; --without_weights checks a run whose model is not there yet",
              [&] { check_tensors(*facts_.model, Checkpoint::open(weights_)); });
  if (fits) {
    attempt("weights_not_finite", "model_name_or_path", "use another checkpoint",
            [&] { require_finite(Checkpoint::open(weights_)); });
  }
}

void RunSurvey::read_reference() {
  if (!facts_.needs_reference.value_or(false) || recipe_.reference_model.empty()) {
    return;
  }
  attempt("reference_unusable", "ref_model_name_or_path",
          "name the folder of a model with the same tokenizer, or leave it out: then the model as "
          "it is before training is the reference",
          [&] {
            const ModelConfig reference = read_model_config(recipe_.reference_model);
            if (reference.vocab_size < facts_.model->vocab_size) {
              user_error("{}: the reference model has {} tokens, the model {}",
                         recipe_.reference_model.string(), reference.vocab_size,
                         facts_.model->vocab_size);
            }
            const Checkpoint weights = Checkpoint::open(recipe_.reference_model);
            check_tensors(reference, weights);
            require_finite(weights);
          });
}

void RunSurvey::read_text() {
  attempt("tokenizer_unusable", "model_name_or_path",
          "fetch the tokenizer's files of the model anew; docs/formats.md says what is read", [&] {
            const TextModel& text = text_.get();
            const std::vector<std::int64_t> stops =
                facts_.model ? read_stop_ids(recipe_.model_name_or_path, *facts_.model)
                             : std::vector<std::int64_t>();
            facts_.text = text_facts(text.tokenizer, text.chat_template(), stops);
          });
}

void RunSurvey::read_data() {
  RunData data;
  if (!attempt("dataset_invalid", "dataset", kSeeHelp, [&] { data = run_data(recipe_); })) {
    return;
  }
  if (auto rows = read_rows(data.training, DataPurpose::training, "train data", "dataset")) {
    inputs_.train = std::move(*rows);
    has_train_ = true;
  }
  if (!data.evaluation.empty()) {
    const char* option = recipe_.eval_dataset.empty() ? "dataset" : "eval_dataset";
    inputs_.evaluation =
        read_rows(data.evaluation, DataPurpose::evaluation, "evaluation data", option);
  } else if (has_train_ && recipe_.test_split_size > 0) {
    attempt("test_split_impossible", "test_split_size", "hold out fewer rows", [&] {
      inputs_.evaluation = hold_out_evaluation(inputs_.train, recipe_);
      facts_.train = read_data_facts(inputs_.train, recipe_, *facts_.model, text_.if_read(),
                                     "train data", "dataset");
      facts_.evaluation = read_data_facts(*inputs_.evaluation, recipe_, *facts_.model,
                                          text_.if_read(), "evaluation data", "test_split_size");
    });
  }
}

std::optional<Dataset> RunSurvey::read_rows(const std::vector<DataSource>& sources,
                                            DataPurpose purpose, const char* what,
                                            const char* option) {
  bool all_there = !sources.empty();
  for (const DataSource& source : sources) {
    all_there &= attempt("data_missing", option, "correct the path, or fetch the data first", [&] {
      for (const fs::path& file : find_data_files(source, purpose)) {
        if (!fs::exists(file)) {
          user_error("{}: there is no such file", file.string());
        }
      }
    });
  }
  if (!all_there || text_.if_read() == nullptr || !facts_.model) {
    return std::nullopt;
  }
  std::optional<Dataset> rows;
  attempt("data_unreadable", option,
          "correct the row, or leave it out; lmpo inspect shows rows, docs/formats.md the schemas",
          [&] {
            rows = load_rows(sources, purpose, text_, recipe_);
            DataFacts facts =
                read_data_facts(*rows, recipe_, *facts_.model, text_.if_read(), what, option);
            (purpose == DataPurpose::training ? facts_.train : facts_.evaluation) =
                std::move(facts);
          });
  return rows;
}

void RunSurvey::measure_run() {
  if (inputs_.train.trees.empty()) {
    return;
  }
  const auto prepare = [&](std::vector<Tree>& trees) {
    prepare_examples(trees, *objective_, recipe_.data.max_length);
  };
  const bool prepared = attempt("too_few_rows", "dataset", "use more data", [&] {
    prepare(inputs_.train.trees);
    if (inputs_.evaluation) {
      prepare(inputs_.evaluation->trees);
    }
  });
  if (!prepared || !attempt("batch_exceeds_data", "gradient_accumulation_steps",
                            "choose a smaller batch, or leave dataloader_drop_last out", [&] {
                              facts_.length = RunLength(recipe_, std::ssize(inputs_.train.trees));
                            })) {
    return;
  }
  if (!recipe_.output_dir.empty()) {
    attempt("disk_unknown", "output_dir", "name a folder that can be read", [&] {
      facts_.disk = disk_facts(recipe_, *facts_.model, *facts_.length);
      if (options_.max_disk.count > 0) {
        facts_.disk->free = options_.max_disk.count;
      }
    });
  }
  if (weights_ != recipe_.model_name_or_path) {
    attempt("checkpoint_unusable", "resume_from_checkpoint",
            "use the same data and options for its tokens, or start anew",
            [&] { compare_with_checkpoint(); });
  }
  if (device_) {
    plan_memory_of_run();
  }
}

void RunSurvey::compare_with_checkpoint() const {
  verify_checkpoint(weights_);
  if (read_train_state(weights_).data_fingerprint != data_fingerprint(inputs_.train.trees)) {
    user_error("{}: the checkpoint was trained on other data, or with other options for its tokens",
               weights_.string());
  }
}

void RunSurvey::plan_memory_of_run() {
  std::unique_ptr<Ops> ops;
  attempt("compute_unsupported", "compute", "leave compute out: float32 is computed everywhere",
          [&] { ops = device_->make_ops(compute_type(*device_, recipe_.compute)); });
  if (!ops) {
    return;
  }
  inputs_.recipe = recipe_;
  std::optional<RunPlan> planned;
  attempt("plan_impossible", "model_name_or_path", "choose smaller sizes, or another device",
          [&] { planned.emplace(inputs_, *facts_.model, *facts_.length, *device_, *ops); });
  if (!planned) {
    return;
  }
  const RunPlan& plan = *planned;
  facts_.memory = MemoryFacts{
      .plan = plan.memory(),
      .allowed = recipe_.max_memory.count > 0 ? static_cast<std::size_t>(recipe_.max_memory.count)
                                              : device_->available_memory(),
      .host_allowed = available_memory(),
      .device = device_->name(),
      .recompute = std::string(recompute_name(plan.model_options().recompute)),
      .computed_at_once = plan.train_limits().micro_batch};
}

void declare(OptionSet& set, ValidateOptions& options) {
  set.collect_mistakes();
  add_train_options(set, options.recipe);
  set.group("Of lmpo validate alone");
  set.add("json", options.json, "one JSON object instead of text");
  set.add("without_weights", options.without_weights,
          "check a run whose model is not there yet, but for config.json and the tokenizer");
  set.add("max_disk", options.max_disk, "room for the run's files; 0: what is free");
  set.section("Examples", kExamples);
}

int run(const ValidateOptions& options, const OptionSet& set) {
  const TrainRecipe& recipe = options.recipe;
  set_log_level(set.given("log_level") ? recipe.log_level : LogLevel::error);
  apply_threads(recipe.threads);
  const Findings findings = RunSurvey(options, set).run();
  if (options.json) {
    fmt::print("{}\n", to_json(findings).dump(1, ' ', true, json::error_handler_t::replace));
  } else {
    TerminalText out(Terminal::standard_output());
    print(findings, out);
    std::fwrite(out.text().data(), 1, out.text().size(), stdout);
  }
  return findings.count(Severity::error) > 0 ? 2 : 0;
}

}  // namespace

constinit const CommandCode kValidateCommand = command<declare, run>(
    "Checks everything that can be wrong with a run of lmpo train, which takes the same options, "
    "before it starts: files, shapes, tokens, template, rows, memory, disk, batches, the learning "
    "rate. Changes nothing.");

}  // namespace lmpo
