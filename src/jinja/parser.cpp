#include "jinja/parser.h"

#include <algorithm>
#include <array>

#include "jinja/expression_parser.h"

namespace lmpo::jinja {
namespace {

constexpr int kDeepest = 100;

using Kind = Statement::Kind;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Block run() {
    Block block = body({});
    if (tokens_.peek().kind != Token::Kind::end) {
      refuse_tag();
    }
    return block;
  }

 private:
  // Statements up to a block tag of one of these names, which is left unread, or to the end.
  Block body(std::initializer_list<std::string_view> ends) {
    if (++depth_ > kDeepest) {
      throw SyntaxError(tokens_.peek().line, "blocks are nested too deeply");
    }
    Block block;
    while (tokens_.peek().kind != Token::Kind::end) {
      const Token& token = tokens_.peek();
      if (token.kind == Token::Kind::data) {
        auto text = make(Kind::text);
        text->text = tokens_.take().text;
        block.push_back(std::move(text));
      } else if (token.kind == Token::Kind::print_begin) {
        block.push_back(print());
      } else {
        const std::string& name = tokens_.peek(1).text;
        if (std::find(ends.begin(), ends.end(), name) != ends.end()) {
          break;
        }
        block.push_back(statement());
      }
    }
    --depth_;
    return block;
  }

  std::unique_ptr<Statement> make(Kind kind) const {
    auto statement = std::make_unique<Statement>();
    statement->kind = kind;
    statement->line = tokens_.peek().line;
    return statement;
  }

  std::unique_ptr<Statement> print() {
    auto statement = make(Kind::print);
    tokens_.take();
    statement->value = tokens_.tuple_or_single(true);
    if (tokens_.peek().kind != Token::Kind::print_end) {
      tokens_.refuse("'}}'");
    }
    tokens_.take();
    return statement;
  }

  void end_tag() {
    if (tokens_.peek().kind != Token::Kind::block_end) {
      tokens_.refuse("'%}'");
    }
    tokens_.take();
  }

  // {% NAME %}
  void closing_tag(std::string_view name, const Statement& opened) {
    if (tokens_.peek().kind == Token::Kind::end || !tokens_.peek(1).is_name(name)) {
      throw SyntaxError(opened.line, fmt::format("the block that begins here has no '{}'", name));
    }
    tokens_.take();
    tokens_.take();
    end_tag();
  }

  [[noreturn]] void refuse_tag() const {
    const Token& name = tokens_.peek(1);
    static constexpr std::array<std::string_view, 7> known = {"endif",    "endfor", "else",  "elif",
                                                              "endmacro", "endset", "endraw"};
    if (std::find(known.begin(), known.end(), name.text) != known.end()) {
      throw SyntaxError(name.line, fmt::format("'{}' closes nothing here", name.text));
    }
    throw SyntaxError(name.line, fmt::format("the statement '{}' is not supported", name.text));
  }

  std::unique_ptr<Statement> statement() {
    const Token name = tokens_.peek(1);
    const auto is = [&](std::string_view text) { return name.is_name(text); };
    if (name.kind != Token::Kind::name) {
      tokens_.take();
      tokens_.refuse("the name of a statement");
    }
    if (is("if")) {
      return branch();
    }
    if (is("for")) {
      return loop();
    }
    if (is("set")) {
      return assignment();
    }
    if (is("macro")) {
      return macro();
    }
    if (is("with")) {
      return with();
    }
    if (is("generation")) {  // transformers' mark of what the assistant says: only its content
                             // counts
      auto scope = open(Kind::scope);
      end_tag();
      scope->body = body({"endgeneration"});
      closing_tag("endgeneration", *scope);
      return scope;
    }
    if (is("break") || is("continue")) {
      auto jump = open(is("break") ? Kind::leave : Kind::next);
      if (loops_ == 0) {
        throw SyntaxError(jump->line, fmt::format("'{}' stands outside of a loop", name.text));
      }
      end_tag();
      return jump;
    }
    refuse_tag();
  }

