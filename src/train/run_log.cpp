#include "train/run_log.h"

#include "base/error.h"
#include "base/growing_file.h"
#include "base/log.h"
#include "train/records.h"

namespace lmpo {
namespace {

fs::path event_folder(const TrainRecipe& recipe, bool resumed) {
  if (!recipe.logging_dir.empty()) {
    return recipe.logging_dir;
  }
  const fs::path parent = recipe.output_dir / kEventFolders;
  if (const auto newest = newest_event_folder(parent); resumed && newest) {
    return *newest;
  }
  return new_event_folder(parent);
}

std::int64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
}

// The entries of a history, by step and by whether they are of an evaluation.
class Entries {
 public:
  explicit Entries(const json& history) {
    for (const json& entry : history) {
      entries_.emplace(number(entry, "step"), entry.contains("eval_loss"));
    }
  }
  bool has(std::int64_t step, bool evaluation) const {
    return entries_.contains({step, evaluation});
  }
  // The same, and removes it.
  bool take(std::int64_t step, bool evaluation) { return entries_.erase({step, evaluation}) > 0; }

 private:
  std::set<std::pair<std::int64_t, bool>> entries_;
};

}  // namespace

RunLog::RunLog(const TrainRecipe& recipe, bool resumed, const TrainState& state)
    : folder_(recipe.output_dir), first_step_(state.step) {
  attempt(kTrainerLog, [&] {
    Entries entries(state.log_history);
    rewind_lines(folder_ / kTrainerLog, [&](const json& line) {
      return entries.take(number(line, "current_steps"), line.contains("eval_loss"));
    });
  });
  attempt(kEvalSamples, [&] {
    const Entries entries(state.log_history);
    rewind_lines(folder_ / kEvalSamples,
                 [&](const json& line) { return entries.has(number(line, "step"), true); });
  });
  if (recipe.writes_events()) {
    open_events(recipe, resumed, state);
  }
}

// TensorBoard must forget an evaluation that a killed run logged after its last checkpoint. It
// forgets whole steps, so the other entries of that step are written again.
void RunLog::open_events(const TrainRecipe& recipe, bool resumed, const TrainState& state) {
  attempt(kEventFolders, [&] {
    const bool evaluated = Entries(state.log_history).has(state.step, true);
    events_.emplace(event_folder(recipe, resumed), state.step + (evaluated ? 1 : 0));
  });
  for (const json& entry : state.log_history) {
    if (number(entry, "step") == state.step && !entry.contains("eval_loss")) {
      scalars(entry);
    }
  }
}

void RunLog::attempt(const std::string& what, const std::function<void()>& write) {
  try {
    write();
    failing_.erase(what);
  } catch (const std::exception& error) {
    if (failing_.insert(what).second) {
      log_warning("{}\nThe run continues; trainer_state.json has what is missing in {}",
                  error.what(), what);
    }
  }
}

void RunLog::start(const json& options, const ordered_json& model_config) {
  if (events_) {
    attempt(events_->path().string(), [&] {
      events_->text(first_step_, "args", literal_markdown(options.dump(2)));
      events_->text(first_step_, "model_config", literal_markdown(model_config.dump(2)));
    });
  }
}

void RunLog::entry(const json& entry, std::string_view line) {
  attempt(kTrainerLog, [&] { append_line(folder_ / kTrainerLog, line); });
  scalars(entry);
}

void RunLog::scalars(const json& entry) {
  if (events_) {
    attempt(events_->path().string(),
            [&] { events_->scalars(entry.at("step").get<std::int64_t>(), entry); });
  }
}

void RunLog::samples(const std::vector<EvalSample>& samples, std::int64_t step) {
  if (samples.empty()) {
    return;
  }
  std::string lines;
  for (const EvalSample& sample : samples) {
    lines += eval_sample_line(sample, step) + "\n";
  }
  attempt(kEvalSamples, [&] { append_to_file(folder_ / kEvalSamples, lines); });
  if (events_) {
    attempt(events_->path().string(), [&] {
      for (const EvalSample& sample : samples) {
        events_->text(step, fmt::format("eval/sample_{}", sample.index), markdown_sample(sample));
      }
    });
  }
}

}  // namespace lmpo
