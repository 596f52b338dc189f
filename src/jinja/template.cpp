#include "jinja/template.h"

#include "base/error.h"
#include "base/utf8.h"
#include "jinja/interpreter.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"

namespace lmpo::jinja {

namespace {

// Bounds a message, in which a template may quote a text of any length.
std::string shortened(std::string_view message) {
  constexpr std::size_t kLongest = 2000;
  if (message.size() <= kLongest) {
    return std::string(message);
  }
  return std::string(message.substr(0, previous_character(message, kLongest))) + "...";
}

}  // namespace

struct Template::Impl {
  std::string source;
  Syntax syntax;
  std::shared_ptr<Scope> functions = global_functions();

  MarkedText run(Interpreter& interpreter, const ordered_json& variables, std::time_t now) const {
    try {
      return interpreter.run(syntax.block, variables, now);
    } catch (const TemplateError& error) {
      user_error("{}:{}: {}", source, interpreter.line(), shortened(error.what()));
    }
  }
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

std::string Template::render(const ordered_json& variables, std::time_t now,
                             const Limits& limits) const {
  Interpreter interpreter(limits, impl_->functions);
  return impl_->run(interpreter, variables, now).text;
}

MarkedText Template::render_marked(const ordered_json& variables, std::time_t now,
                                   const Limits& limits) const {
  Interpreter interpreter(limits, impl_->functions);
  interpreter.require_places();
  return impl_->run(interpreter, variables, now);
}

bool Template::has_marks() const {
  return impl_->syntax.has_marks;
}

bool Template::reads(std::string_view name) const {
  return impl_->syntax.names.contains(name);
}

}  // namespace lmpo::jinja
