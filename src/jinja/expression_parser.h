// The grammar of expressions, with jinja2's precedence.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "jinja/lexer.h"
#include "jinja/syntax.h"

namespace lmpo::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(std::size_t ahead = 0) const;
  Token take();
  bool take_sign(std::string_view sign);
  bool take_name(std::string_view name);
  void expect_sign(std::string_view sign);
  std::string expect_name();
  [[noreturn]] void refuse(std::string_view expected) const;

  ExpressionPtr conditional();
  // Without "A if B else C", as in the list of a loop.
  ExpressionPtr either();
  // One expression, or a tuple without brackets.
  ExpressionPtr tuple_or_single(bool with_conditional);
  // a, or a, b: what a loop or an assignment binds.
  ExpressionPtr target();
  // The filters of a block's text: name(arguments)|name|...
  ExpressionPtr block_filters();
  // (a, b=1): what macros and `call` blocks take.
  Parameters parameters();

  // What has been named since it was set to something else; null: not of interest.
  Statement::Uses* uses = nullptr;
  // What has been named so far, but as a target.
  Names names;
  // Inside a branch, where an unknown filter is an error only if it is reached.
  int branches = 0;
  // SyntaxError for the first unknown filter or test outside branches.
  void refuse_unknown() const;

 private:
  // Bounds the nesting, so that no template can exhaust the stack.
  struct Depth {
    explicit Depth(ExpressionParser& parser);
    ~Depth() { --parser.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ExpressionParser& parser;
  };
  using Kind = Expression::Kind;
  using Operand = ExpressionPtr (ExpressionParser::*)();

  ExpressionPtr make(Kind kind, std::string text = {}) const;
  ExpressionPtr make(Kind kind, std::string text, ExpressionPtr first) const;
  // Appends a part, which may be null. SyntaxError if the tree grows too high.
  void add(Expression& whole, ExpressionPtr part) const;
  void grow(Expression& whole, const Expression& part) const;
  // Operands joined by any of the operators, as one expression with many operands.
  ExpressionPtr chain(Kind kind, std::initializer_list<std::string_view> signs, Operand read);
  ExpressionPtr words(Kind kind, std::string_view word, Operand read);
  // `first` alone, or if a comma follows, the tuple that begins with it.
  ExpressionPtr rest_of_tuple(ExpressionPtr first, Operand read);
  ExpressionPtr target_item();
  ExpressionPtr both();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr operand();
  ExpressionPtr unary(bool with_filters);
  ExpressionPtr primary();
  ExpressionPtr number();
  ExpressionPtr name();
  ExpressionPtr bracketed();
  ExpressionPtr list();
  ExpressionPtr dict();
  ExpressionPtr postfix(ExpressionPtr value);
  ExpressionPtr subscript(ExpressionPtr value);
  ExpressionPtr filters(ExpressionPtr value);
  ExpressionPtr filter(ExpressionPtr value);
  ExpressionPtr test(ExpressionPtr value);
  void arguments(Expression& call);
  void argument(Expression& call);
  bool at_expression_end() const;
  void note_unknown(int line, const std::string& message);
  // Calls item() for each comma-separated item before `close`; a trailing comma is allowed.
  template <typename Item>
  void items_until(std::string_view close, const Item& item) {
    for (bool first = true; !take_sign(close); first = false) {
      if (!first) {
        expect_sign(",");
        if (take_sign(close)) {
          return;
        }
      }
      item();
    }
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::optional<SyntaxError> unknown_;
};

}  // namespace lmpo::jinja
