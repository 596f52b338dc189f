// The functions every template finds: jinja2's and those transformers adds.
#include <ctime>

#include "jinja/functions.h"
#include "jinja/interpreter.h"

namespace lmpo::jinja {
namespace {

// As the sandbox of jinja2 limits it.
constexpr std::int64_t kLongestRange = 100'000;

Value range(const Arguments& arguments) {
  arguments.at_most(3, "range");
  const bool only_end = arguments.positional.size() == 1;
  const std::int64_t begin = only_end ? 0 : arguments.need(0, "start").integer("range");
  const std::int64_t end = arguments.need(only_end ? 0 : 1, "stop").integer("range");
  const std::int64_t step = arguments.get(2, "step", std::int64_t{1}).integer("range");
  if (step == 0) {
    fail("range: the step is zero");
  }
  std::vector<Value> items;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (std::ssize(items) >= kLongestRange) {
      fail("range: more than {} items", kLongestRange);
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) {
      break;
    }
  }
  charge_work(items.size() * kItemWork);
  return Value::list(std::move(items), ListKind::range);
}

// dict([('a', 1)])
void add_pairs(Dict& dict, const Value& pairs) {
  const auto all = pairs.iterate();
  for (const Value& pair : all->items) {
    const auto parts = pair.iterate();
    if (parts->items.size() != 2) {
      fail("dict: pairs of a key and a value were expected");
    }
    check_key(parts->items[0]);
    dict.set(parts->items[0], parts->items[1]);
  }
}

// dict(a=1) and namespace(a=1), both also with a dictionary to copy.
Value make_dict(const Arguments& arguments, Dict::Kind kind) {
  arguments.at_most(1, "dict and namespace");
  Dict dict(kind);
  if (!arguments.positional.empty()) {
    const Value& from = arguments.positional[0];
    const Dict* held = from.as_dict();
    if (held != nullptr && held->kind == Dict::Kind::dict) {
      for (const auto& [name, value] : held->entries) {
        dict.add(name, value);
      }
    } else {
      add_pairs(dict, from);
    }
  }
  for (const auto& [name, value] : arguments.named) {
    dict.set(name, value);
  }
  if (kind == Dict::Kind::record) {
    for (const auto& [name, value] : dict.entries) {
      check_attribute_name(name.text("namespace"));
    }
  }
  return Value::dict(std::move(dict));
}

Value strftime_now(const Arguments& arguments, std::time_t now) {
  // Starts with a letter: strftime returns 0 both for an empty text and for one that does not fit.
  const std::string format = "." + arguments.need(0, "format").text("strftime_now");
  std::tm local{};
  localtime_r(&now, &local);
  std::string text(4096, '\0');
  const std::size_t size = std::strftime(text.data(), text.size(), format.c_str(), &local);
  if (size == 0) {
    fail("strftime_now: the date is longer than {} bytes", text.size());
  }
  return text.substr(1, size - 1);
}

// joiner(sep): "" at the first call, the separator at all others.
Value joiner(const Arguments& arguments) {
  const Value separator = arguments.get(0, "sep", ", ");
  return callable(
      "joiner",
      [separator, used = std::make_shared<bool>(false)](const Value&, const Arguments&) -> Value {
        return std::exchange(*used, true) ? separator : Value("");
      });
}

}  // namespace

std::shared_ptr<Scope> global_functions() {
  auto scope = std::make_shared<Scope>(nullptr);
  const auto add = [&](const char* name, Value (*function)(const Arguments&)) {
    scope->values[name] = callable(
        name, [function](const Value&, const Arguments& arguments) { return function(arguments); });
  };
  add("range", range);
  add("dict", [](const Arguments& arguments) { return make_dict(arguments, Dict::Kind::dict); });
  add("namespace",
      [](const Arguments& arguments) { return make_dict(arguments, Dict::Kind::record); });
  add("joiner", joiner);
  add("raise_exception", [](const Arguments& arguments) -> Value {
    fail("the template refuses: {}", arguments.need(0, "message").str().string());
  });
  return scope;
}

void add_clock(Scope& scope, std::time_t now) {
  scope.values["strftime_now"] = callable(
      "strftime_now",
      [now](const Value&, const Arguments& arguments) { return strftime_now(arguments, now); });
}

}  // namespace lmpo::jinja
