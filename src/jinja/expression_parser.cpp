#include "jinja/expression_parser.h"

#include <algorithm>
#include <array>

namespace lmpo::jinja {
namespace {

// The deepest nesting: of brackets while parsing, and of the resulting tree.
constexpr int kDeepestExpression = 200;
constexpr int kHighest = 200;

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
  if (++parser.depth_ > kDeepestExpression) {
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

ExpressionPtr ExpressionParser::make(Kind kind, std::string text, ExpressionPtr first) const {
  auto expression = make(kind, std::move(text));
  expression->line = first->line;
  add(*expression, std::move(first));
  return expression;
}

void ExpressionParser::grow(Expression& whole, const Expression& part) const {
  whole.height = std::max(whole.height, part.height + 1);
  if (whole.height > kHighest) {
    throw SyntaxError(part.line, "expressions are nested too deeply");
  }
}

void ExpressionParser::add(Expression& whole, ExpressionPtr part) const {
  if (part != nullptr) {
    grow(whole, *part);
  }
  whole.items.push_back(std::move(part));
}

ExpressionPtr ExpressionParser::chain(Kind kind, std::initializer_list<std::string_view> signs,
                                      Operand read) {
  auto first = (this->*read)();
  const auto at_sign = [&] {
    return std::any_of(signs.begin(), signs.end(),
                       [&](std::string_view sign) { return peek().is(sign); });
  };
  if (!at_sign()) {
    return first;
  }
  auto whole = make(kind, {}, std::move(first));
  while (at_sign()) {
    whole->operators.push_back(take().text);
    add(*whole, (this->*read)());
  }
  return whole;
}

ExpressionPtr ExpressionParser::words(Kind kind, std::string_view word, Operand read) {
  auto first = (this->*read)();
  if (!peek().is_name(word)) {
    return first;
  }
  auto whole = make(kind, {}, std::move(first));
  while (take_name(word)) {
    add(*whole, (this->*read)());
  }
  return whole;
}

void ExpressionParser::note_unknown(int line, const std::string& message) {
  if (branches == 0 && !unknown_) {
    unknown_.emplace(line, message);
  }
}

void ExpressionParser::refuse_unknown() const {
  if (unknown_) {
    throw SyntaxError(*unknown_);
  }
}

bool ExpressionParser::at_expression_end() const {
  const Token& token = peek();
  return token.kind == Token::Kind::block_end || token.kind == Token::Kind::print_end ||
         token.kind == Token::Kind::end || token.is(")") || token.is("=") || token.is_name("in");
}

ExpressionPtr ExpressionParser::rest_of_tuple(ExpressionPtr first, Operand read) {
  if (!peek().is(",")) {
    return first;
  }
  auto tuple = make(Kind::tuple);
  add(*tuple, std::move(first));
  while (take_sign(",") && !at_expression_end()) {
    add(*tuple, (this->*read)());
  }
  return tuple;
}

ExpressionPtr ExpressionParser::tuple_or_single(bool with_conditional) {
  const Operand read =
      with_conditional ? &ExpressionParser::conditional : &ExpressionParser::either;
  return rest_of_tuple((this->*read)(), read);
}

ExpressionPtr ExpressionParser::target_item() {
  if (take_sign("(")) {
    auto inner = target();
    expect_sign(")");
    return inner;
  }
  auto bound = make(Kind::name);
  bound->text = expect_name();
  return bound;
}

ExpressionPtr ExpressionParser::target() {
  const Depth depth(*this);
  auto first = target_item();
  if (first->kind == Kind::name && peek().is(".")) {
    take();
    return make(Kind::attribute, expect_name(), std::move(first));
  }
  return rest_of_tuple(std::move(first), &ExpressionParser::target_item);
}

ExpressionPtr ExpressionParser::conditional() {
  const Depth depth(*this);
  const auto unknown = unknown_;
  auto value = either();
  while (take_name("if")) {
    unknown_ = unknown;  // what was read is reached under a condition only
    ++branches;
    auto choice = make(Kind::conditional, {}, std::move(value));
    add(*choice, either());
    add(*choice, take_name("else") ? conditional() : nullptr);
    value = std::move(choice);
    --branches;
  }
  return value;
}

ExpressionPtr ExpressionParser::either() {
  return words(Kind::any, "or", &ExpressionParser::both);
}

ExpressionPtr ExpressionParser::both() {
  return words(Kind::all, "and", &ExpressionParser::negation);
}

ExpressionPtr ExpressionParser::negation() {
  const Depth depth(*this);
  if (!take_name("not")) {
    return comparison();
  }
  return make(Kind::unary, "not", negation());
}

ExpressionPtr ExpressionParser::comparison() {
  static constexpr std::array<std::string_view, 6> signs = {"==", "!=", "<=", ">=", "<", ">"};
  auto whole = make(Kind::compare, {}, sum());
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
    add(*whole, sum());
  }
  return whole->operators.empty() ? std::move(whole->items[0]) : std::move(whole);
}

ExpressionPtr ExpressionParser::sum() {
  return chain(Kind::chain, {"+", "-"}, &ExpressionParser::concatenation);
}

ExpressionPtr ExpressionParser::concatenation() {
  return chain(Kind::concatenate, {"~"}, &ExpressionParser::product);
}

ExpressionPtr ExpressionParser::product() {
  return chain(Kind::chain, {"*", "/", "//", "%"}, &ExpressionParser::power);
}

ExpressionPtr ExpressionParser::power() {
  return chain(Kind::chain, {"**"}, &ExpressionParser::operand);
}

ExpressionPtr ExpressionParser::operand() {
  return unary(true);
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  const Depth depth(*this);
  ExpressionPtr value;
  if (peek().is("-") || peek().is("+")) {
    std::string sign = take().text;
    value = make(Kind::unary, std::move(sign), unary(false));
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return with_filters ? filters(std::move(value)) : std::move(value);
}

}  // namespace lmpo::jinja
