#include "jinja/parser.h"

#include <algorithm>
#include <array>

#include "jinja/expression_parser.h"

namespace lmpo::jinja {
namespace {

constexpr int kDeepestBlock = 100;

using Kind = Statement::Kind;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Syntax run() {
    Syntax syntax{.block = body({}), .has_marks = false, .names = {}};
    if (tokens_.peek().kind != Token::Kind::end) {
      refuse_tag();
    }
    tokens_.refuse_unknown();
    syntax.has_marks = has_marks_;
    syntax.names = std::move(tokens_.names);
    return syntax;
  }

 private:
  // Statements up to a block tag of one of these names, which is left unread, or to the end.
  Block body(std::initializer_list<std::string_view> ends) {
    if (++depth_ > kDeepestBlock) {
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
    static constexpr std::array<std::string_view, 9> known = {
        "endif", "endfor", "else", "elif", "endmacro", "endset", "endraw", "endcall", "endfilter"};
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
    if (is("call")) {
      return call();
    }
    if (is("filter")) {
      auto filtered = open(Kind::capture);
      filtered->value = tokens_.block_filters();
      finish_block(*filtered, "endfilter");
      return filtered;
    }
    if (is("generation")) {  // transformers' mark of the assistant's tokens
      has_marks_ = true;
      auto marked = open(Kind::marked);
      finish_block(*marked, "endgeneration");
      return marked;
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

  // The rest of a block that is no loop: end of its tag, body, closing tag.
  void finish_block(Statement& statement, std::string_view name) {
    end_tag();
    statement.body = body({name});
    closing_tag(name, statement);
  }

  // Past "{% NAME", where that is what comes.
  bool take_tag(std::string_view name) {
    const bool found =
        tokens_.peek().kind == Token::Kind::block_begin && tokens_.peek(1).is_name(name);
    if (found) {
      tokens_.take();
      tokens_.take();
    }
    return found;
  }

  std::unique_ptr<Statement> branch() {
    auto statement = open(Kind::branch);
    ++tokens_.branches;
    do {
      auto condition = tokens_.tuple_or_single(true);
      end_tag();
      statement->arms.push_back({std::move(condition), body({"elif", "else", "endif"})});
    } while (take_tag("elif"));
    if (take_tag("else")) {
      end_tag();
      statement->otherwise = body({"endif"});
    }
    --tokens_.branches;
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
    statement->recursive = tokens_.take_name("recursive");
    end_tag();
    ++loops_;
    statement->body = body({"else", "endfor"});
    --loops_;
    if (take_tag("else")) {
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
    if (tokens_.take_sign("|")) {
      statement->value = tokens_.block_filters();
    }
    statement->kind = Kind::capture;
    finish_block(*statement, "endset");
    return statement;
  }

  // The body of a macro, or of a `call` block, which is one without a name.
  void macro_body(Statement& statement, std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Statement::Uses* const around = std::exchange(tokens_.uses, &statement.uses);
    finish_block(statement, end);
    tokens_.uses = around;
    if (around != nullptr) {
      around->varargs |= statement.uses.varargs;
      around->kwargs |= statement.uses.kwargs;
      around->caller |= statement.uses.caller;
    }
    loops_ = loops;
  }

  std::unique_ptr<Statement> macro() {
    auto statement = open(Kind::macro);
    statement->text = tokens_.expect_name();
    statement->parameters = tokens_.parameters();
    macro_body(*statement, "endmacro");
    return statement;
  }

  std::unique_ptr<Statement> call() {
    auto statement = open(Kind::call);
    statement->text = "caller";
    if (tokens_.peek().is("(")) {
      statement->parameters = tokens_.parameters();
    }
    statement->value = tokens_.conditional();
    if (statement->value->kind != Expression::Kind::call) {
      throw SyntaxError(statement->line, "'call' was expected to call a macro");
    }
    macro_body(*statement, "endcall");
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
    finish_block(*statement, "endwith");
    return statement;
  }

  ExpressionParser tokens_;
  int depth_ = 0;
  int loops_ = 0;
  bool has_marks_ = false;
};

}  // namespace

Syntax parse_template(std::string_view source) {
  return Parser(tokenize_template(source)).run();
}

}  // namespace lmpo::jinja
