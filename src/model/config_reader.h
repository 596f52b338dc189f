// Reading and writing the keys of config.json.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace lmpo {

// A number beyond these is a mistake, and products of sizes stay far from overflow.
constexpr std::int64_t kLargestVocabulary = 1 << 24;
constexpr std::int64_t kLargestWidth = 1 << 20;
constexpr std::int64_t kMostLayers = 10000;
constexpr std::int64_t kLongestContext = (std::int64_t{1} << 31) - 1;  // an int32 counts it

// One of config.json's objects. An absent key has a default; null is a value of its own. Every error
// is a UserError that names the key. Object and source must outlive the reader.
class ConfigReader {
 public:
  ConfigReader(const json& object, std::string_view source) : object_(object), source_(source) {}

  // Whether the key is there and not null.
  bool has(std::string_view key) const;
  bool absent(std::string_view key) const { return !object_.contains(key); }
  std::string_view source() const { return source_; }
  const json& at(std::string_view key) const { return object_.at(std::string(key)); }

  // T: bool, std::int64_t, double, std::string.
  template <typename T>
  T value(std::string_view key, const T& fallback) const {
    return absent(key) ? fallback : required<T>(object_, key, source_);
  }
  // A whole number between 1 and `largest`.
  std::int64_t size(std::string_view key, std::int64_t fallback, std::int64_t largest) const;
  // A finite number above 0.
  double positive(std::string_view key, double fallback) const;
  // The same of a number that float32 keeps above 0 and finite.
  float positive_float(std::string_view key, double fallback) const;
  // As positive, of a key that must be there.
  double required_positive(std::string_view key) const;

  template <typename... Args>
  [[noreturn]] void wrong(std::string_view key, fmt::format_string<Args...> format,
                          Args&&... args) const {
    user_error("{}: key '{}': {}", source_, key, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  const json& object_;
  std::string_view source_;
};

// Sets a key whose value differs; one that says the same keeps its spelling (1, 1.0, [2]).
void put(ordered_json& object, const char* key, const ordered_json& value);
// The same, but a key that is absent or null stays so where that means this value: `meaning`.
void put_unless_default(ordered_json& object, const char* key, const ordered_json& value,
                        const ordered_json& meaning);

// Sets a key whose number, as a float32, differs.
void put_float(ordered_json& object, const char* key, float value);
// The shortest decimal that reads back as the same float32: 1e-05, not 9.99999974737875e-06.
double shortest(float value);

}  // namespace lmpo
