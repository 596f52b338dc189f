#include "recipe/objective_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <set>

#include "base/error.h"
#include "objective/registry.h"
#include "recipe/foreign.h"

namespace lmpo {
namespace {

constexpr std::string_view kDefault = "lmpo";
// A value this many times outside the published range belongs to another method.
constexpr double kFar = 5;

using Names = std::set<std::string>;

struct Evidence {
  Names objectives;  // those that it allows
  std::string text;  // "r.yaml:3 (stage: dpo)"
};

Names all_objectives() {
  Names names;
  for (const ObjectiveInfo& info : objectives()) {
    names.emplace(info.name);
  }
  return names;
}

Names users_of(std::string_view option) {
  Names names;
  for (const ObjectiveInfo& info : objectives()) {
    if (info.uses(option)) {
      names.emplace(info.name);
    }
  }
  return names;
}

Names objectives_with(bool (*has)(const Objective&)) {
  Names names;
  for (const ObjectiveInfo& info : objectives()) {
    if (has(*info.make(info.defaults))) {
      names.emplace(info.name);
    }
  }
  return names;
}

Names of_pairs() {
  return objectives_with([](const Objective& each) { return each.form() == ExampleForm::pair; });
}

Names with_reference() {
  return objectives_with([](const Objective& each) { return each.needs_reference(); });
}

Names intersection(const Names& a, const Names& b) {
  Names both;
  std::ranges::set_intersection(a, b, std::inserter(both, both.end()));
  return both;
}

std::string listed(const Names& names) {
  return join({names.begin(), names.end()}, ", ");
}

// Old names of options that only some objectives have.
const std::map<std::string, Names>& telling_names() {
  static const std::map<std::string, Names> names = {{"simpo_gamma", {"simpo"}},
                                                     {"dpo_beta", {"dpo"}},
                                                     {"dpo_label_smoothing", {"dpo"}},
                                                     {"rpo_alpha", {"dpo"}},
                                                     {"orpo_alpha", {"orpo"}},
                                                     {"kto_chosen_weight", {"kto"}},
                                                     {"kto_rejected_weight", {"kto"}},
                                                     {"kto_desirable_weight", {"kto"}},
                                                     {"kto_undesirable_weight", {"kto"}},
                                                     {"max_seq_length", {"sft"}},
                                                     {"train_on_prompt", {"sft"}},
                                                     {"assistant_only_loss", {"sft"}},
                                                     {"train_on_inputs", {"sft"}}};
  return names;
}

// The objectives that a key of another program allows.
Names told_by_key(const ForeignKey& key) {
  if (key.name == "stage") {
    return key.text == "sft" ? Names{"sft"} : key.text == "kto" ? Names{"kto"} : of_pairs();
  }
  static const Names sft = {
      "packing",          "dataset_text_field", "assistant_only_loss", "completion_only_loss",
      "packing_strategy", "eval_packing"};
  static const Names reference = {"precompute_ref_log_probs",
                                  "precompute_ref_batch_size",
                                  "sync_ref_model",
                                  "ref_model_sync_steps",
                                  "ref_model_mixup_alpha",
                                  "reference_free",
                                  "f_divergence_type",
                                  "ld_alpha",
                                  "use_weighting",
                                  "force_use_ref_model"};
  if (sft.contains(key.name)) {
    return {"sft"};
  }
  return reference.contains(key.name) ? with_reference() : all_objectives();
}

// "# DPOTrainer arguments", "# SFT trainer config"
Names told_by_comments(const std::string& text) {
  static const std::regex trainer("#[^\n]*?\\b([A-Za-z]+) ?[Tt]rainer\\b");
  const Names known = all_objectives();
  Names found;
  for (std::sregex_iterator at(text.begin(), text.end(), trainer), end; at != end; ++at) {
    std::string name = (*at)[1];
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (known.contains(name)) {
      found.insert(name);
    }
  }
  return found;
}

// Objectives among the words of a name such as "zephyr-7b-dpo-full".
Names words_of_name(const std::string& name) {
  const Names known = all_objectives();
  Names found;
  std::string word;
  for (const char c : name + "/") {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte)) {
      word += static_cast<char>(std::tolower(byte));
      continue;
    }
    if (known.contains(word)) {
      found.insert(word);
    }
    word.clear();
  }
  // Most models are trained from an SFT model, so its name says less.
  if (found.size() > 1) {
    found.erase("sft");
  }
  return found;
}

