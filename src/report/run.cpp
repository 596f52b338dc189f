#include "report/run.h"

namespace lmpo {

std::string_view name(RunState state) {
  switch (state) {
    case RunState::going:
      return "going";
    case RunState::done:
      return "done";
    case RunState::interrupted:
      return "interrupted";
    case RunState::failed:
      return "failed";
    case RunState::killed:
      break;
  }
  return "killed";
}

const std::vector<double>* MetricTable::find(std::string_view metric) const {
  const auto found = columns.find(metric);
  return found == columns.end() ? nullptr : &found->second;
}

}  // namespace lmpo
