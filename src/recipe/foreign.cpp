#include "recipe/foreign.h"

#include <algorithm>
#include <map>

#include "recipe/option_type.h"
#include "recipe/pages/words.h"

namespace lmpo {
namespace {

bool is_off(std::string_view text) {
  return text.empty() || text == "null" || text == "none" || text == "~" || text == "[]" ||
         parse_bool(text) == false || parse_real(text) == 0.0;
}

using Table = std::map<std::string, const ForeignFamily*, std::less<>>;

Table make_table(bool of_beginnings) {
  Table table;
  for (const ForeignFamily& family : foreign_families()) {
    for (const std::string& name : words_of(family.names)) {
      if (name.ends_with('*') == of_beginnings) {
        table[name.substr(0, name.find('*'))] = &family;
      }
    }
  }
  return table;
}

}  // namespace

bool ForeignFamily::allows(std::string_view text) const {
  const std::string value = lower(text);
  const auto is_value = [&](std::string_view other) { return lower(other) == value; };
  return accepts == Accepts::anything || is_off(value) == (accepts == Accepts::off) ||
         value == "null" || value == "none" || std::ranges::any_of(values, is_value);
}

const ForeignFamily* find_foreign_key(std::string_view name) {
  static const Table exact = make_table(false);
  static const Table beginnings = make_table(true);
  if (const auto found = exact.find(name); found != exact.end()) {
    return found->second;
  }
  for (const auto& [beginning, family] : beginnings) {
    if (name.starts_with(beginning)) {
      return family;
    }
  }
  return nullptr;
}

std::string_view program_of_key(std::string_view name) {
  static const std::map<std::string_view, std::string_view> programs = {
      {"stage", "LLaMA-Factory"},
      {"finetuning_type", "LLaMA-Factory"},
      {"template", "LLaMA-Factory"},
      {"cutoff_len", "LLaMA-Factory"},
      {"dataset_dir", "LLaMA-Factory"},
      {"pref_beta", "LLaMA-Factory"},
      {"pref_loss", "LLaMA-Factory"},
      {"pref_ftx", "LLaMA-Factory"},
      {"quantization_bit", "LLaMA-Factory"},
      {"base_model", "axolotl"},
      {"sequence_len", "axolotl"},
      {"num_epochs", "axolotl"},
      {"rl", "axolotl"},
      {"rl_beta", "axolotl"},
      {"sample_packing", "axolotl"},
      {"dataset_prepared_path", "axolotl"},
      {"val_set_size", "axolotl"},
      {"evals_per_epoch", "axolotl"},
      {"saves_per_epoch", "axolotl"},
      {"dataset_mixture", "the alignment handbook"},
      {"dataset_mixer", "the alignment handbook"}};
  const auto found = programs.find(name);
  return found == programs.end() ? std::string_view() : found->second;
}

std::string_view not_a_recipe(std::string_view key) {
  static const std::map<std::string_view, std::string_view> files = {
      {"compute_environment", "a configuration of accelerate"},
      {"distributed_type", "a configuration of accelerate"},
      {"num_machines", "a configuration of accelerate"},
      {"zero_optimization", "a configuration of DeepSpeed"},
      {"train_micro_batch_size_per_gpu", "a configuration of DeepSpeed"},
      {"merge_method", "a configuration of mergekit"}};
  const auto found = files.find(key);
  return found == files.end() ? std::string_view() : found->second;
}

}  // namespace lmpo
