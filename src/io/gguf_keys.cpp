#include "io/gguf_keys.h"

#include <array>

#include "base/error.h"

namespace lmpo {
namespace {

// What each alternative of a value is called.
constexpr std::array<const char*, std::variant_size_v<GgufStoredValue>> kKindNames = {
    "a whole number",          "a number",          "true or false",  "a text",
    "a list of whole numbers", "a list of numbers", "a list of texts"};

template <typename T>
const char* kind_name() {
  return kKindNames[GgufStoredValue(T()).index()];
}

}  // namespace

bool GgufKeys::add(std::string key, GgufStoredValue value) {
  return values_.emplace(std::move(key), std::move(value)).second;
}

std::vector<std::string> GgufKeys::names() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : values_) {
    names.push_back(key);
  }
  return names;
}

template <typename T>
std::optional<T> GgufKeys::find(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    return std::nullopt;
  }
  if (const T* value = std::get_if<T>(&found->second)) {
    return *value;
  }
  if constexpr (std::is_same_v<T, double>) {
    if (const auto* whole = std::get_if<std::int64_t>(&found->second)) {
      return static_cast<double>(*whole);
    }
  }
  user_error("{}: key '{}': {} was expected, not {}", source_, key, kind_name<T>(),
             kKindNames[found->second.index()]);
}

template <typename T>
T GgufKeys::at(std::string_view key) const {
  std::optional<T> value = find<T>(key);
  if (!value) {
    user_error("{}: the key '{}' is missing; {} was expected", source_, key, kind_name<T>());
  }
  return *std::move(value);
}

#define LMPO_INSTANTIATE(...)                                                 \
  template std::optional<__VA_ARGS__> GgufKeys::find(std::string_view) const; \
  template __VA_ARGS__ GgufKeys::at(std::string_view) const;
LMPO_INSTANTIATE(std::int64_t)
LMPO_INSTANTIATE(double)
LMPO_INSTANTIATE(bool)
LMPO_INSTANTIATE(std::string)
LMPO_INSTANTIATE(std::vector<std::int64_t>)
LMPO_INSTANTIATE(std::vector<double>)
LMPO_INSTANTIATE(std::vector<std::string>)
#undef LMPO_INSTANTIATE

}  // namespace lmpo
