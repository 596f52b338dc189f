// The functions every template finds: jinja2's and those transformers adds.
#include <ctime>

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
  return Value::list(std::move(items));
}

// dict(a=1) and namespace(a=1), both also with a dictionary to copy.
Value make_dict(const Arguments& arguments, Dict::Kind kind) {
  arguments.at_most(1, "dict and namespace");
  Dict dict;
  if (!arguments.positional.empty()) {
    const Dict* from = arguments.positional[0].as_dict();
    if (from == nullptr) {
      fail("dict and namespace: expected a dict, got {}", arguments.positional[0].type_name());
    }
    dict.entries = from->entries;
  }
  dict.kind = kind;
  for (const auto& [name, value] : arguments.named) {
    dict.set(name, value);
  }
  return Value::dict(std::move(dict));
}

Value strftime_now(const Arguments& arguments) {
  const std::string format = arguments.need(0, "format").text("strftime_now");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::string text(1024, '\0');
  text.resize(std::strftime(text.data(), text.size(), format.c_str(), &local));
  return text;
}

}  // namespace

void add_globals(Scope& scope) {
  const auto add = [&](const char* name, std::function<Value(const Arguments&)> function) {
    scope.values[name] = Value::callable(name, std::move(function));
  };
  add("range", range);
  add("dict", [](const Arguments& arguments) { return make_dict(arguments, Dict::Kind::dict); });
  add("namespace",
      [](const Arguments& arguments) { return make_dict(arguments, Dict::Kind::record); });
  add("strftime_now", strftime_now);
  add("raise_exception", [](const Arguments& arguments) -> Value {
    fail("the template refuses: {}", arguments.need(0, "message").str());
  });
}

}  // namespace lmpo::jinja
