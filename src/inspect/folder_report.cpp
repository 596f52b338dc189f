#include "inspect/folder_report.h"

#include "inspect/run_facts.h"

namespace lmpo {

bool is_checkpoint(const fs::path& folder) {
  return fs::exists(folder / "config.json");
}

bool is_run(const fs::path& folder) {
  return is_run_folder(folder) && !fs::exists(folder / "lmpo_state.json");
}

FolderReport folder_report(const fs::path& folder) {
  FolderReport report;
  report.states = checkpoint_states(folder);
  if (is_run(folder)) {
    report.run = read_run_folder(folder);
  }
  if (is_checkpoint(folder)) {
    report.facts = checkpoint_facts(folder);
  }
  return report;
}

FolderReport folder_report(const fs::path& folder, const fs::path& other) {
  FolderReport report;
  report.facts = checkpoint_facts(folder);
  report.difference = checkpoint_difference(folder, other);
  return report;
}

ordered_json to_json(const FolderReport& report) {
  ordered_json content = report.facts ? to_json(*report.facts) : ordered_json::object();
  if (report.run) {
    content["run"] = to_json(*report.run);
  }
  if (report.difference) {
    content["difference"] = to_json(*report.difference);
  }
  if (!report.states.empty()) {
    content["checkpoints"] = to_json(report.states);
  }
  return content;
}

void print(const FolderReport& report, TerminalText& out) {
  if (report.run) {
    print(*report.run, out);
  }
  if (report.run && report.facts) {
    out.heading("The model in the folder");
  }
  if (report.facts) {
    print(*report.facts, out);
  }
  if (report.difference) {
    print(*report.difference, out);
  }
  print(report.states, out);
}

}  // namespace lmpo
