// The fields of a request's JSON object, each with its type and range checked.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

// Reads a body: UTF-8 JSON, an object. ApiError 400 otherwise.
ordered_json parse_body(std::string_view body);

// Null counts as absent. Every member throws ApiError 400, which names the field, for a value of
// another type or out of range. The object must outlive it. Not thread-safe.
class Fields {
 public:
  // `path` is the object's own name, for messages: "stream_options".
  explicit Fields(const ordered_json& object, std::string path = "")
      : object_(object), path_(std::move(path)) {}

  // Null where it is absent.
  const ordered_json* find(const std::string& name);
  std::optional<bool> truth(const std::string& name);
  std::optional<std::int64_t> whole(const std::string& name, std::int64_t least, std::int64_t most);
  std::optional<double> number(const std::string& name, double least, double most);
  std::optional<std::string> text(const std::string& name);
  const ordered_json* list(const std::string& name);
  const ordered_json* object(const std::string& name);

  // Fields that are known, and that the server does nothing for: they change no answer.
  void ignore(std::initializer_list<const char*> names);
  // A field that would change the answer and is not supported: refused unless it has the value that
  // changes nothing.
  void require_default(const std::string& name, const ordered_json& harmless,
                       std::string_view remedy = "");

  // The names that nobody has asked for.
  std::vector<std::string> unread() const;
  // "stream_options.include_usage".
  std::string path_of(std::string_view name) const;
  [[noreturn]] void wrong_type(std::string_view name, std::string_view expected,
                               const ordered_json& value) const;

 private:
  const ordered_json& object_;
  std::string path_;
  std::set<std::string> read_;
};

// "a string", "an object": what JSON calls a value.
std::string_view kind_of(const ordered_json& value);
// The value as JSON, cut after some 60 characters.
std::string excerpt(const ordered_json& value);

}  // namespace lmpo
