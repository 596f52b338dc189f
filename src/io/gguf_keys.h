// The keys of a GGUF file and their values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lmpo {

// Whole numbers of every size are int64, reals double, lists of truth values lists of 0 and 1.
using GgufStoredValue =
    std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>,
                 std::vector<double>, std::vector<std::string>>;

class GgufKeys {
 public:
  GgufKeys() = default;
  // `source` names the file in errors.
  explicit GgufKeys(std::string source) : source_(std::move(source)) {}

  const std::string& source() const { return source_; }
  // False where the key is there already.
  bool add(std::string key, GgufStoredValue value);
  std::vector<std::string> names() const;  // sorted
  bool has(std::string_view key) const { return values_.contains(key); }
  // Whether the key is there and its value is a T.
  template <typename T>
  bool holds(std::string_view key) const {
    const auto found = values_.find(key);
    return found != values_.end() && std::holds_alternative<T>(found->second);
  }

  // T: one of the types of a GgufStoredValue. A whole number is a double too. UserError that names
  // the key: for a value of another type, and from at() for a key that is not there.
  template <typename T>
  std::optional<T> find(std::string_view key) const;
  template <typename T>
  T at(std::string_view key) const;

 private:
  std::string source_;
  std::map<std::string, GgufStoredValue, std::less<>> values_;
};

}  // namespace lmpo
