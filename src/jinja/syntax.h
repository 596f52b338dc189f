// The syntax tree of a template.
#pragma once

#include <memory>
#include <set>
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
    chain,        // items joined from left to right by `operators`: + - * / // % **
    concatenate,  // items: ~
    all,          // items: and
    any,          // items: or
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
  // Height of the tree below. Bounded, because walks over the tree are recursive.
  int height = 1;
  std::string text;
  Value value;
  std::vector<ExpressionPtr> items;
  std::vector<std::string> operators;                        // chain, compare
  std::vector<std::pair<std::string, ExpressionPtr>> named;  // arguments by name
  ExpressionPtr more_items;                                  // *arguments
  ExpressionPtr more_named;                                  // **arguments
};

struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;
// Names with the expressions of their values, or null.
using Parameters = std::vector<std::pair<std::string, ExpressionPtr>>;

struct Statement {
  enum class Kind {
    text,     // text
    print,    // value
    branch,   // arms; otherwise
    loop,     // target, value, condition (or null); body, otherwise
    assign,   // target, value
    capture,  // target (null: print), value: filters of the text, or null; body
    macro,    // text: name; parameters; body
    call,     // value: the call; parameters and body of its `caller`
    scope,    // parameters: the variables of `with`; body
    marked,   // body: what the model writes, transformers' {% generation %}
    leave,    // break
    next      // continue
  };
  struct Arm {
    ExpressionPtr condition;
    Block body;
  };
  // Which of these names the macro's body uses: only then it takes such arguments, as in jinja2.
  struct Uses {
    bool varargs = false;
    bool kwargs = false;
    bool caller = false;
  };
  Kind kind;
  int line = 1;
  bool recursive = false;
  Uses uses;
  std::string text;
  ExpressionPtr target;  // a name, a tuple of names, or an attribute of a namespace
  ExpressionPtr value;
  ExpressionPtr condition;
  std::vector<Arm> arms;
  Block body;
  Block otherwise;
  Parameters parameters;  // with defaults, or null
};

// Names that a template reads.
using Names = std::set<std::string, std::less<>>;

// A whole template.
struct Syntax {
  Block block;
  bool has_marks = false;  // it has a {% generation %} block
  Names names;
};

// The variable that holds a filter block's text. No template can write this name.
inline constexpr const char* kCapturedName = "";

}  // namespace lmpo::jinja
