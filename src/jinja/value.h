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
#include "jinja/budget.h"

namespace lmpo::jinja {

// An error in a template, where jinja2 would raise one. The interpreter adds the line.
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
struct List;
struct Dict;
struct Callable;
struct Loop;

// Python's iterable types. A group is the tuple that groupby makes.
enum class ListKind { list, tuple, group, range, keys, values, items, generator };

struct Text {
  explicit Text(std::string held);
  const std::string bytes;
  const Charge charge;
};

// An undefined value. Using it is an error that says why: "'x' is undefined".
class Undefined {
 public:
  Undefined() = default;
  explicit Undefined(std::string reason)
      : reason_(std::make_shared<const Text>(std::move(reason))) {}
  [[noreturn]] void refuse() const;

 private:
  std::shared_ptr<const Text> reason_;
};

// Texts, lists and dictionaries are shared: a copy is the same object. Nesting is not limited here;
// functions that walk a value limit it (kDeepestValue).
class Value {
 public:
  using None = std::nullptr_t;
  using Variant =
      std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const Text>,
                   std::shared_ptr<const List>, std::shared_ptr<Dict>,
                   std::shared_ptr<const Callable>, std::shared_ptr<const Loop>>;

  Value() = default;
  Value(None) : held_(nullptr) {}
  Value(bool value) : held_(value) {}
  Value(std::int64_t value) : held_(value) {}
  Value(double value) : held_(value) {}
  Value(std::string value) : held_(std::make_shared<const Text>(std::move(value))) {}
  Value(const char* value) : Value(std::string(value)) {}
  Value(Undefined value) : held_(std::move(value)) {}
  Value(std::shared_ptr<const List> value) : held_(std::move(value)) {}
  Value(std::shared_ptr<const Callable> value) : held_(std::move(value)) {}
  Value(std::shared_ptr<const Loop> value) : held_(std::move(value)) {}
  static Value list(std::vector<Value> items, ListKind kind = ListKind::list);
  static Value dict(Dict content);
  // TemplateError if the content is nested deeper than kDeepestValue.
  static Value from_json(const ordered_json& content, int depth = 0);

  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(held_);
  }
  template <typename T>
  const T& as() const {
    return std::get<T>(held_);
  }
  bool is_undefined() const { return is<Undefined>(); }
  bool is_none() const { return is<None>(); }
  bool is_string() const { return is<std::shared_ptr<const Text>>(); }
  bool is_integer() const { return is<bool>() || is<std::int64_t>(); }  // bool is one, in Python
  bool is_number() const { return is_integer() || is<double>(); }
  bool is_container() const { return held_.index() > 5; }
  // Null if the value has another type.
  const List* as_list() const;
  bool is_list(ListKind kind) const;
  Dict* as_dict() const;
  const Callable* as_callable() const;
  const Loop* as_loop() const;
  // Requires is_string(). Does not copy.
  const std::string& string() const { return as<std::shared_ptr<const Text>>()->bytes; }

  bool truth() const;
  Value str() const;                             // Python's str(), a text; "" when undefined
  std::string repr() const;                      // Python's repr()
  std::string_view type_name() const;            // for messages
  std::int64_t integer(const char* what) const;  // TemplateError unless an integer
  double number(const char* what) const;
  const std::string& text(const char* what) const&;
  std::string text(const char* what) &&;
  // What a loop goes over: items of a list, keys of a dictionary, characters of a text; nothing if
  // undefined.
  std::shared_ptr<const List> iterate() const;
  std::int64_t length() const;
  // The work of reading a text once; 0 for other types, since functions over items charge those.
  std::size_t reading_work() const;

  bool operator==(const Value& other) const;  // Python's: 1 == 1.0 == True

 private:
  Variant held_;
};

struct List {
  explicit List(std::vector<Value> content, ListKind of_kind = ListKind::list);
  ~List();
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  std::vector<Value> items;
  ListKind kind;
  mutable std::size_t taken = 0;  // of a generator, which gives each item once
  Charge charge;
};

using Entries = std::vector<std::pair<Value, Value>>;

struct Dict {
  enum class Kind { dict, record };  // a record has attributes only: namespace()

  explicit Dict(Kind of_kind = Kind::dict) : kind(of_kind), charge(0) {}
  ~Dict();
  Dict(Dict&&) = default;
  Dict& operator=(Dict&&) = delete;

  const Value* find(const Value& key) const;  // null where there is none
  const Value* find(std::string_view key) const;
  void set(Value key, Value value);
  void add(Value key, Value value);  // the key must be new

  Entries entries;
  Kind kind;
  Charge charge;
};

struct Callable {
  using Function = std::function<Value(const Value& self, const Arguments&)>;
  Callable(std::string of_name, Value of_self, Function function)
      : name(std::move(of_name)),
        self(std::move(of_self)),
        call(std::move(function)),
        charge(128) {}
  ~Callable();
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;

  std::string name;
  Value self;  // of a method
  Function call;
  Charge charge;
};
Value callable(std::string name, Callable::Function function, Value self = nullptr);

// What a loop's body sees as `loop`.
struct Loop {
  std::shared_ptr<const List> items;
  std::size_t at;
  std::int64_t depth;
  // Loops over other items with the same body; empty unless the loop is recursive.
  std::function<Value(const Arguments&)> again;
  // The last arguments of loop.changed. Never containers, which could hold the loop itself.
  std::shared_ptr<std::vector<Value>> seen;
  Charge charge;
};

// Python's ordering; TemplateError for types that have none.
std::partial_ordering order(const Value& a, const Value& b);

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // The argument by position or name; the fallback if it was not given.
  Value get(std::size_t place, std::string_view name, Value fallback) const;
  // TemplateError if it was not given.
  Value need(std::size_t place, std::string_view name) const;
  // TemplateError for more than `most` positional arguments.
  void at_most(std::size_t most, std::string_view function) const;
  // All but the first `count` positional arguments.
  Arguments after(std::size_t count) const;
  // TemplateError for a repeated name.
  void check_names() const;
  // The work of reading all of them once.
  std::size_t reading_work() const;
};

// Python's json.dumps.
struct JsonStyle {
  std::string indent;  // of one level
  bool lines = false;  // one line where false
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool ascii = false;
  bool sort_keys = false;
};
std::string to_json(const Value& value, const JsonStyle& style);

// Values nested deeper are not printed, compared or passed to templates.
inline constexpr int kDeepestValue = 600;

}  // namespace lmpo::jinja
