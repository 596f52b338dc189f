#include "inspect/data_report.h"

#include <fmt/format.h>

namespace lmpo {

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole == 0
             ? "-"
             : fmt::format("{:.1f}%", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

ordered_json to_json(const DataReport& report) {
  const auto list = [](const auto& items) {
    ordered_json all = ordered_json::array();
    for (const auto& item : items) {
      all.push_back(to_json(item));
    }
    return all;
  };
  ordered_json dropped = ordered_json::array();
  for (const DropLine& line : report.drops) {
    dropped.push_back(
        {{"reason", name(line.reason)}, {"count", line.count}, {"first_rows", line.first_rows}});
  }
  return {{"data", report.sources},
          {"model", report.model},
          {"kind", report.row_kind},
          {"rows", report.rows},
          {"kept", report.kept},
          {"conversations", report.conversations},
          {"dropped", std::move(dropped)},
          {"truncation",
           {{"options", report.truncation},
            {"rows", report.cut_rows},
            {"prompt_tokens", report.prompt_tokens},
            {"prompt_tokens_cut", report.prompt_tokens_cut},
            {"response_tokens", report.response_tokens},
            {"response_tokens_cut", report.response_tokens_cut},
            {"identical_afterwards", report.identical_after_truncation}}},
          {"duplicate_rows", report.duplicate_rows},
          {"duplicate_prompts", report.duplicate_prompts},
          {"pairs",
           {{"count", report.pairs},
            {"chosen_longer", report.chosen_longer},
            {"same_length", report.same_length}}},
          {"lengths", list(report.lengths)},
          {"packing", report.packs ? to_json(*report.packs) : ordered_json()},
          {"warnings", report.warnings},
          {"shown", list(report.shown)}};
}

}  // namespace lmpo
