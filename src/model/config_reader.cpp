#include "model/config_reader.h"

#include <cmath>

namespace lmpo {

bool ConfigReader::has(std::string_view key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

std::int64_t ConfigReader::size(std::string_view key, std::int64_t fallback,
                                std::int64_t largest) const {
  const std::int64_t result = value<std::int64_t>(key, fallback);
  if (result < 1 || result > largest) {
    wrong(key, "must be between 1 and {}, not {}", largest, result);
  }
  return result;
}

double ConfigReader::positive(std::string_view key, double fallback) const {
  const double result = value<double>(key, fallback);
  if (!(result > 0) || !std::isfinite(result)) {
    wrong(key, "must be a positive number, not {}", result);
  }
  return result;
}

float ConfigReader::positive_float(std::string_view key, double fallback) const {
  const double number = positive(key, fallback);
  const auto result = static_cast<float>(number);
  if (!(result > 0) || !std::isfinite(result)) {
    wrong(key, "{} is beyond what float32 can hold", number);
  }
  return result;
}

double ConfigReader::required_positive(std::string_view key) const {
  required<double>(object_, key, source_);
  return positive(key, 0);
}

void put(ordered_json& object, const char* key, const ordered_json& value) {
  if (!object.contains(key) || object[key] != value) {
    object[key] = value;
  }
}

void put_unless_default(ordered_json& object, const char* key, const ordered_json& value,
                        const ordered_json& meaning) {
  const auto found = object.find(key);
  if (value != meaning || (found != object.end() && !found->is_null())) {
    put(object, key, value);
  }
}

void put_float(ordered_json& object, const char* key, float value) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number() ||
      static_cast<float>(found->get<double>()) != value) {
    object[key] = shortest(value);
  }
}

double shortest(float value) {
  return std::stod(fmt::format("{}", value));
}

}  // namespace lmpo
