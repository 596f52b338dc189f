// What an expression is made of: names, constants, lists, and what follows them: .name, [...],
// (...), | filter, is test.
#include <charconv>

#include "jinja/expression_parser.h"
#include "jinja/functions.h"

namespace lmpo::jinja {
namespace {

using Kind = Expression::Kind;

}  // namespace

ExpressionPtr ExpressionParser::number() {
  auto constant = make(Kind::constant);
  const Token token = take();
  const char* end = token.text.data() + token.text.size();
  if (token.kind == Token::Kind::integer) {
    std::int64_t value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc()) {
      throw SyntaxError(token.line, fmt::format("the integer {} is too large", token.text));
    }
    constant->value = value;
  } else {
    double value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc()) {
      throw SyntaxError(token.line, fmt::format("the number {} is too large", token.text));
    }
    constant->value = value;
  }
  return constant;
}

ExpressionPtr ExpressionParser::primary() {
  const Token& token = peek();
  if (token.kind == Token::Kind::text) {
    auto constant = make(Kind::constant);
    std::string text;
    while (peek().kind == Token::Kind::text) {
      text += take().text;
    }
    constant->value = std::move(text);
    return constant;
  }
  if (token.kind == Token::Kind::integer || token.kind == Token::Kind::floating) {
    return number();
  }
  if (token.kind == Token::Kind::name) {
    auto expression = make(Kind::name, token.text);
    take();
    const std::string& name = expression->text;
    const bool is_true = name == "true" || name == "True";
    if (is_true || name == "false" || name == "False") {
      expression->kind = Kind::constant;
      expression->value = is_true;
    } else if (name == "none" || name == "None") {
      expression->kind = Kind::constant;
      expression->value = nullptr;
    }
    return expression;
  }
  if (token.is("(")) {
    return bracketed();
  }
  if (token.is("[")) {
    return list();
  }
  if (token.is("{")) {
    return dict();
  }
  refuse("an expression");
}

ExpressionPtr ExpressionParser::bracketed() {
  expect_sign("(");
  if (take_sign(")")) {
    return make(Kind::tuple);
  }
  auto inner = tuple_or_single(true);
  expect_sign(")");
  return inner;
}

ExpressionPtr ExpressionParser::list() {
  auto expression = make(Kind::list);
  expect_sign("[");
  items_until("]", [&] { expression->items.push_back(conditional()); });
  return expression;
}

ExpressionPtr ExpressionParser::dict() {
  auto expression = make(Kind::dict);
  expect_sign("{");
  items_until("}", [&] {
    expression->items.push_back(conditional());
    expect_sign(":");
    expression->items.push_back(conditional());
  });
  return expression;
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr value) {
  while (true) {
    if (peek().is(".") || peek().is("[")) {
      value = subscript(std::move(value));
    } else if (peek().is("(")) {
      auto call = make(Kind::call);
      call->items.push_back(std::move(value));
      arguments(*call);
      value = std::move(call);
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr value) {
  if (take_sign(".")) {
    if (peek().kind == Token::Kind::integer) {
      auto key = number();
      return join(Kind::item, "", std::move(value), std::move(key));
    }
    auto attribute = make(Kind::attribute, expect_name());
    attribute->items.push_back(std::move(value));
    return attribute;
  }
  expect_sign("[");
  std::vector<ExpressionPtr> parts;
  bool is_slice = false;
  const auto part = [&] {
    parts.push_back(peek().is(":") || peek().is("]") ? nullptr : conditional());
  };
  part();
  while (take_sign(":")) {
    is_slice = true;
    part();
  }
  if (peek().is(",")) {
    throw SyntaxError(peek().line, "a subscript with a comma is not supported");
  }
  expect_sign("]");
  if (!is_slice && parts[0] == nullptr) {
    throw SyntaxError(peek().line, "a subscript is empty");
  }
  if (!is_slice) {
    return join(Kind::item, "", std::move(value), std::move(parts[0]));
  }
  if (parts.size() > 3) {
    throw SyntaxError(peek().line, "a slice has at most three parts");
  }
  auto slice = make(Kind::slice);
  slice->items.push_back(std::move(value));
  parts.resize(3);
  std::move(parts.begin(), parts.end(), std::back_inserter(slice->items));
  return slice;
}

void ExpressionParser::arguments(Expression& call) {
  expect_sign("(");
  items_until(")", [&] {
    if (peek().is("*") || peek().is("**")) {
      throw SyntaxError(peek().line, "arguments unpacked with * or ** are not supported");
    }
    if (peek().kind == Token::Kind::name && peek(1).is("=")) {
      std::string name = take().text;
      take();
      call.named.emplace_back(std::move(name), conditional());
    } else if (!call.named.empty()) {
      throw SyntaxError(peek().line, "an argument by place follows one by name");
    } else {
      call.items.push_back(conditional());
    }
  });
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr value) {
  while (true) {
    if (peek().is("|")) {
      value = filter(std::move(value));
    } else if (peek().is_name("is")) {
      value = test(std::move(value));
    } else if (peek().is("(")) {
      value = postfix(std::move(value));
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::filter(ExpressionPtr value) {
  expect_sign("|");
  auto expression = make(Kind::filter);
  expression->text = expect_name();
  if (!has_filter(expression->text)) {
    throw SyntaxError(expression->line,
                      fmt::format("the filter '{}' is not supported", expression->text));
  }
  expression->items.push_back(std::move(value));
  if (peek().is("(")) {
    arguments(*expression);
  }
  return expression;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr value) {
  take_name("is");
  const bool negated = take_name("not");
  auto expression = make(Kind::test);
  expression->text = expect_name();
  if (!has_test(expression->text)) {
    throw SyntaxError(expression->line,
                      fmt::format("the test '{}' is not supported", expression->text));
  }
  expression->items.push_back(std::move(value));
  const Token& next = peek();
  const bool word = next.kind == Token::Kind::name && next.text != "else" && next.text != "or" &&
                    next.text != "and" && next.text != "if" && next.text != "is" &&
                    next.text != "in" && next.text != "not";
  if (next.is("(")) {
    arguments(*expression);
  } else if (word || next.kind == Token::Kind::text || next.kind == Token::Kind::integer ||
             next.kind == Token::Kind::floating || next.is("[") || next.is("{")) {
    expression->items.push_back(postfix(primary()));
  }
  if (!negated) {
    return expression;
  }
  auto negation = make(Kind::unary, "not");
  negation->items.push_back(std::move(expression));
  return negation;
}

}  // namespace lmpo::jinja
