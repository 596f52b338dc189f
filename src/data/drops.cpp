#include "data/drops.h"

#include <fmt/format.h>

namespace lmpo {
namespace {

constexpr std::array<std::string_view, kDropReasons> kNames = {
    "invalid UTF-8",
    "empty prompt",
    "empty response",
    "identical responses",
    "fewer than two responses",
    "tied scores",
    "no assistant turn",
    "prompt tokenized differently before its two responses",
    "no response left after truncation",
    "chat template leaves out a response",
    "chat template mixes prompt and response",
};
constexpr std::int64_t kRowsShown = 5;

}  // namespace

std::string_view name(DropReason reason) {
  return kNames.at(static_cast<std::size_t>(reason));
}

void DropCounts::add(std::int64_t row, DropReason reason) {
  drops_.push_back({row, reason});
  ++counts_.at(static_cast<std::size_t>(reason));
}

std::int64_t DropCounts::count(DropReason reason) const {
  return counts_.at(static_cast<std::size_t>(reason));
}

std::string DropCounts::summary() const {
  if (drops_.empty()) {
    return "none dropped";
  }
  std::string text = fmt::format("{} dropped", total());
  std::string_view separator = ": ";
  for (std::size_t index = 0; index < kDropReasons; ++index) {
    const auto reason = static_cast<DropReason>(index);
    if (count(reason) == 0) {
      continue;
    }
    std::string rows;
    std::int64_t shown = 0;
    for (const Drop& drop : drops_) {
      if (drop.reason == reason && shown < kRowsShown) {
        rows += fmt::format("{}{}", shown == 0 ? "" : ", ", drop.row);
        ++shown;
      }
    }
    text += fmt::format("{}{} {} ({} {}{})", separator, name(reason), count(reason),
                        count(reason) == 1 ? "row" : "rows", rows,
                        count(reason) > shown ? ", ..." : "");
    separator = ", ";
  }
  return text;
}

}  // namespace lmpo
