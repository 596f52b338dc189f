// The grammar of expressions, with jinja2's precedence.
#pragma once

#include <initializer_list>
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
  // One expression, or a tuple without brackets. `single` reads each item.
  ExpressionPtr tuple_or_single(bool with_conditional);
  // a, or a, b: what a loop or an assignment binds.
  ExpressionPtr target();

 private:
  // Bounds the nesting, so that no template can exhaust the stack.
  struct Depth {
    explicit Depth(ExpressionParser& parser);
    ~Depth() { --parser.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ExpressionParser& parser;
  };

  ExpressionPtr make(Expression::Kind kind, std::string text = {}) const;
  ExpressionPtr join(Expression::Kind kind, std::string text, ExpressionPtr a,
                     ExpressionPtr b) const;
  ExpressionPtr both();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filters);
  ExpressionPtr primary();
  ExpressionPtr number();
  ExpressionPtr bracketed();
  ExpressionPtr list();
  ExpressionPtr dict();
  ExpressionPtr postfix(ExpressionPtr value);
  ExpressionPtr subscript(ExpressionPtr value);
  ExpressionPtr filters(ExpressionPtr value);
  ExpressionPtr filter(ExpressionPtr value);
  ExpressionPtr test(ExpressionPtr value);
  void arguments(Expression& call);
  bool at_expression_end() const;
  // item() reads what stands between commas, up to the closing sign; a comma may stand before it.
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
};

}  // namespace lmpo::jinja
