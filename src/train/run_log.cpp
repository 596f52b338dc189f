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

}  // namespace

RunLog::RunLog(const TrainRecipe& recipe, bool resumed, std::int64_t step)
    : folder_(recipe.output_dir), first_step_(step) {
  rewind_lines(folder_ / kTrainerLog, "current_steps", step);
  rewind_lines(folder_ / kEvalSamples, "step", step);
  if (recipe.writes_events()) {
    events_.emplace(event_folder(recipe, resumed), step + 1);
  }
}

void RunLog::attempt(const std::string& what, const std::function<void()>& write) {
  try {
    write();
    failing_.erase(what);
  } catch (const MachineError& error) {
    if (failing_.insert(what).second) {
      log_warning("{}\nThe run goes on without; what is missing in {} stands in trainer_state.json",
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
