// What an expression is made of: names, constants, lists, and what follows them: .name, [...],
// (...), | filter, is test.
#include <charconv>

#include "jinja/expression_parser.h"
#include "jinja/functions.h"

namespace lmpo::jinja {

ExpressionPtr ExpressionParser::number() {
  auto constant = make(Kind::constant);
  const Token token = take();
  std::string_view digits = token.text;
  int base = 10;
  for (const auto& [sign, its_base] : {std::pair('x', 16), std::pair('o', 8), std::pair('b', 2)}) {
    if (digits.size() > 2 && (digits[1] | 0x20) == sign) {
      base = its_base;
      digits.remove_prefix(2);
    }
  }
  const char* end = digits.data() + digits.size();
  if (token.kind == Token::Kind::integer) {
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), end, value, base).ec != std::errc()) {
      throw SyntaxError(token.line, fmt::format("the integer {} is too large", token.text));
    }
    constant->value = value;
  } else {
    double value = 0;
    if (std::from_chars(digits.data(), end, value).ec != std::errc()) {
      throw SyntaxError(token.line, fmt::format("the number {} is too large", token.text));
    }
    constant->value = value;
  }
  return constant;
}

ExpressionPtr ExpressionParser::name() {
  auto expression = make(Kind::name, peek().text);
  take();
  const std::string& name = expression->text;
  const bool is_true = name == "true" || name == "True";
  if (is_true || name == "false" || name == "False") {
    expression->kind = Kind::constant;
    expression->value = is_true;
  } else if (name == "none" || name == "None") {
    expression->kind = Kind::constant;
    expression->value = nullptr;
    return expression;
  }
  names.insert(name);
  if (uses != nullptr) {
    uses->varargs |= name == "varargs";
    uses->kwargs |= name == "kwargs";
    uses->caller |= name == "caller";
  }
  return expression;
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
    return name();
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
  items_until("]", [&] { add(*expression, conditional()); });
  return expression;
}

ExpressionPtr ExpressionParser::dict() {
  auto expression = make(Kind::dict);
  expect_sign("{");
  items_until("}", [&] {
    add(*expression, conditional());
    expect_sign(":");
    add(*expression, conditional());
  });
  return expression;
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr value) {
  while (true) {
    if (peek().is(".") || peek().is("[")) {
      value = subscript(std::move(value));
    } else if (peek().is("(")) {
      auto call = make(Kind::call, {}, std::move(value));
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
      auto item = make(Kind::item, {}, std::move(value));
      add(*item, number());
      return item;
    }
    return make(Kind::attribute, expect_name(), std::move(value));
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
    auto item = make(Kind::item, {}, std::move(value));
    add(*item, std::move(parts[0]));
    return item;
  }
  if (parts.size() > 3) {
    throw SyntaxError(peek().line, "a slice has at most three parts");
  }
  auto slice = make(Kind::slice, {}, std::move(value));
  parts.resize(3);
  for (auto& each : parts) {
    add(*slice, std::move(each));
  }
  return slice;
}

void ExpressionParser::arguments(Expression& call) {
  expect_sign("(");
  items_until(")", [&] { argument(call); });
}

void ExpressionParser::argument(Expression& call) {
  const auto only_if = [&](bool allowed) {
    if (!allowed) {
      throw SyntaxError(peek().line, "the arguments of a call are in the wrong order");
    }
  };
  if (take_sign("*")) {
    only_if(call.more_items == nullptr && call.more_named == nullptr);
    call.more_items = conditional();
    grow(call, *call.more_items);
  } else if (take_sign("**")) {
    only_if(call.more_named == nullptr);
    call.more_named = conditional();
    grow(call, *call.more_named);
  } else if (peek().kind == Token::Kind::name && peek(1).is("=")) {
    only_if(call.more_named == nullptr);
    std::string name = take().text;
    take();
    call.named.emplace_back(std::move(name), conditional());
    grow(call, *call.named.back().second);
  } else {
    if (!call.named.empty()) {
      throw SyntaxError(peek().line, "an argument by place follows one by name");
    }
    only_if(call.more_items == nullptr && call.more_named == nullptr);
    add(call, conditional());
  }
}

Parameters ExpressionParser::parameters() {
  Parameters parameters;
  expect_sign("(");
  items_until(")", [&] {
    std::string name = expect_name();
    parameters.emplace_back(std::move(name), take_sign("=") ? conditional() : nullptr);
  });
  return parameters;
}

ExpressionPtr ExpressionParser::block_filters() {
  auto value = filter(make(Kind::name, kCapturedName));
  while (peek().is("|")) {
    value = filter(std::move(value));
  }
  return value;
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
  take_sign("|");
  const int line = peek().line;
  std::string name = expect_name();
  while (take_sign(".")) {
    name += "." + expect_name();
  }
  if (!has_filter(name)) {
    note_unknown(line, fmt::format("the filter '{}' is not supported", name));
  }
  auto expression = make(Kind::filter, std::move(name), std::move(value));
  expression->line = line;
  if (peek().is("(")) {
    arguments(*expression);
  }
  return expression;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr value) {
  take_name("is");
  const bool negated = take_name("not");
  const int line = peek().line;
  std::string name = expect_name();
  if (!has_test(name)) {
    note_unknown(line, fmt::format("the test '{}' is not supported", name));
  }
  auto expression = make(Kind::test, std::move(name), std::move(value));
  expression->line = line;
  const Token& next = peek();
  const bool word = next.kind == Token::Kind::name && next.text != "else" && next.text != "or" &&
                    next.text != "and" && next.text != "if" && next.text != "is" &&
                    next.text != "in" && next.text != "not";
  if (next.is("(")) {
    arguments(*expression);
  } else if (word || next.kind == Token::Kind::text || next.kind == Token::Kind::integer ||
             next.kind == Token::Kind::floating || next.is("[") || next.is("{")) {
    add(*expression, postfix(primary()));
  }
  return negated ? make(Kind::unary, "not", std::move(expression)) : std::move(expression);
}

}  // namespace lmpo::jinja
