#include "jinja/template.h"

#include "base/error.h"
#include "jinja/interpreter.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"

namespace lmpo::jinja {

struct Template::Impl {
  std::string source;
  Block block;
};

Template::Template(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Template Template::parse(std::string_view text, std::string_view source) {
  try {
    return Template(std::make_unique<Impl>(Impl{std::string(source), parse_template(text)}));
  } catch (const SyntaxError& error) {
    user_error("{}:{}: {}", source, error.line, error.what());
  }
}

std::string Template::render(const ordered_json& variables) const {
  Interpreter interpreter(variables);
  try {
    return interpreter.run(impl_->block);
  } catch (const TemplateError& error) {
    user_error("{}:{}: {}", impl_->source, interpreter.line(), error.what());
  }
}

}  // namespace lmpo::jinja
