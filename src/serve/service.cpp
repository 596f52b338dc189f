#include "serve/service.h"

#include <algorithm>

#include "base/log.h"

namespace lmpo {

std::size_t Service::find_model(const std::string& id) const {
  const auto found = std::ranges::find(models, id, &ServedModel::id);
  if (id.empty()) {
    return 0;
  }
  if (found == models.end()) {
    std::string known;
    for (const ServedModel& model : models) {
      known += (known.empty() ? "'" : ", '") + model.id + "'";
    }
    throw ApiError(
        404,
        fmt::format("The model '{}' does not exist; this server has {}", id.substr(0, 100), known),
        "model", "model_not_found");
  }
  return static_cast<std::size_t>(found - models.begin());
}

void Service::note_unknown(const std::vector<std::string>& fields) {
  constexpr std::size_t kMostNames = 100;  // a client could make up any number
  for (const std::string& field : fields) {
    const std::lock_guard lock(mutex_);
    if (noted_.size() < kMostNames && noted_.insert(field).second) {
      log_warning("requests have a field that does nothing here: '{}'", field.substr(0, 100));
    }
  }
}

}  // namespace lmpo
