// What a template computes with: Python's values, as far as templates meet them.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace lmpo::jinja {

// A template that fails: what jinja2 would raise. The place is added by whoever knows it.
class TemplateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw TemplateError(fmt::format(format, std::forward<Args>(args)...));
}

class Value;
struct Arguments;

struct Undefined {
  std::string reason;  // what an error says when it is used: "'x' is undefined"
};
struct List {
  std::vector<Value> items;
  bool is_tuple = false;
};
struct Dict {
  enum class Kind { dict, record };  // a record has attributes only: namespace(), loop
  std::vector<std::pair<Value, Value>> entries;
  Kind kind = Kind::dict;

  const Value* find(const Value& key) const;  // null where there is none
  void set(Value key, Value value);
};
struct Callable {
  std::string name;
  std::function<Value(const Arguments&)> call;
};

// Lists and dictionaries are shared, as in Python: a copy is the same object.
class Value {
 public:
  using None = std::nullptr_t;
  using Variant =
      std::variant<Undefined, None, bool, std::int64_t, double, std::string, std::shared_ptr<List>,
                   std::shared_ptr<Dict>, std::shared_ptr<Callable>>;

  Value() = default;
  Value(None) : held_(nullptr) {}
  Value(bool value) : held_(value) {}
  Value(std::int64_t value) : held_(value) {}
  Value(double value) : held_(value) {}
  Value(std::string value) : held_(std::move(value)) {}
  Value(const char* value) : held_(std::string(value)) {}
  Value(Undefined value) : held_(std::move(value)) {}
  static Value list(std::vector<Value> items, bool is_tuple = false);
  static Value dict(Dict content);
  static Value callable(std::string name, std::function<Value(const Arguments&)> call);
  static Value from_json(const ordered_json& content);

  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(held_);
  }
  template <typename T>
  const T& as() const& {
    return std::get<T>(held_);
  }
  template <typename T>
  T as() && {
    return std::get<T>(std::move(held_));
  }
  bool is_undefined() const { return is<Undefined>(); }
  bool is_none() const { return is<None>(); }
  bool is_string() const { return is<std::string>(); }
  bool is_integer() const { return is<bool>() || is<std::int64_t>(); }  // bool is one, in Python
  bool is_number() const { return is_integer() || is<double>(); }
  // Null where the value is something else.
  List* as_list() const;
  Dict* as_dict() const;
  const Callable* as_callable() const;

  bool truth() const;
  std::string str() const;                       // Python's str(); "" when undefined
  std::string repr() const;                      // Python's repr()
  std::string_view type_name() const;            // for messages
  std::int64_t integer(const char* what) const;  // TemplateError unless an integer
  double number(const char* what) const;
  const std::string& text(const char* what) const&;
  std::string text(const char* what) &&;
  // Items to loop over: a list's, a dictionary's keys, a text's characters; none when undefined.
  std::vector<Value> iterate() const;
  std::int64_t length() const;

  bool operator==(const Value& other) const;  // Python's: 1 == 1.0 == True

 private:
  Variant held_ = Undefined{};
};

// Python's order; TemplateError for values that have none.
std::partial_ordering order(const Value& a, const Value& b);

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // The argument at a place or of a name; the fallback where it was not given.
  Value get(std::size_t place, std::string_view name, Value fallback) const;
  // TemplateError when it was not given.
  Value need(std::size_t place, std::string_view name) const;
  // TemplateError when there are more arguments than `most` by place.
  void at_most(std::size_t most, std::string_view function) const;
};

// As Python's json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort_keys); indent < 0
// for one line.
std::string to_json(const Value& value, std::int64_t indent, bool sort_keys);

// The largest text or list a template may make.
inline constexpr std::size_t kMostBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMostItems = 1 << 20;

}  // namespace lmpo::jinja