  // Past "{% NAME".
  std::unique_ptr<Statement> open(Kind kind) {
    auto statement = make(kind);
    tokens_.take();
    tokens_.take();
    return statement;
  }

  std::unique_ptr<Statement> branch() {
    auto statement = open(Kind::branch);
    statement->value = tokens_.tuple_or_single(true);
    end_tag();
    statement->body = body({"elif", "else", "endif"});
    if (tokens_.peek(1).is_name("elif") && tokens_.peek().kind == Token::Kind::block_begin) {
      if (++depth_ > kDeepest) {
        throw SyntaxError(statement->line, "too many 'elif' in a row");
      }
      statement->otherwise.push_back(branch());
      --depth_;
      return statement;  // the inner one has read endif
    }
    if (tokens_.peek(1).is_name("else") && tokens_.peek().kind == Token::Kind::block_begin) {
      tokens_.take();
      tokens_.take();
      end_tag();
      statement->otherwise = body({"endif"});
    }
    closing_tag("endif", *statement);
    return statement;
  }

  std::unique_ptr<Statement> loop() {
    auto statement = open(Kind::loop);
    statement->target = tokens_.target();
    if (!tokens_.take_name("in")) {
      tokens_.refuse("'in'");
    }
    statement->value = tokens_.tuple_or_single(false);
    if (tokens_.take_name("if")) {
      statement->condition = tokens_.conditional();
    }
    if (tokens_.peek().is_name("recursive")) {
      throw SyntaxError(statement->line, "recursive loops are not supported");
    }
    end_tag();
    ++loops_;
    statement->body = body({"else", "endfor"});
    --loops_;
    if (tokens_.peek(1).is_name("else") && tokens_.peek().kind == Token::Kind::block_begin) {
      tokens_.take();
      tokens_.take();
      end_tag();
      statement->otherwise = body({"endfor"});
    }
    closing_tag("endfor", *statement);
    return statement;
  }

  std::unique_ptr<Statement> assignment() {
    auto statement = open(Kind::assign);
    statement->target = tokens_.target();
    if (tokens_.take_sign("=")) {
      statement->value = tokens_.tuple_or_single(true);
      end_tag();
      return statement;
    }
    if (tokens_.peek().is("|")) {
      throw SyntaxError(statement->line, "filters on a set block are not supported");
    }
    statement->kind = Kind::capture;
    end_tag();
    statement->body = body({"endset"});
    closing_tag("endset", *statement);
    return statement;
  }

  std::unique_ptr<Statement> macro() {
    auto statement = open(Kind::macro);
    statement->text = tokens_.expect_name();
    tokens_.expect_sign("(");
    while (!tokens_.take_sign(")")) {
      if (!statement->parameters.empty()) {
        tokens_.expect_sign(",");
      }
      std::string name = tokens_.expect_name();
      statement->parameters.emplace_back(std::move(name),
                                         tokens_.take_sign("=") ? tokens_.conditional() : nullptr);
    }
    end_tag();
    const int loops = std::exchange(loops_, 0);
    statement->body = body({"endmacro"});
    loops_ = loops;
    closing_tag("endmacro", *statement);
    return statement;
  }

  std::unique_ptr<Statement> with() {
    auto statement = open(Kind::scope);
    while (tokens_.peek().kind != Token::Kind::block_end) {
      if (!statement->parameters.empty()) {
        tokens_.expect_sign(",");
      }
      std::string name = tokens_.expect_name();
      tokens_.expect_sign("=");
      statement->parameters.emplace_back(std::move(name), tokens_.conditional());
    }
    end_tag();
    statement->body = body({"endwith"});
    closing_tag("endwith", *statement);
    return statement;
  }

  ExpressionParser tokens_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Block parse_template(std::string_view source) {
  return Parser(tokenize_template(source)).run();
}

}  // namespace lmpo::jinja
