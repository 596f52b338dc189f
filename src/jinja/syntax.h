// The syntax tree of a template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace lmpo::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
  enum class Kind {
    constant,     // value
    name,         // text
    list,         // items
    tuple,        // items
    dict,         // items: key, value, key, value, ...
    unary,        // text: - + not; items: operand
    binary,       // text: + - * / // % ** ~ and or; items: left, right
    compare,      // items: first, then the operands of `operators`
    conditional,  // items: value, condition, otherwise (null: undefined)
    attribute,    // items: object; text
    item,         // items: object, key
    slice,        // items: object, begin, end, step (null where absent)
    call,         // items: function, then arguments
    filter,       // text; items: value, then arguments
    test          // text; items: value, then arguments
  };
  Kind kind;
  int line = 1;
  std::string text;
  Value value;
  std::vector<ExpressionPtr> items;
  std::vector<std::string> operators;                        // compare
  std::vector<std::pair<std::string, ExpressionPtr>> named;  // arguments by name
};

struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;

struct Statement {
  enum class Kind {
    text,     // text
    print,    // value
    branch,   // value: condition; body, otherwise
    loop,     // target, value, condition (or null); body, otherwise
    assign,   // target, value
    capture,  // target; body
    macro,    // text: name; parameters; body
    scope,    // parameters: the variables of `with`; body
    leave,    // break
    next      // continue
  };
  Kind kind;
  int line = 1;
  std::string text;
  ExpressionPtr target;  // a name, a tuple of names, or an attribute of a namespace
  ExpressionPtr value;
  ExpressionPtr condition;
  Block body;
  Block otherwise;
  std::vector<std::pair<std::string, ExpressionPtr>> parameters;  // with defaults, or null
};

}  // namespace lmpo::jinja
