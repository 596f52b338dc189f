// Whole training runs, and what they leave on disk. For tests only.
#pragma once

#include <set>
#include <string>

#include "cli/testing/program.h"

namespace lmpo {

inline constexpr const char* kWeights = "model.safetensors";

// The names of what lies in a folder.
inline std::set<std::string> listing(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

inline json read_state(const fs::path& folder) {
  return json::parse(read_file(folder / "trainer_state.json"));
}

inline std::set<std::string> key_set(const json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) {
    names.insert(name);
  }
  return names;
}

class TrainingRuns : public ProgramTest {
 protected:
  static Words train(const fs::path& out, const Words& more = {}) {
    return with(training(out, {"--warmup_steps", "3"}), more);
  }
  static Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Result succeed(const Words& words) {
    Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }

  // All that the next step of a run depends on, and all that it has recorded, without what the
  // clock and the command line put there.
  static Contents essence(const fs::path& out, const std::string& checkpoint) {
    Contents files;
    files[kWeights] = read_file(out / kWeights);
    for (const char* name : {kWeights, "optimizer.safetensors", "trainer_state.json"}) {
      files[checkpoint + "/" + name] = read_file(out / checkpoint / name);
    }
    json state = json::parse(read_file(out / checkpoint / "lmpo_state.json"));
    // Each run has a name of its own, and the checksum covers it and the options.
    for (const char* own : {"options", "run", "checksum"}) {
      state.erase(own);
    }
    files["lmpo_state.json"] = state.dump();
    for (json& line : json_lines(read_file(out / "trainer_log.jsonl"))) {
      for (const char* timed : {"elapsed_time", "remaining_time", "throughput"}) {
        line.erase(timed);
      }
      files["trainer_log.jsonl"] += line.dump() + "\n";
    }
    return files;
  }
};

}  // namespace lmpo
