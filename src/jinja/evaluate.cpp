// Expressions.
#include <array>

#include "jinja/arithmetic.h"
#include "jinja/functions.h"
#include "jinja/interpreter.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

// The most arguments that * and ** may unpack.
constexpr std::size_t kMostArguments = 1000;

std::optional<std::int64_t> bound(const Value& value) {
  return value.is_none() ? std::nullopt : std::optional(value.integer("a slice"));
}

void check_count(std::size_t count) {
  if (count > kMostArguments) {
    fail("more than {} arguments are unpacked", kMostArguments);
  }
}

}  // namespace

Value Interpreter::evaluate(const Expression& expression, const ScopePtr& scope) {
  const Level level(*this);
  budget_.work(kStepWork);
  switch (expression.kind) {
    case Expression::Kind::constant:
      return expression.value;
    case Expression::Kind::name:
      return name(expression, *scope);
    case Expression::Kind::list:
    case Expression::Kind::tuple:
      return list(expression, scope);
    case Expression::Kind::dict:
      return dict(expression, scope);
    case Expression::Kind::unary: {
      const Value operand = evaluate(*expression.items[0], scope);
      return expression.text == "not" ? Value(!operand.truth())
                                      : signed_value(expression.text, operand);
    }
    case Expression::Kind::chain:
      return chain(expression, scope);
    case Expression::Kind::concatenate:
      return concatenate(expression, scope);
    case Expression::Kind::all:
      return first_that(false, expression, scope);
    case Expression::Kind::any:
      return first_that(true, expression, scope);
    case Expression::Kind::compare:
      return compare(expression, scope);
    case Expression::Kind::conditional:
      return conditional(expression, scope);
    case Expression::Kind::attribute:
      return attribute_of(evaluate(*expression.items[0], scope), expression.text);
    case Expression::Kind::item: {
      const Value object = evaluate(*expression.items[0], scope);
      return item_of(object, evaluate(*expression.items[1], scope));
    }
    case Expression::Kind::slice:
      return slice_of(expression, scope);
    case Expression::Kind::call:
      return call(expression, scope);
    case Expression::Kind::filter:
    case Expression::Kind::test:
      return filter(expression, scope);
  }
  return {};
}

Value Interpreter::name(const Expression& expression, const Scope& scope) const {
  const Value* found = scope.find(expression.text);
  return found != nullptr ? *found
                          : Value(Undefined(fmt::format("'{}' is undefined", expression.text)));
}

Value Interpreter::list(const Expression& expression, const ScopePtr& scope) {
  std::vector<Value> items;
  items.reserve(expression.items.size());
  for (const auto& item : expression.items) {
    items.push_back(evaluate(*item, scope));
  }
  return Value::list(std::move(items),
                     expression.kind == Expression::Kind::tuple ? ListKind::tuple : ListKind::list);
}

Value Interpreter::dict(const Expression& expression, const ScopePtr& scope) {
  Dict dict;
  for (std::size_t i = 0; i + 1 < expression.items.size(); i += 2) {
    Value key = evaluate(*expression.items[i], scope);
    check_key(key);
    dict.set(std::move(key), evaluate(*expression.items[i + 1], scope));
  }
  return Value::dict(std::move(dict));
}

Value Interpreter::chain(const Expression& expression, const ScopePtr& scope) {
  Value left = evaluate(*expression.items[0], scope);
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    left = binary_value(expression.operators[i], left, evaluate(*expression.items[i + 1], scope));
  }
  return left;
}

Value Interpreter::concatenate(const Expression& expression, const ScopePtr& scope) {
  TextWriter text("'~'");
  for (const auto& item : expression.items) {
    text.add(evaluate(*item, scope).str().string());
  }
  return text.take();
}

// The first item that is true (or false), else the last.
Value Interpreter::first_that(bool truth, const Expression& expression, const ScopePtr& scope) {
  Value value;
  for (const auto& item : expression.items) {
    value = evaluate(*item, scope);
    if (value.truth() == truth) {
      break;
    }
  }
  return value;
}

Value Interpreter::compare(const Expression& expression, const ScopePtr& scope) {
  Value left = evaluate(*expression.items[0], scope);
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    Value right = evaluate(*expression.items[i + 1], scope);
    if (!compare_values(expression.operators[i], left, right)) {
      return false;
    }
    left = std::move(right);
  }
  return true;
}

Value Interpreter::conditional(const Expression& expression, const ScopePtr& scope) {
  if (evaluate(*expression.items[1], scope).truth()) {
    return evaluate(*expression.items[0], scope);
  }
  return expression.items[2] != nullptr
             ? evaluate(*expression.items[2], scope)
             : Value(Undefined("the inline if has no else, and its condition is false"));
}

Value Interpreter::slice_of(const Expression& expression, const ScopePtr& scope) {
  const Value object = evaluate(*expression.items[0], scope);
  std::array<Value, 3> parts{nullptr, nullptr, nullptr};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (expression.items[i + 1] != nullptr) {
      parts[i] = evaluate(*expression.items[i + 1], scope);
    }
  }
  const std::int64_t step = bound(parts[2]).value_or(1);
  if (object.is_string()) {
    return slice(object.string(), bound(parts[0]), bound(parts[1]), step);
  }
  const List* list = object.as_list();
  if (list == nullptr || list->kind > ListKind::range) {
    if (object.is_undefined()) {
      object.as<Undefined>().refuse();
    }
    fail("{} has no slices", object.type_name());
  }
  const SlicePlaces places =
      slice_places(list->items.size(), bound(parts[0]), bound(parts[1]), step);
  charge_work(places.count * kItemWork);
  std::vector<Value> items;
  items.reserve(places.count);
  for (std::size_t i = 0; i < places.count; ++i) {
    items.push_back(list->items[places.at(i)]);
  }
  return Value::list(std::move(items), list->kind);
}

Arguments Interpreter::arguments_of(const Expression& expression, const ScopePtr& scope) {
  Arguments arguments;
  for (std::size_t i = 1; i < expression.items.size(); ++i) {
    arguments.positional.push_back(evaluate(*expression.items[i], scope));
  }
  if (expression.more_items != nullptr) {
    const auto more = evaluate(*expression.more_items, scope).iterate();
    check_count(more->items.size());
    arguments.positional.insert(arguments.positional.end(), more->items.begin(), more->items.end());
  }
  for (const auto& [name, value] : expression.named) {
    arguments.named.emplace_back(name, evaluate(*value, scope));
  }
  if (expression.more_named != nullptr) {
    const Value more = evaluate(*expression.more_named, scope);
    const Dict* dict = more.as_dict();
    if (dict == nullptr || dict->kind != Dict::Kind::dict) {
      fail("** expects a dict, got {}", more.type_name());
    }
    check_count(dict->entries.size());
    for (const auto& [name, value] : dict->entries) {
      arguments.named.emplace_back(name.text("**"), value);
    }
  }
  arguments.check_names();
  return arguments;
}

Value Interpreter::call(const Expression& expression, const ScopePtr& scope) {
  const Value function = evaluate(*expression.items[0], scope);
  return call_value(function, arguments_of(expression, scope));
}

Value Interpreter::filter(const Expression& expression, const ScopePtr& scope) {
  const Value value = evaluate(*expression.items[0], scope);
  const Arguments arguments = arguments_of(expression, scope);
  return expression.kind == Expression::Kind::filter
             ? apply_filter(expression.text, value, arguments)
             : Value(apply_test(expression.text, value, arguments));
}

}  // namespace lmpo::jinja
