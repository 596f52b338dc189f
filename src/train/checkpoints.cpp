#include "train/checkpoints.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/temporary_name.h"

namespace lmpo {
namespace {

constexpr const char* kStateFile = "lmpo_state.json";
constexpr const char* kRunFile = "lmpo_run.json";
constexpr const char* kSetAside = ".set-aside";
constexpr std::size_t kHashedAtOnce = std::size_t{1} << 24;

using Checkpoints = std::vector<std::pair<std::int64_t, fs::path>>;

// N of a folder's name "checkpoint-N".
std::optional<std::int64_t> step_of(std::string_view name) {
  constexpr std::string_view prefix = "checkpoint-";
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  return error == std::errc() && end == name.data() + name.size() && step > 0 ? std::optional(step)
                                                                              : std::nullopt;
}

// The checkpoints of all runs.
Checkpoints all_checkpoints(const fs::path& output_dir) {
  Checkpoints found;
  if (!fs::is_directory(output_dir)) {
    return found;
  }
  for (const auto& entry : fs::directory_iterator(output_dir)) {
    const auto step = step_of(entry.path().filename().string());
    if (step && fs::exists(entry.path() / kStateFile)) {
      found.emplace_back(*step, entry.path());
    }
  }
  std::ranges::sort(found);
  return found;
}

json parse_leniently(const fs::path& file) {
  return fs::exists(file) ? json::parse(read_file(file), nullptr, false) : json();
}

std::int64_t number_or_zero(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number_integer()
             ? found->get<std::int64_t>()
             : 0;
}

std::int64_t run_number(const fs::path& checkpoint) {
  return number_or_zero(parse_leniently(checkpoint / kStateFile), "run");
}

RunIdentity recorded_run(const fs::path& output_dir) {
  const json record = parse_leniently(output_dir / kRunFile);
  const json run = record.is_object() ? record.value("run", json()) : json();
  return {.number = number_or_zero(run, "number"), .begin = number_or_zero(run, "begin")};
}

bool belongs(const RunIdentity& run, std::int64_t step, const fs::path& checkpoint) {
  return step <= run.begin || run_number(checkpoint) == run.number;
}

std::string hash_of(const fs::path& path) {
  const MappedFile file(path);
  Hash hash;
  for (std::size_t begin = 0; begin < file.bytes().size(); begin += kHashedAtOnce) {
    const auto piece =
        file.bytes().subspan(begin, std::min(kHashedAtOnce, file.bytes().size() - begin));
    hash.add_bytes(piece.data(), piece.size());
    file.forget(begin, begin + piece.size());
  }
  return hash.text();
}

std::string checksum(const json& state) {
  const std::string text = state.dump();
  Hash hash;
  hash.add_bytes(text.data(), text.size());
  return hash.text();
}

// What to do about a checkpoint that is damaged.
std::string another_checkpoint(const fs::path& damaged) {
  const auto step = step_of(damaged.filename().string());
  std::string older;
  for (const auto& [other, folder] : list_checkpoints(damaged.parent_path())) {
    if (step && other < *step) {
      older = folder.string();
    }
  }
  return older.empty() ? "There is no older checkpoint beside it: start again"
                       : "Resume from an older one: --resume_from_checkpoint " + older;
}

}  // namespace

Checkpoints list_checkpoints(const fs::path& output_dir) {
  Checkpoints found = all_checkpoints(output_dir);
  // Reads the states only if there was more than one run.
  if (const RunIdentity run = recorded_run(output_dir); run.number > 0) {
    std::erase_if(found,
                  [&](const auto& entry) { return !belongs(run, entry.first, entry.second); });
  }
  return found;
}

fs::path find_checkpoint(const std::string& resume, const fs::path& output_dir) {
  if (resume != "true") {
    if (!fs::is_directory(resume)) {
      user_error("--resume_from_checkpoint {}: there is no such folder", resume);
    }
    return resume;
  }
  const auto checkpoints = list_checkpoints(output_dir);
  if (checkpoints.empty()) {
    user_error("--resume_from_checkpoint: there is no checkpoint in {}", output_dir.string());
  }
  return checkpoints.back().second;
}

json to_json(const RunIdentity& run) {
  return {{"number", run.number}, {"begin", run.begin}};
}

RunIdentity resumed_run(const fs::path& output_dir, const fs::path& checkpoint,
                        const TrainState& state) {
  RunIdentity run = {.number = state.run, .begin = is_in(checkpoint, output_dir) ? state.step : 0};
  const Checkpoints all = all_checkpoints(output_dir);
  const bool goes_back =
      std::ranges::any_of(all, [&](const auto& entry) { return entry.first > run.begin; });
  if (goes_back) {
    for (const auto& [step, folder] : all) {
      run.number = std::max(run.number, run_number(folder));
    }
    ++run.number;
  }
  return run;
}

void set_aside_others(const fs::path& output_dir, const RunIdentity& run) {
  std::vector<std::string> names;
  for (const auto& [step, folder] : all_checkpoints(output_dir)) {
    if (belongs(run, step, folder)) {
      continue;
    }
    const fs::path base = folder.string() + kSetAside;
    fs::path aside = base;
    for (int i = 2; fs::exists(aside); ++i) {
      aside = fmt::format("{}-{}", base.string(), i);
    }
    std::error_code error;
    fs::rename(folder, aside, error);
    if (error) {
      machine_error("{}: cannot be renamed to {}: {}", folder.string(), aside.string(),
                    error.message());
    }
    names.push_back(aside.filename().string());
  }
  if (!names.empty()) {
    log_warning(
        "{}: another run saved checkpoints after step {}; they are renamed to {}. Delete them when "
        "you no longer need them",
        output_dir.string(), run.begin, fmt::join(names, ", "));
  }
}

void remove_set_aside(const fs::path& output_dir) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(output_dir)) {
    const std::string name = entry.path().filename().string();
    const std::size_t end = name.find(kSetAside);
    if (end != std::string::npos && step_of(std::string_view(name).substr(0, end)) &&
        fs::exists(entry.path() / kStateFile)) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& folder : found) {
    try {
      remove_checkpoint(folder);
    } catch (const MachineError& error) {
      log_warning("{}", error.what());
    }
  }
}

