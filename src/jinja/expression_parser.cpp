#include "jinja/expression_parser.h"

#include <algorithm>
#include <array>

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

}  // namespace lmpo::jinja
