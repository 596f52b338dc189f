#include "train/records.h"

#include <cmath>
#include <set>

#include "base/host_name.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "train/checkpoints.h"
#include "train/run_log.h"

namespace lmpo {
namespace {

json dataset_record(const Dataset& dataset) {
  json dropped = json::object();
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    if (dataset.drops.count(reason) > 0) {
      dropped[std::string(name(reason))] = dataset.drops.count(reason);
    }
  }
  return {{"rows", dataset.rows},
          {"used", dataset.trees.size()},
          {"truncated", dataset.truncated},
          {"dropped", dropped}};
}

json stateful_callbacks(const BestSoFar& best, const TrainRecipe& recipe) {
  if (recipe.early_stopping_patience == 0) {
    return json::object();
  }
  return {{"EarlyStoppingCallback",
           {{"args",
             {{"early_stopping_patience", recipe.early_stopping_patience},
              {"early_stopping_threshold", recipe.early_stopping_threshold}}},
            {"attributes", {{"early_stopping_patience_counter", best.worse}}}}}};
}

}  // namespace

json option_values(const ordered_json& record) {
  json values = json::object();
  for (const auto& [name, entry] : record.items()) {
    values[name] = json(entry.value("value", ordered_json()));
  }
  return values;
}

json run_record(const TrainInputs& inputs, const TrainState& state, const RunLength& length,
                const MemoryPlan& memory) {
  return {
      {"lmpo_version", inputs.version},
      {"options", json(inputs.options)},
      {"train_data", dataset_record(inputs.train)},
      {"eval_data", inputs.evaluation ? dataset_record(*inputs.evaluation) : json()},
      {"data_fingerprint", state.data_fingerprint},
      {"steps", length.total_steps},
      {"threads", threads()},
      {"host", host_name()},
      {"memory", {{"arena", memory.arena}, {"fixed", memory.fixed}, {"planned", memory.total()}}}};
}

json run_ending(std::string_view how, std::int64_t step, std::string_view message) {
  json ending = {{"how", how}, {"step", step}};
  if (!message.empty()) {
    ending["message"] = replace_invalid_utf8(message);
  }
  return ending;
}

json trainer_state(const TrainState& state, const TrainRecipe& recipe, const RunLength& length,
                   std::int64_t parameters) {
  const BestSoFar& best = state.best;
  const bool saved = best.step > 0 && length.saves_at(best.step);
  return {
      {"best_global_step", best.step > 0 ? json(best.step) : json()},
      {"best_metric", best.metric ? json(*best.metric) : json()},
      {"best_model_checkpoint",
       saved ? json((recipe.output_dir / fmt::format("checkpoint-{}", best.step)).string())
             : json()},
      {"epoch", length.epoch(state.step)},
      {"eval_steps", length.eval_steps > 0 ? length.eval_steps : length.logging_steps},
      {"global_step", state.step},
      {"is_hyper_param_search", false},
      {"is_local_process_zero", true},
      {"is_world_process_zero", true},
      {"log_history", state.log_history},
      {"logging_steps", length.logging_steps},
      {"max_steps", length.total_steps},
      {"num_input_tokens_seen", state.tokens},
      {"num_train_epochs", static_cast<std::int64_t>(std::ceil(length.epoch(length.total_steps)))},
      {"save_steps", length.save_steps},
      {"stateful_callbacks", stateful_callbacks(best, recipe)},
      // Six operations per parameter and token, the estimate of transformers.
      {"total_flos", 6.0 * static_cast<double>(parameters) * static_cast<double>(state.tokens)},
      {"train_batch_size", recipe.per_device_train_batch_size},
      {"trial_name", nullptr},
      {"trial_params", nullptr}};
}

std::string log_line(const TrainState& state, const RunLength& length, const Progress& progress) {
  const json& entry = state.log_history.back();
  ordered_json line = {{"current_steps", state.step}, {"total_steps", length.total_steps}};
  const auto add = [&](const char* name, const char* metric) {
    if (entry.contains(metric)) {
      line[name] = entry[metric];
    }
  };
  add("loss", "loss");
  add("eval_loss", "eval_loss");
  add("reward", "rewards/chosen");
  add("accuracy", "rewards/accuracies");
  add("lr", "learning_rate");
  add("epoch", "epoch");
  const double percentage =
      100.0 * static_cast<double>(state.step) / static_cast<double>(length.total_steps);
  line["percentage"] = std::round(percentage * 100) / 100;
  line["elapsed_time"] = readable_time(progress.elapsed_seconds());
  line["remaining_time"] = readable_time(progress.remaining_seconds());
  line["throughput"] = std::round(progress.tokens_per_second() * 100) / 100;
  line["total_tokens"] = state.tokens;
  // The rest, which LLaMA-Factory has no names for.
  static const std::set<std::string> named = {
      "step",          "loss",      "eval_loss", "epoch", "rewards/chosen", "rewards/accuracies",
      "learning_rate", "num_tokens"};
  for (const auto& [name, value] : entry.items()) {
    if (!named.contains(name)) {
      line[name] = value;
    }
  }
  return line.dump();
}

void rewind_lines(const fs::path& path, const std::function<bool(const json& line)>& keep) {
  if (!fs::exists(path)) {
    return;
  }
  const std::string content = read_file(path);
  std::string kept;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    const std::string line = content.substr(begin, end - begin);
    begin = end + 1;
    const json entry = json::parse(line, nullptr, false);  // a torn last line is none
    if (entry.is_object() && keep(entry)) {
      kept += line + "\n";
    }
  }
  if (kept != content) {
    write_file_atomically(path, kept);
  }
}

void write_results(const fs::path& output_dir, const std::string& split, const json& results) {
  write_file_atomically(output_dir / (split + "_results.json"), results.dump(4) + "\n");
  const fs::path all_path = output_dir / "all_results.json";
  json all = fs::exists(all_path) ? read_json(all_path) : json::object();
  all.update(results);
  write_file_atomically(all_path, all.dump(4) + "\n");
}

void remove_run(const fs::path& output_dir) {
  for (const auto& [step, folder] : list_checkpoints(output_dir)) {
    remove_checkpoint(folder);
  }
  for (const char* name :
       {kTrainerLog, kEvalSamples, "trainer_state.json", "all_results.json", "train_results.json",
        "eval_results.json", "lmpo_run.json", kCurvesFile}) {
    fs::remove(output_dir / name);
  }
  remove_event_files(output_dir / kEventFolders);
}

std::vector<std::string> readable_fields(const json& entry) {
  static constexpr const char* kShown[] = {
      "loss", "rewards/accuracies", "rewards/margins", "rewards/chosen", "rewards/rejected",
      "kl",   "nll_loss",           "grad_norm",       "learning_rate"};
  std::vector<std::string> fields;
  for (const std::string_view metric : kShown) {
    const bool of_one_side = metric == "rewards/chosen" || metric == "rewards/rejected";
    for (const char* prefix : {"", "eval_"}) {
      const std::string name = fmt::format("{}{}", prefix, metric);
      const bool in_margin =
          of_one_side && entry.contains(fmt::format("{}rewards/margins", prefix));
      if (entry.contains(name) && entry[name].is_number() && !in_margin) {
        fields.push_back(fmt::format("{} {:.4g}", name, entry[name].get<double>()));
      }
    }
  }
  return fields;
}

}  // namespace lmpo
