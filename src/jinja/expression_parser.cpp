#include "jinja/expression_parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "jinja/functions.h"

namespace lmpo::jinja {
namespace {

constexpr int kDeepest = 200;

using Kind = Expression::Kind;

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::end:
      return "the end of the template";
    case Token::Kind::block_end:
    case Token::Kind::print_end:
      return "the end of the tag";
    case Token::Kind::text:
      return "a string";
    default:
      return "'" + token.text + "'";
  }
}

}  // namespace

ExpressionParser::Depth::Depth(ExpressionParser& held) : parser(held) {
  if (++parser.depth_ > kDeepest) {
    --parser.depth_;
    throw SyntaxError(parser.peek().line, "expressions are nested too deeply");
  }
}

const Token& ExpressionParser::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

Token ExpressionParser::take() {
  Token token = peek();
  at_ = std::min(at_ + 1, tokens_.size() - 1);
  return token;
}

bool ExpressionParser::take_sign(std::string_view sign) {
  const bool found = peek().is(sign);
  if (found) {
    take();
  }
  return found;
}

bool ExpressionParser::take_name(std::string_view name) {
  const bool found = peek().is_name(name);
  if (found) {
    take();
  }
  return found;
}

void ExpressionParser::refuse(std::string_view expected) const {
  throw SyntaxError(peek().line, fmt::format("expected {}, found {}", expected, describe(peek())));
}

void ExpressionParser::expect_sign(std::string_view sign) {
  if (!take_sign(sign)) {
    refuse(fmt::format("'{}'", sign));
  }
}

std::string ExpressionParser::expect_name() {
  if (peek().kind != Token::Kind::name) {
    refuse("a name");
  }
  return take().text;
}

ExpressionPtr ExpressionParser::make(Kind kind, std::string text) const {
  auto expression = std::make_unique<Expression>();
  expression->kind = kind;
  expression->line = peek().line;
  expression->text = std::move(text);
  return expression;
}

ExpressionPtr ExpressionParser::join(Kind kind, std::string text, ExpressionPtr a,
                                     ExpressionPtr b) const {
  auto expression = make(kind, std::move(text));
  expression->line = a->line;
  expression->items.push_back(std::move(a));
  expression->items.push_back(std::move(b));
  return expression;
}

bool ExpressionParser::at_expression_end() const {
  const Token& token = peek();
  return token.kind == Token::Kind::block_end || token.kind == Token::Kind::print_end ||
         token.kind == Token::Kind::end || token.is(")") || token.is("=") || token.is_name("in");
}

ExpressionPtr ExpressionParser::tuple_or_single(bool with_conditional) {
  const auto single = [&] { return with_conditional ? conditional() : either(); };
  auto first = single();
  if (!peek().is(",")) {
    return first;
  }
  auto tuple = make(Kind::tuple);
  tuple->items.push_back(std::move(first));
  while (take_sign(",") && !at_expression_end()) {
    tuple->items.push_back(single());
  }
  return tuple;
}

ExpressionPtr ExpressionParser::target() {
  const Depth depth(*this);
  const auto single = [&]() -> ExpressionPtr {
    if (take_sign("(")) {
      auto inner = target();
      expect_sign(")");
      return inner;
    }
    auto name = make(Kind::name);
    name->text = expect_name();
    return name;
  };
  auto first = single();
  if (first->kind == Kind::name && peek().is(".")) {
    take();
    auto attribute = make(Kind::attribute, expect_name());
    attribute->items.push_back(std::move(first));
    return attribute;
  }
  if (!peek().is(",")) {
    return first;
  }
  auto tuple = make(Kind::tuple);
  tuple->items.push_back(std::move(first));
  while (take_sign(",") && !at_expression_end()) {
    tuple->items.push_back(single());
  }
  return tuple;
}

ExpressionPtr ExpressionParser::conditional() {
  const Depth depth(*this);
  auto value = either();
  while (take_name("if")) {
    auto choice = make(Kind::conditional);
    choice->items.push_back(std::move(value));
    choice->items.push_back(either());
    choice->items.push_back(take_name("else") ? conditional() : nullptr);
    value = std::move(choice);
  }
  return value;
}

ExpressionPtr ExpressionParser::either() {
  auto left = both();
  while (take_name("or")) {
    left = join(Kind::binary, "or", std::move(left), both());
  }
  return left;
}

ExpressionPtr ExpressionParser::both() {
  auto left = negation();
  while (take_name("and")) {
    left = join(Kind::binary, "and", std::move(left), negation());
  }
  return left;
}

ExpressionPtr ExpressionParser::negation() {
  const Depth depth(*this);
  if (!take_name("not")) {
    return comparison();
  }
  auto expression = make(Kind::unary, "not");
  expression->items.push_back(negation());
  return expression;
}

ExpressionPtr ExpressionParser::comparison() {
  static constexpr std::array<std::string_view, 6> signs = {"==", "!=", "<=", ">=", "<", ">"};
  auto first = sum();
  auto whole = make(Kind::compare);
  while (true) {
    const auto sign = std::find_if(signs.begin(), signs.end(),
                                   [&](std::string_view each) { return peek().is(each); });
    if (sign != signs.end()) {
      take();
      whole->operators.emplace_back(*sign);
    } else if (take_name("in")) {
      whole->operators.emplace_back("in");
    } else if (peek().is_name("not") && peek(1).is_name("in")) {
      take();
      take();
      whole->operators.emplace_back("not in");
    } else {
      break;
    }
    whole->items.push_back(sum());
  }
  if (whole->operators.empty()) {
    return first;
  }
  whole->items.insert(whole->items.begin(), std::move(first));
  return whole;
}

ExpressionPtr ExpressionParser::sum() {
  auto left = concatenation();
  while (peek().is("+") || peek().is("-")) {
    std::string sign = take().text;
    left = join(Kind::binary, std::move(sign), std::move(left), concatenation());
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  auto left = product();
  while (take_sign("~")) {
    left = join(Kind::binary, "~", std::move(left), product());
  }
  return left;
}

ExpressionPtr ExpressionParser::product() {
  auto left = power();
  while (peek().is("*") || peek().is("/") || peek().is("//") || peek().is("%")) {
    std::string sign = take().text;
    left = join(Kind::binary, std::move(sign), std::move(left), power());
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  auto left = unary(true);
  while (take_sign("**")) {
    left = join(Kind::binary, "**", std::move(left), unary(true));
  }
  return left;
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  const Depth depth(*this);
  ExpressionPtr value;
  if (peek().is("-") || peek().is("+")) {
    value = make(Kind::unary, take().text);
    value->items.push_back(unary(false));
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return with_filters ? filters(std::move(value)) : std::move(value);
}

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
  while (!take_sign("]")) {
    if (!expression->items.empty()) {
      expect_sign(",");
      if (take_sign("]")) {
        break;
      }
    }
    expression->items.push_back(conditional());
  }
  return expression;
}

ExpressionPtr ExpressionParser::dict() {
  auto expression = make(Kind::dict);
  expect_sign("{");
  while (!take_sign("}")) {
    if (!expression->items.empty()) {
      expect_sign(",");
      if (take_sign("}")) {
        break;
      }
    }
    expression->items.push_back(conditional());
    expect_sign(":");
    expression->items.push_back(conditional());
  }
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
  bool first = true;
  while (!take_sign(")")) {
    if (!first) {
      expect_sign(",");
      if (take_sign(")")) {
        break;
      }
    }
    first = false;
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
  }
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
