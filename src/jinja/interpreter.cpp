#include "jinja/interpreter.h"

#include <array>
#include <cmath>

#include "jinja/arithmetic.h"
#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

constexpr std::int64_t kMostSteps = 5'000'000;
constexpr int kDeepestCall = 100;
constexpr int kDeepestValue = 100;

// What a loop's body sees as `loop`.
Value loop_record(const std::vector<Value>& items, std::size_t at, int depth) {
  const auto index = static_cast<std::int64_t>(at);
  const std::int64_t count = std::ssize(items);
  Dict record;
  record.kind = Dict::Kind::record;
  record.entries = {
      {"index", index + 1},
      {"index0", index},
      {"revindex", count - index},
      {"revindex0", count - index - 1},
      {"first", index == 0},
      {"last", index == count - 1},
      {"length", count},
      {"depth", static_cast<std::int64_t>(depth)},
      {"depth0", static_cast<std::int64_t>(depth - 1)},
      {"previtem", at > 0 ? items[at - 1] : Value(Undefined{"there is no previous item"})},
      {"nextitem",
       at + 1 < items.size() ? items[at + 1] : Value(Undefined{"there is no next item"})},
      {"cycle", Value::callable("cycle", [at](const Arguments& arguments) {
         if (arguments.positional.empty()) {
           fail("loop.cycle: no items");
         }
         return arguments.positional[at % arguments.positional.size()];
       })}};
  return Value::dict(std::move(record));
}

std::optional<std::int64_t> bound(const Value& value) {
  return value.is_none() ? std::nullopt : std::optional(value.integer("a slice"));
}

}  // namespace

