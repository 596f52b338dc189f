// Runs a template's syntax tree.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/json.h"
#include "jinja/syntax.h"
#include "jinja/template.h"

namespace lmpo::jinja {

// Variables by name. A name that is not here is looked up in the outer scope.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> around) : outer(std::move(around)) {}
  const Value* find(const std::string& name) const;

  std::map<std::string, Value> values;
  std::shared_ptr<Scope> outer;
};

// Renders a template once, with its own budget. The tree must outlive it.
class Interpreter {
 public:
  // `functions` are found by every template.
  Interpreter(const Limits& limits, std::shared_ptr<Scope> functions)
      : budget_(limits), globals_(std::make_shared<Scope>(std::move(functions))) {}

  // May be called once. Throws TemplateError; line() then returns the line. `now` is what
  // strftime_now writes.
  MarkedText run(const Block& block, const ordered_json& variables, std::time_t now);
  // Before run: a {% generation %} block whose place in the text is unknown is a TemplateError.
  void require_places() { requires_places_ = true; }
  int line() const { return line_; }

 private:
  enum class Flow { on, leave, next };
  using ScopePtr = std::shared_ptr<Scope>;
  // Counts nested statements, expressions and macros together, to bound the stack.
  struct Level {
    explicit Level(Interpreter& of);
    ~Level() { --interpreter.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Interpreter& interpreter;
  };

  Flow execute(const Block& block, const ScopePtr& scope, TextWriter& out);
  Flow execute(const Statement& statement, const ScopePtr& scope, TextWriter& out);
  Flow marked(const Statement& statement, const ScopePtr& scope, TextWriter& out);
  Flow branch(const Statement& statement, const ScopePtr& scope, TextWriter& out);
  Flow with(const Statement& statement, const ScopePtr& scope, TextWriter& out);
  Flow capture(const Statement& statement, const ScopePtr& scope, TextWriter& out);
  Flow loop(const Statement& statement, const Value& over, const ScopePtr& scope, TextWriter& out,
            std::int64_t depth);
  std::shared_ptr<const List> loop_items(const Statement& statement, const Value& over,
                                         const ScopePtr& scope);
  Flow rounds(const Statement& statement, const std::shared_ptr<const List>& items,
              const ScopePtr& scope, TextWriter& out, std::int64_t depth);
  void bind(const Expression& target, const Value& value, const ScopePtr& scope);
  void bind_attribute(const Expression& target, const Value& value, const ScopePtr& scope);
  void call_block(const Statement& statement, const ScopePtr& scope, TextWriter& out);
  Value macro(const Statement& statement, const ScopePtr& scope);
  Value call_macro(const Statement& statement, const ScopePtr& scope, const Arguments& arguments);
  void bind_parameters(const Statement& statement, const Arguments& arguments,
                       const ScopePtr& inner);

  Value evaluate(const Expression& expression, const ScopePtr& scope);
  Value name(const Expression& expression, const Scope& scope) const;
  Value list(const Expression& expression, const ScopePtr& scope);
  Value dict(const Expression& expression, const ScopePtr& scope);
  Value chain(const Expression& expression, const ScopePtr& scope);
  Value concatenate(const Expression& expression, const ScopePtr& scope);
  Value first_that(bool truth, const Expression& expression, const ScopePtr& scope);
  Value compare(const Expression& expression, const ScopePtr& scope);
  Value conditional(const Expression& expression, const ScopePtr& scope);
  Value slice_of(const Expression& expression, const ScopePtr& scope);
  Value call(const Expression& expression, const ScopePtr& scope);
  Value filter(const Expression& expression, const ScopePtr& scope);
  Arguments arguments_of(const Expression& expression, const ScopePtr& scope);

  Budget budget_;  // outlives all values
  ScopePtr globals_;
  const TextWriter* whole_ = nullptr;  // of the whole text
  bool requires_places_ = false;
  std::vector<Span> marks_;
  int line_ = 1;
  int depth_ = 0;
};

// The global functions: range, namespace, dict, joiner, raise_exception. To be made while no template
// renders, whose budget would be charged; any number of renderings may then read them at once.
std::shared_ptr<Scope> global_functions();
// strftime_now
void add_clock(Scope& scope, std::time_t now);

}  // namespace lmpo::jinja