bool is_in(const fs::path& checkpoint, const fs::path& output_dir) {
  std::error_code ignored;
  return fs::equivalent(checkpoint / "..", output_dir, ignored);
}

void write_train_state(const fs::path& folder, const TrainState& state) {
  json content = state.to_json();
  json& files = content["files"] = json::object();
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[entry.path().filename().string()] = hash_of(entry.path());
    }
  }
  content["checksum"] = checksum(content);
  write_file_atomically(folder / kStateFile, content.dump(2) + "\n");
}

TrainState read_train_state(const fs::path& folder) {
  const fs::path path = folder / kStateFile;
  if (!fs::exists(path)) {
    user_error("{}: not a checkpoint of lmpo: it has no {}", folder.string(), kStateFile);
  }
  return TrainState::from_json(read_json(path), path.string());
}

bool verify_checkpoint(const fs::path& folder) {
  const fs::path state_file = folder / kStateFile;
  if (!fs::exists(state_file)) {
    return false;
  }
  json state = read_json(state_file);
  if (!state.is_object() || !state.contains("files") || !state["files"].is_object()) {
    return false;
  }
  const auto damaged = [&](const fs::path& file, const char* how) {
    user_error("{}: {}: the checkpoint is damaged. {}", file.string(), how,
               another_checkpoint(folder));
  };
  const json written = state.value("checksum", json());
  state.erase("checksum");
  if (written != checksum(state)) {
    damaged(state_file, "changed since it was written");
  }
  for (const auto& [name, hash] : state["files"].items()) {
    if (!fs::exists(folder / name)) {
      damaged(folder / name, "missing");
    }
    if (hash != hash_of(folder / name)) {
      damaged(folder / name, "changed since it was written");
    }
  }
  return true;
}

void remove_checkpoint(const fs::path& folder) {
  const fs::path doomed = temporary_beside(folder);
  std::error_code error;
  fs::rename(folder, doomed, error);
  if (!error) {
    fs::remove_all(doomed, error);
  }
  if (error) {
    machine_error("{}: cannot be removed: {}", folder.string(), error.message());
  }
}

}  // namespace lmpo