const Value* Scope::find(const std::string& name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer.get()) {
    if (const auto found = scope->values.find(name); found != scope->values.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

Interpreter::Interpreter(const ordered_json& variables)
    : globals_(std::make_shared<Scope>(nullptr)) {
  add_globals(*globals_);
  for (const auto& [name, value] : variables.items()) {
    globals_->values[name] = Value::from_json(value);
  }
}

std::string Interpreter::run(const Block& block) {
  std::string out;
  execute(block, std::make_shared<Scope>(globals_), out);
  return out;
}

void Interpreter::count_steps(std::size_t steps) {
  steps_ += static_cast<std::int64_t>(steps);
  if (steps_ > kMostSteps) {
    fail("the template runs for too long");
  }
}

void Interpreter::append(std::string& out, std::string_view text) const {
  out += text;
  if (out.size() > kMostBytes) {
    fail("the template writes more than {} bytes", kMostBytes);
  }
}

Interpreter::Flow Interpreter::execute(const Block& block, const ScopePtr& scope,
                                       std::string& out) {
  for (const auto& statement : block) {
    const Flow flow = execute(*statement, scope, out);
    if (flow != Flow::on) {
      return flow;
    }
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::execute(const Statement& statement, const ScopePtr& scope,
                                       std::string& out) {
  count_steps(1);
  line_ = statement.line;
  switch (statement.kind) {
    case Statement::Kind::text:
      append(out, statement.text);
      break;
    case Statement::Kind::print:
      append(out, evaluate(*statement.value, scope).str());
      break;
    case Statement::Kind::branch:
      return execute(
          evaluate(*statement.value, scope).truth() ? statement.body : statement.otherwise, scope,
          out);
    case Statement::Kind::loop:
      return loop(statement, scope, out);
    case Statement::Kind::assign:
      bind(*statement.target, evaluate(*statement.value, scope), scope);
      break;
    case Statement::Kind::capture: {
      std::string text;
      const Flow flow = execute(statement.body, std::make_shared<Scope>(scope), text);
      bind(*statement.target, Value(std::move(text)), scope);
      return flow;
    }
    case Statement::Kind::macro:
      scope->values[statement.text] = macro(statement, scope);
      break;
    case Statement::Kind::scope: {
      const auto inner = std::make_shared<Scope>(scope);
      for (const auto& [name, value] : statement.parameters) {
        inner->values[name] = evaluate(*value, scope);
      }
      return execute(statement.body, inner, out);
    }
    case Statement::Kind::leave:
      return Flow::leave;
    case Statement::Kind::next:
      return Flow::next;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::loop(const Statement& statement, const ScopePtr& scope,
                                    std::string& out) {
  std::vector<Value> items = evaluate(*statement.value, scope).iterate();
  count_steps(items.size());
  if (statement.condition != nullptr) {
    std::erase_if(items, [&](const Value& item) {
      const auto inner = std::make_shared<Scope>(scope);
      bind(*statement.target, item, inner);
      return !evaluate(*statement.condition, inner).truth();
    });
  }
  if (items.empty()) {
    return execute(statement.otherwise, std::make_shared<Scope>(scope), out);
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto inner = std::make_shared<Scope>(scope);
    bind(*statement.target, items[i], inner);
    inner->values["loop"] = loop_record(items, i, 1);
    if (execute(statement.body, inner, out) == Flow::leave) {
      break;
    }
  }
  return Flow::on;
}

// Whether a record is found among what a value holds; also where it is too deep to tell.
bool Interpreter::reaches(const Value& value, const Dict& record, int depth) {
  count_steps(1);
  if (depth == 0 || value.as_dict() == &record) {
    return true;
  }
  if (const List* list = value.as_list()) {
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Value& item) { return reaches(item, record, depth - 1); });
  }
  if (const Dict* dict = value.as_dict()) {
    return std::any_of(dict->entries.begin(), dict->entries.end(),
                       [&](const auto& entry) { return reaches(entry.second, record, depth - 1); });
  }
  return false;
}

void Interpreter::bind(const Expression& target, const Value& value, const ScopePtr& scope) {
  if (target.kind == Expression::Kind::name) {
    scope->values[target.text] = value;
    return;
  }
  if (target.kind == Expression::Kind::attribute) {
    const Value object = evaluate(*target.items[0], scope);
    Dict* record = object.as_dict();
    if (record == nullptr || record->kind != Dict::Kind::record) {
      fail("cannot assign to '{}' of {}: only a namespace takes attributes", target.text,
           object.type_name());
    }
    // Values are counted references: what holds itself would never be given back.
    if (reaches(value, *record, kDeepestValue)) {
      fail("the attribute '{}' would make a namespace contain itself", target.text);
    }
    record->set(target.text, value);
    return;
  }
  const std::vector<Value> items = value.iterate();
  if (items.size() != target.items.size()) {
    fail("cannot unpack {} values into {} names", items.size(), target.items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    bind(*target.items[i], items[i], scope);
  }
}

Value Interpreter::macro(const Statement& statement, const ScopePtr& scope) {
  // A weak hold: the scope owns the macro, which must not own the scope.
  return Value::callable(
      statement.text, [this, &statement, held = std::weak_ptr(scope)](const Arguments& arguments) {
        const ScopePtr around = held.lock();
        if (around == nullptr) {
          fail("the macro '{}' is called outside of where it lives", statement.text);
        }
        return Value(call_macro(statement, around, arguments));
      });
}

std::string Interpreter::call_macro(const Statement& statement, const ScopePtr& scope,
                                    const Arguments& arguments) {
  arguments.at_most(statement.parameters.size(), statement.text);
  if (++depth_ > kDeepestCall) {
    fail("macros call each other too deeply");
  }
  const int line = line_;
  const auto inner = std::make_shared<Scope>(scope);
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    const auto& [name, fallback] = statement.parameters[i];
    Value value = arguments.get(i, name, Undefined{fmt::format("'{}' is undefined", name)});
    if (value.is_undefined() && fallback != nullptr) {
      value = evaluate(*fallback, inner);
    }
    inner->values[name] = std::move(value);
  }
  std::string text;
  execute(statement.body, inner, text);
  --depth_;
  line_ = line;
  return text;
}

std::vector<Value> Interpreter::items_of(const Expression& expression, const ScopePtr& scope) {
  std::vector<Value> values;
  for (const auto& item : expression.items) {
    values.push_back(evaluate(*item, scope));
  }
  return values;
}

Value Interpreter::evaluate(const Expression& expression, const ScopePtr& scope) {
  count_steps(1);
  const auto item = [&](std::size_t i) { return evaluate(*expression.items[i], scope); };
  switch (expression.kind) {
    case Expression::Kind::constant:
      return expression.value;
    case Expression::Kind::name: {
      const Value* found = scope->find(expression.text);
      return found != nullptr ? *found
                              : Value(Undefined{fmt::format("'{}' is undefined", expression.text)});
    }
    case Expression::Kind::list:
      return Value::list(items_of(expression, scope));
    case Expression::Kind::tuple:
      return Value::list(items_of(expression, scope), true);
    case Expression::Kind::dict: {
      Dict dict;
      for (std::size_t i = 0; i < expression.items.size(); i += 2) {
        dict.set(item(i), item(i + 1));
      }
      return Value::dict(std::move(dict));
    }
    case Expression::Kind::unary:
      return expression.text == "not" ? Value(!item(0).truth())
                                      : signed_value(expression.text, item(0));
    case Expression::Kind::binary:
      return binary(expression, scope);
    case Expression::Kind::compare:
      return compare(expression, scope);
    case Expression::Kind::conditional:
      if (item(1).truth()) {
        return item(0);
      }
      return expression.items[2] != nullptr
                 ? item(2)
                 : Value(Undefined{"the inline if has no else, and its condition is false"});
    case Expression::Kind::attribute:
      return attribute_of(item(0), expression.text);
    case Expression::Kind::item: {
      const Value object = item(0);
      return item_of(object, item(1));
    }
    case Expression::Kind::slice:
      return slice_of(expression, scope);
    case Expression::Kind::call:
      return call(expression, scope);
    case Expression::Kind::filter:
      return apply_filter(expression.text, item(0), arguments_of(expression, scope));
    case Expression::Kind::test:
      return apply_test(expression.text, item(0), arguments_of(expression, scope));
  }
  return {};
}

Value Interpreter::binary(const Expression& expression, const ScopePtr& scope) {
  Value left = evaluate(*expression.items[0], scope);
  if (expression.text == "and") {
    return left.truth() ? evaluate(*expression.items[1], scope) : left;
  }
  if (expression.text == "or") {
    return left.truth() ? left : evaluate(*expression.items[1], scope);
  }
  return binary_value(expression.text, left, evaluate(*expression.items[1], scope));
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
    return slice(object.as<std::string>(), bound(parts[0]), bound(parts[1]), step);
  }
  const List* list = object.as_list();
  if (list == nullptr) {
    fail("{}", object.is_undefined() ? object.as<Undefined>().reason
                                     : fmt::format("{} has no slices", object.type_name()));
  }
  std::vector<Value> items;
  for (const std::size_t place :
       slice_places(list->items.size(), bound(parts[0]), bound(parts[1]), step)) {
    items.push_back(list->items[place]);
  }
  return Value::list(std::move(items), list->is_tuple);
}

Arguments Interpreter::arguments_of(const Expression& expression, const ScopePtr& scope) {
  Arguments arguments;
  for (std::size_t i = 1; i < expression.items.size(); ++i) {
    arguments.positional.push_back(evaluate(*expression.items[i], scope));
  }
  for (const auto& [name, value] : expression.named) {
    arguments.named.emplace_back(name, evaluate(*value, scope));
  }
  return arguments;
}

Value Interpreter::call(const Expression& expression, const ScopePtr& scope) {
  const Value function = evaluate(*expression.items[0], scope);
  if (function.is_undefined()) {
    fail("{}", function.as<Undefined>().reason);
  }
  if (function.as_callable() == nullptr) {
    fail("{} cannot be called", function.type_name());
  }
  return function.as_callable()->call(arguments_of(expression, scope));
}

}  // namespace lmpo::jinja
