// One part of a tokenizer.json (a normalizer, a decoder, ...) and where it stands, for messages.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace lmpo {

class JsonPart {
 public:
  // The whole of the text that `source` names. The JSON value must outlive the part.
  JsonPart(const json& root, std::string_view source) : value_(&root), where_(source) {}

  const json& value() const { return *value_; }
  // "FILE: pre_tokenizer.pretokenizers[1]"
  const std::string& where() const { return where_; }
  // Null, or not there.
  bool absent() const { return value_->is_null(); }

  // The member `key`, or an absent part.
  JsonPart child(std::string_view key) const;
  // The elements of the part, which must be a list.
  std::vector<JsonPart> elements() const;

  template <typename T>
  T required(std::string_view key) const {
    return lmpo::required<T>(*value_, key, where_);
  }
  template <typename T>
  T optional(std::string_view key, const T& fallback) const {
    check_object();
    return lmpo::optional<T>(*value_, key, fallback, where_);
  }

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    throw UserError(where_ + ": " + fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  JsonPart(const json& value, std::string where, int depth)
      : value_(&value), where_(std::move(where)), depth_(depth) {}
  void check_object() const;
  JsonPart inner(const json& value, std::string where) const;

  const json* value_;
  std::string where_;
  int depth_ = 0;
};

// The entry of `known` for the part's "type"; a type that is not there is refused by name.
template <typename T>
const T& choose_by_type(const JsonPart& part, const std::map<std::string, T>& known) {
  const auto type = part.required<std::string>("type");
  const auto found = known.find(type);
  if (found == known.end()) {
    std::string names;
    for (const auto& [name, value] : known) {
      names += (names.empty() ? "" : ", ") + name;
    }
    part.refuse("the type '{}' is not supported; these are: {}", type, names);
  }
  return found->second;
}

}  // namespace lmpo
