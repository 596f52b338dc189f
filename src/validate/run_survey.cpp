#include "validate/run_survey.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/machine_memory.h"
#include "io/finite.h"
#include "model/family.h"
#include "model/freeze.h"
#include "objective/registry.h"
#include "recipe/run_data.h"
#include "train/checkpoints.h"
#include "train/examples.h"
#include "train/run_plan.h"
#include "train/train_state.h"
#include "validate/output_folder.h"
#include "validate/remarks.h"
#include "validate/run_check.h"

namespace lmpo {
namespace {

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

class RunSurvey {
 public:
  RunSurvey(const TrainRecipe& recipe, const SettingPlaces& places,
            const ElsewhereOptions& elsewhere)
      : recipe_(recipe), elsewhere_(elsewhere), facts_(recipe, places) {}

  Findings run();

 private:
  // False where the body threw: its message is the reason of the finding.
  template <typename Body>
  bool attempt(const char* name, std::string_view option, const char* remedy, Body&& body);

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

  // That is resumed; empty where there is none.
  fs::path checkpoint() const {
    return weights_ == recipe_.model_name_or_path ? fs::path() : weights_;
  }
  // Null where it could not be read.
  const TextModel* text() const { return text_ ? text_->if_read() : nullptr; }

  const TrainRecipe& recipe_;
  const ElsewhereOptions& elsewhere_;
  std::optional<LazyText> text_;
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
  all.add(check_run(facts_, CheckedBy::validate));
  return all;
}

void RunSurvey::open_output() {
  if (!recipe_.output_dir.empty()) {
    attempt("output_dir_unusable", "output_dir", "name a folder for this run alone",
            [&] { require_output_folder(recipe_); });
  }
}

void RunSurvey::open_machine() {
  attempt("device_unavailable", "device", "remove device to use what there is; lmpo env shows it",
          [&] { device_ = open_device(recipe_.device); });
  if (device_) {
    facts_.machine = machine_facts(*device_, recipe_, CheckedBy::validate);
  }
}

void RunSurvey::read_model() {
  weights_ = recipe_.model_name_or_path;
  if (!recipe_.resume_from_checkpoint.empty()) {
    attempt("checkpoint_missing", "resume_from_checkpoint",
            "start anew without resume_from_checkpoint, or name an existing checkpoint", [&] {
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
          fmt::format("correct config.json, or take a model of a family that lmpo trains: {}",
                      family_names())
              .c_str(),
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
  if (!any && elsewhere_.without_weights) {
    refused_.note("weights_missing", facts_.where("model_name_or_path"),
                  fmt::format("{}: there are no weights; the rest was checked with config.json",
                              weights_.string()),
                  "download them before the run and validate again without --without_weights");
    return;
  }
  const bool fits =
      attempt(any ? "weights_misfit" : "weights_missing", "model_name_or_path",
              any ? "tensors and config.json must belong to one model: download it again"
                  : "download them, or use --without_weights to check without them",
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
          "name the folder of a model with the same tokenizer, or remove it to use the model "
          "before training as the reference",
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
  std::string date;
  attempt("template_date_invalid", "template_date", "give a date such as 2026-01-31, or remove it",
          [&] { date = template_date(recipe_.template_date, checkpoint()); });
  attempt("tokenizer_unusable", "model_name_or_path",
          "download the model's tokenizer files again; docs/formats.md says what is read", [&] {
            TextOptions options = text_options(recipe_);
            options.date = date;
            const TextModel& text = text_.emplace(std::move(options)).get();
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
      facts_.train =
          read_data_facts(inputs_.train, recipe_, *facts_.model, text(), "train data", "dataset");
      facts_.evaluation = read_data_facts(*inputs_.evaluation, recipe_, *facts_.model, text(),
                                          "evaluation data", "test_split_size");
    });
  }
}

std::optional<Dataset> RunSurvey::read_rows(const std::vector<DataSource>& sources,
                                            DataPurpose purpose, const char* what,
                                            const char* option) {
  std::vector<SourceFiles> found;
  bool all_there = !sources.empty();
  for (const DataSource& source : sources) {
    all_there &=
        attempt("data_missing", option, "correct the path, or download the data first", [&] {
          found.push_back({source, find_data_files(source, purpose)});
          for (const fs::path& file : found.back().files) {
            if (!fs::exists(file)) {
              user_error("{}: there is no such file", file.string());
            }
          }
        });
  }
  if (!all_there || text() == nullptr || !facts_.model) {
    return std::nullopt;
  }
  std::optional<Dataset> rows;
  attempt("data_unreadable", option,
          "correct or remove the row; lmpo inspect shows rows, docs/formats.md the schemas", [&] {
            rows = load_rows(found, purpose, *text_, load_options(recipe_));
            DataFacts facts = read_data_facts(*rows, recipe_, *facts_.model, text(), what, option);
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
                            "choose a smaller batch, or remove dataloader_drop_last", [&] {
                              facts_.length = RunLength(recipe_, std::ssize(inputs_.train.trees));
                            })) {
    return;
  }
  if (!recipe_.output_dir.empty()) {
    attempt("disk_unknown", "output_dir", "name a folder that can be read", [&] {
      facts_.disk = disk_facts(recipe_, *facts_.model, *facts_.length);
      if (elsewhere_.max_disk.count > 0) {
        facts_.disk->free = elsewhere_.max_disk.count;
      }
    });
  }
  if (!checkpoint().empty()) {
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
  attempt("compute_unsupported", "compute", "remove compute: float32 runs everywhere",
          [&] { ops = device_->make_ops(compute_type(*device_, recipe_.compute)); });
  if (!ops) {
    return;
  }
  const bool freezes = attempt("freeze_invalid", "freeze",
                               "name tensors of the checkpoint; lmpo help freeze has examples",
                               [&] { check_freeze(*facts_.model, recipe_.freeze); });
  if (!freezes) {
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
      .micro_batch = plan.train_limits().micro_batch};
}

}  // namespace

Findings survey_run(const TrainRecipe& recipe, const SettingPlaces& places,
                    const ElsewhereOptions& elsewhere) {
  return RunSurvey(recipe, places, elsewhere).run();
}

}  // namespace lmpo
