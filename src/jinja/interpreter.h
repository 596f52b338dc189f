// Runs a template's syntax tree.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/json.h"
#include "jinja/syntax.h"

namespace lmpo::jinja {

// Names to values; what is not here is looked up in the scope around it.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> around) : outer(std::move(around)) {}
  const Value* find(const std::string& name) const;

  std::map<std::string, Value> values;
  std::shared_ptr<Scope> outer;
};

// One rendering. The tree must outlive it.
class Interpreter {
 public:
  explicit Interpreter(const ordered_json& variables);

  // Throws TemplateError; line() then tells where.
  std::string run(const Block& block);
  int line() const { return line_; }

 private:
  enum class Flow { on, leave, next };
  using ScopePtr = std::shared_ptr<Scope>;

  Flow execute(const Block& block, const ScopePtr& scope, std::string& out);
  Flow execute(const Statement& statement, const ScopePtr& scope, std::string& out);
  Flow loop(const Statement& statement, const ScopePtr& scope, std::string& out);
  bool reaches(const Value& value, const Dict& record, int depth);
  void bind(const Expression& target, const Value& value, const ScopePtr& scope);
  Value macro(const Statement& statement, const ScopePtr& scope);
  std::string call_macro(const Statement& statement, const ScopePtr& scope,
                         const Arguments& arguments);

  Value evaluate(const Expression& expression, const ScopePtr& scope);
  Value binary(const Expression& expression, const ScopePtr& scope);
  Value compare(const Expression& expression, const ScopePtr& scope);
  Value slice_of(const Expression& expression, const ScopePtr& scope);
  Value call(const Expression& expression, const ScopePtr& scope);
  Arguments arguments_of(const Expression& expression, const ScopePtr& scope);
  std::vector<Value> items_of(const Expression& expression, const ScopePtr& scope);
  void count_steps(std::size_t steps);
  void append(std::string& out, std::string_view text) const;

  ScopePtr globals_;
  int line_ = 1;
  int depth_ = 0;
  std::int64_t steps_ = 0;
};

// The global functions: range, namespace, dict, raise_exception, strftime_now.
void add_globals(Scope& scope);

}  // namespace lmpo::jinja