class Choice {
 public:
  Choice(OptionSet& options, TrainRecipe& recipe) : options_(options), recipe_(recipe) {}

  void make() {
    look_at_keys();
    const Names left = what_is_left();
    if (options_.given("objective")) {
      confirm(said_objective(), options_.place("objective"));
    } else if (recipe_.objective != kDefault) {
      confirm(recipe_.objective, "this command");
    } else {
      infer(left);
    }
  }

 private:
  std::string said_objective() const {
    const std::string& text = options_.written("objective")->texts[0];
    return text == "sigmoid" ? "dpo" : text;
  }

  void add(Names names, const std::string& place, std::string_view key, std::string_view value) {
    if (names.size() < all_objectives().size()) {
      evidence_.push_back({std::move(names), value.empty()
                                                 ? fmt::format("{} ({})", place, key)
                                                 : fmt::format("{} ({}: {})", place, key, value)});
    }
  }

  void look_at_keys() {
    for (const ForeignKey& key : options_.foreign_keys()) {
      add(told_by_key(key), key.place, key.name, key.text);
      is_foreign_ |= key.source == Source::file;
      is_axolotl_ |= program_of_key(key.name) == "axolotl";
    }
    for (const ObjectiveInfo& info : objectives()) {
      for (const std::string_view option : info.options) {
        look_at_option(option);
      }
    }
    for (const char* option : {"max_length", "sft_on", "model_name_or_path"}) {
      look_at_name(option);
    }
    if (options_.given("ref_model_name_or_path")) {
      add(with_reference(), options_.place("ref_model_name_or_path"), "a reference model", "");
    }
    if (is_axolotl_ && !options_.given("objective")) {
      add({"sft"}, options_.config_file().value_or("the recipe"), "axolotl without rl", "");
    }
    if (Names told = told_by_comments(options_.recipe_text()); !told.empty()) {
      const std::string name = listed(told);
      add(std::move(told), options_.config_file().value_or("the recipe"),
          "a comment names the trainer", name);
    }
  }

  void look_at_option(std::string_view option) {
    const RawValue* value = options_.written(option);
    if (value == nullptr || !seen_.insert(std::string(option)).second) {
      return;
    }
    if (telling_names().contains(value->name)) {
      look_at_name(option);
      return;
    }
    if (value->source == Source::file || users_of(option).contains(std::string(kDefault))) {
      add(users_of(option), value->place, value->name, join(value->texts, ", "));
    } else {
      typed_.emplace_back(option);
    }
  }

  void look_at_name(std::string_view option) {
    const RawValue* value = options_.written(option);
    if (value == nullptr) {
      return;
    }
    is_axolotl_ |= value->source == Source::file && program_of_key(value->name) == "axolotl";
    if (const auto told = telling_names().find(value->name); told != telling_names().end()) {
      add(told->second, value->place, value->name, join(value->texts, ", "));
    }
  }

  // cpo_alpha is also the weight that TRL's SimPO, a loss of its CPO trainer, gives to the NLL.
  Names what_is_left() const {
    Names left = all_objectives();
    for (const Evidence& each : evidence_) {
      Names names = each.objectives;
      if (names.contains("cpo") && names.size() == 1) {
        names.insert("simpo");
      }
      left = intersection(left, names);
    }
    return left;
  }

  // All evidence, or only the strongest: what allows the fewest objectives.
  std::string evidence_text(bool all) const {
    std::size_t fewest = all_objectives().size();
    for (const Evidence& each : evidence_) {
      fewest = std::min(fewest, each.objectives.size());
    }
    std::vector<std::string> texts;
    for (const Evidence& each : evidence_) {
      if (all || each.objectives.size() == fewest) {
        texts.push_back(each.text);
      }
    }
    return join(texts, ", ");
  }

  // Trains what was named; a key that names a method must not contradict it.
  void confirm(const std::string& objective, const std::string& by) const {
    for (const ForeignKey& key : options_.foreign_keys()) {
      if (key.name == "stage" && key.allowed && !told_by_key(key).contains(objective)) {
        user_error("{}: stage: {} contradicts {}, which says {}: keep one of the two", key.place,
                   key.text, by, objective);
      }
    }
    if (by != "this command") {
      return;
    }
    for (const Evidence& each : evidence_) {
      if (!each.objectives.contains(objective)) {
        user_error("lmpo {} trains {}, and the recipe is one for {}: {}. Use lmpo train", objective,
                   objective, listed(each.objectives), each.text);
      }
    }
  }

