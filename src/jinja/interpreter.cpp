// Statements.
#include "jinja/interpreter.h"

#include <algorithm>

#include "jinja/functions.h"

namespace lmpo::jinja {
namespace {

// A level takes up to 4 KB of stack under the sanitizers, 1 KB otherwise.
constexpr int kDeepestEvaluation = 1200;

// Whether a value contains a record; true also if it is nested too deeply to tell.
bool reaches(const Value& value, const Dict& record, int depth) {
  charge_work(kItemWork);
  if (depth == 0 || value.as_dict() == &record) {
    return true;
  }
  const auto reaches_it = [&](const Value& inner) { return reaches(inner, record, depth - 1); };
  if (const List* list = value.as_list()) {
    return std::any_of(list->items.begin(), list->items.end(), reaches_it);
  }
  if (const Loop* loop = value.as_loop()) {
    return std::any_of(loop->items->items.begin(), loop->items->items.end(), reaches_it);
  }
  if (const Callable* function = value.as_callable()) {
    return reaches_it(function->self);
  }
  const Dict* dict = value.as_dict();
  return dict != nullptr &&
         std::any_of(dict->entries.begin(), dict->entries.end(), [&](const auto& entry) {
           return reaches_it(entry.first) || reaches_it(entry.second);
         });
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

Interpreter::Level::Level(Interpreter& of) : interpreter(of) {
  if (interpreter.depth_ >= kDeepestEvaluation) {
    fail("macros, loops and expressions are nested too deeply");
  }
  ++interpreter.depth_;
}

MarkedText Interpreter::run(const Block& block, const ordered_json& variables, std::time_t now) {
  add_clock(*globals_, now);
  for (const auto& [name, value] : variables.items()) {
    globals_->values[name] = Value::from_json(value);
  }
  budget_.begin();
  TextWriter out("the template");
  whole_ = &out;
  execute(block, std::make_shared<Scope>(globals_), out);
  return {out.take(), std::move(marks_)};
}

Interpreter::Flow Interpreter::execute(const Block& block, const ScopePtr& scope, TextWriter& out) {
  for (const auto& statement : block) {
    const Flow flow = execute(*statement, scope, out);
    if (flow != Flow::on) {
      return flow;
    }
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::execute(const Statement& statement, const ScopePtr& scope,
                                       TextWriter& out) {
  const Level level(*this);
  budget_.work(kStepWork);
  line_ = statement.line;
  switch (statement.kind) {
    case Statement::Kind::text:
      out.add(statement.text);
      break;
    case Statement::Kind::print:
      out.add(evaluate(*statement.value, scope).str().string());
      break;
    case Statement::Kind::branch:
      return branch(statement, scope, out);
    case Statement::Kind::loop:
      return loop(statement, evaluate(*statement.value, scope), scope, out, 1);
    case Statement::Kind::assign:
      bind(*statement.target, evaluate(*statement.value, scope), scope);
      break;
    case Statement::Kind::capture:
      return capture(statement, scope, out);
    case Statement::Kind::macro:
      scope->values[statement.text] = macro(statement, scope);
      break;
    case Statement::Kind::call:
      call_block(statement, scope, out);
      break;
    case Statement::Kind::scope:
      return with(statement, scope, out);
    case Statement::Kind::marked:
      return marked(statement, scope, out);
    case Statement::Kind::leave:
      return Flow::leave;
    case Statement::Kind::next:
      return Flow::next;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::branch(const Statement& statement, const ScopePtr& scope,
                                      TextWriter& out) {
  for (const Statement::Arm& arm : statement.arms) {
    if (evaluate(*arm.condition, scope).truth()) {
      return execute(arm.body, scope, out);
    }
  }
  return execute(statement.otherwise, scope, out);
}

Interpreter::Flow Interpreter::with(const Statement& statement, const ScopePtr& scope,
                                    TextWriter& out) {
  const auto inner = std::make_shared<Scope>(scope);
  for (const auto& [name, value] : statement.parameters) {
    inner->values[name] = evaluate(*value, scope);
  }
  return execute(statement.body, inner, out);
}

Interpreter::Flow Interpreter::marked(const Statement& statement, const ScopePtr& scope,
                                      TextWriter& out) {
  if (requires_places_ && &out != whole_) {
    fail("'generation' stands in a macro or in a captured block, where its place is not known");
  }
  const std::size_t begin = out.text().size();
  const Flow flow = execute(statement.body, std::make_shared<Scope>(scope), out);
  if (&out == whole_ && out.text().size() > begin) {
    marks_.push_back({begin, out.text().size()});
  }
  return flow;
}

Interpreter::Flow Interpreter::capture(const Statement& statement, const ScopePtr& scope,
                                       TextWriter& out) {
  TextWriter text("a block");
  const Flow flow = execute(statement.body, std::make_shared<Scope>(scope), text);
  Value captured = text.take();
  if (statement.value != nullptr) {
    const auto inner = std::make_shared<Scope>(scope);
    inner->values[kCapturedName] = std::move(captured);
    captured = evaluate(*statement.value, inner);
  }
  if (statement.target != nullptr) {
    bind(*statement.target, captured, scope);
  } else {
    out.add(captured.str().string());
  }
  return flow;
}

std::shared_ptr<const List> Interpreter::loop_items(const Statement& statement, const Value& over,
                                                    const ScopePtr& scope) {
  auto items = over.iterate();
  if (statement.condition == nullptr) {
    return items;
  }
  std::vector<Value> kept;
  for (const Value& item : items->items) {
    const auto inner = std::make_shared<Scope>(scope);
    bind(*statement.target, item, inner);
    if (evaluate(*statement.condition, inner).truth()) {
      kept.push_back(item);
    }
  }
  return std::make_shared<const List>(std::move(kept));
}

Interpreter::Flow Interpreter::loop(const Statement& statement, const Value& over,
                                    const ScopePtr& scope, TextWriter& out, std::int64_t depth) {
  const auto items = loop_items(statement, over, scope);
  budget_.work(items->items.size() * kStepWork);
  if (items->items.empty()) {
    return execute(statement.otherwise, std::make_shared<Scope>(scope), out);
  }
  return rounds(statement, items, scope, out, depth);
}

Interpreter::Flow Interpreter::rounds(const Statement& statement,
                                      const std::shared_ptr<const List>& items,
                                      const ScopePtr& scope, TextWriter& out, std::int64_t depth) {
  std::function<Value(const Arguments&)> again;
  if (statement.recursive) {
    again = [this, &statement, depth, held = std::weak_ptr(scope)](const Arguments& arguments) {
      const ScopePtr around = held.lock();
      if (around == nullptr) {
        fail("a loop is called after its end");
      }
      TextWriter text("a loop");
      loop(statement, arguments.need(0, "iterable"), around, text, depth + 1);
      return Value(text.take());
    };
  }
  const auto seen = std::make_shared<std::vector<Value>>();
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    const auto inner = std::make_shared<Scope>(scope);
    inner->values["loop"] =
        std::make_shared<const Loop>(Loop{items, i, depth, again, seen, Charge(sizeof(Loop))});
    bind(*statement.target, items->items[i], inner);
    if (execute(statement.body, inner, out) == Flow::leave) {
      break;
    }
  }
  return Flow::on;
}

void Interpreter::bind(const Expression& target, const Value& value, const ScopePtr& scope) {
  if (target.kind == Expression::Kind::name) {
    scope->values[target.text] = value;
    return;
  }
  if (target.kind == Expression::Kind::attribute) {
    bind_attribute(target, value, scope);
    return;
  }
  const auto items = value.iterate();
  if (items->items.size() != target.items.size()) {
    fail("cannot unpack {} values into {} names", items->items.size(), target.items.size());
  }
  for (std::size_t i = 0; i < target.items.size(); ++i) {
    bind(*target.items[i], items->items[i], scope);
  }
}

void Interpreter::bind_attribute(const Expression& target, const Value& value,
                                 const ScopePtr& scope) {
  const Value object = evaluate(*target.items[0], scope);
  Dict* record = object.as_dict();
  if (record == nullptr || record->kind != Dict::Kind::record) {
    fail("cannot assign to '{}' of {}: only a namespace takes attributes", target.text,
         object.type_name());
  }
  // Values are reference-counted: a cycle would never be freed.
  if (value.is_container() && reaches(value, *record, kDeepestValue)) {
    fail("the attribute '{}' would make a namespace contain itself", target.text);
  }
  check_attribute_name(target.text);
  record->set(target.text, value);
}

void Interpreter::call_block(const Statement& statement, const ScopePtr& scope, TextWriter& out) {
  const Value function = evaluate(*statement.value->items[0], scope);
  Arguments arguments = arguments_of(*statement.value, scope);
  arguments.named.emplace_back("caller", macro(statement, scope));
  out.add(call_value(function, arguments).str().string());
}

Value Interpreter::macro(const Statement& statement, const ScopePtr& scope) {
  // Weak: the scope owns the macro, so the macro must not own the scope.
  return callable(statement.text, [this, &statement, held = std::weak_ptr(scope)](
                                      const Value&, const Arguments& arguments) {
    const ScopePtr around = held.lock();
    if (around == nullptr) {
      fail("the macro '{}' is called outside its scope", statement.text);
    }
    return call_macro(statement, around, arguments);
  });
}

Value Interpreter::call_macro(const Statement& statement, const ScopePtr& scope,
                              const Arguments& arguments) {
  const Level level(*this);
  const int line = line_;
  const auto inner = std::make_shared<Scope>(scope);
  bind_parameters(statement, arguments, inner);
  TextWriter text("a macro");
  execute(statement.body, inner, text);
  line_ = line;
  return text.take();
}

void Interpreter::bind_parameters(const Statement& statement, const Arguments& arguments,
                                  const ScopePtr& inner) {
  const std::size_t count = statement.parameters.size();
  if (!statement.uses.varargs) {
    arguments.at_most(count, statement.text);
  }
  std::vector<std::pair<std::string, Value>> named = arguments.named;
  // Binds the argument of that name, if it was given.
  const auto take_named = [&](const std::string& name) {
    const auto found = std::find_if(named.begin(), named.end(),
                                    [&](const auto& each) { return each.first == name; });
    if (found == named.end()) {
      return false;
    }
    inner->values[name] = found->second;
    named.erase(found);
    return true;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [name, fallback] = statement.parameters[i];
    if (i < arguments.positional.size()) {
      inner->values[name] = arguments.positional[i];
    } else if (!take_named(name)) {
      inner->values[name] =
          fallback != nullptr
              ? evaluate(*fallback, inner)
              : Value(Undefined(fmt::format("the parameter '{}' was not provided", name)));
    }
  }
  if (statement.uses.caller && inner->values.find("caller") == inner->values.end() &&
      !take_named("caller")) {
    inner->values["caller"] = Undefined("'caller' is undefined");
  }
  if (statement.uses.kwargs && inner->values.find("kwargs") == inner->values.end()) {
    Dict rest;
    for (auto& [name, value] : std::exchange(named, {})) {
      rest.add(name, std::move(value));
    }
    inner->values["kwargs"] = Value::dict(std::move(rest));
  }
  if (!named.empty()) {
    fail("the macro '{}' takes no argument '{}'", statement.text, named.front().first);
  }
  if (statement.uses.varargs) {
    inner->values["varargs"] = Value::list(arguments.after(count).positional, ListKind::tuple);
  }
}

}  // namespace lmpo::jinja