  void infer(Names left) {
    if (!typed_.empty()) {
      user_error(
          "--{} is an option of {}, and {} is trained where none is named: add --objective {}",
          typed_[0], listed(users_of(typed_[0])), kDefault, *users_of(typed_[0]).begin());
    }
    if (left.empty()) {
      user_error(
          "which objective is meant? These contradict one another: {}. Name it: objective: NAME",
          evidence_text(true));
    }
    const bool told = !evidence_.empty();
    if (left.size() > 1 && (told || is_foreign_)) {
      left = narrowed(std::move(left));
    }
    if (left.size() == 1) {
      if (*left.begin() != kDefault) {
        options_.notice({LogLevel::info, "objective_inferred", evidence_[0].text,
                         fmt::format("objective: {} is inferred from {}", *left.begin(),
                                     evidence_text(false))});
      }
      recipe_.objective = *left.begin();
      return;
    }
    if (is_foreign_ || (told && !left.contains(std::string(kDefault)))) {
      refuse_to_guess(left);
    }
    check_beta();
  }

  // By the other program's default, then by the names that people give their runs.
  Names narrowed(Names left) {
    if (options_.given("loss_type") && left.contains("dpo") &&
        !options_.given("gamma_beta_ratio")) {
      return {"dpo"};  // TRL's default trainer of pairs
    }
    if (const auto stage = std::ranges::find(options_.foreign_keys(), "stage", &ForeignKey::name);
        stage != options_.foreign_keys().end() && left.contains("dpo")) {
      return {"dpo"};  // LLaMA-Factory's default pref_loss
    }
    for (const char* key : {"run_name", "hub_model_id"}) {
      const auto found = std::ranges::find(options_.foreign_keys(), key, &ForeignKey::name);
      if (found != options_.foreign_keys().end()) {
        left = narrowed_by(std::move(left), found->text, found->place, key);
      }
    }
    if (const RawValue* output = options_.written("output_dir");
        output != nullptr && output->source == Source::file) {
      left = narrowed_by(std::move(left), output->texts[0], output->place, "output_dir");
    }
    return left;
  }

  Names narrowed_by(Names left, const std::string& name, const std::string& place,
                    std::string_view key) {
    Names both = intersection(left, words_of_name(name));
    if (both.empty() || left.size() == 1) {
      return left;
    }
    evidence_.push_back({both, fmt::format("{} ({}: {})", place, key, name)});
    return both;
  }

  [[noreturn]] void refuse_to_guess(const Names& left) const {
    const std::string recipe = options_.config_file().value_or("the recipe");
    if (evidence_.empty()) {
      user_error(
          "{} is another program's recipe and does not name its objective. Name it: 'objective: "
          "dpo' in the file or --objective dpo (one of {})",
          recipe, listed(left));
    }
    user_error(
        "which objective is meant? {} fits {}. Name it: 'objective: {}' in the file or "
        "--objective {}",
        evidence_text(false), listed(left), *left.begin(), *left.begin());
  }

  // Refuses a recipe whose only hint is a beta that no published run of the default had.
  void check_beta() const {
    const RawValue* beta = options_.written("beta");
    if (beta == nullptr || beta->source != Source::file) {
      return;
    }
    const PublishedRuns& published = find_objective(kDefault).published;
    const double value = parse_real(beta->texts[0]).value_or(published.lowest_beta);
    if (value * kFar >= published.lowest_beta && value <= kFar * published.highest_beta) {
      return;
    }
    user_error(
        "{}: beta {} is far from the published values of {} ({} to {}), and no objective is named. "
        "If the recipe is for dpo, say 'objective: dpo' or --objective dpo; or say 'objective: {}'",
        beta->place, beta->texts[0], kDefault, published.lowest_beta, published.highest_beta,
        kDefault);
  }

  OptionSet& options_;
  TrainRecipe& recipe_;
  std::vector<Evidence> evidence_;
  std::vector<std::string> typed_;  // options of other objectives on the command line
  std::set<std::string> seen_;
  bool is_foreign_ = false;
  bool is_axolotl_ = false;
};

}  // namespace

void choose_objective(OptionSet& options, TrainRecipe& recipe) {
  Choice(options, recipe).make();
}

}  // namespace lmpo
