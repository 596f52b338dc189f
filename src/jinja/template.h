// Templates of the Jinja language, as far as chat templates use it: rendered as jinja2 does with
// trim_blocks and lstrip_blocks in an immutable sandbox, as transformers sets it up. What is not
// supported (inheritance, imports, `block`, `do`) is refused by name and line.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "jinja/budget.h"

namespace lmpo::jinja {

class Template {
 public:
  // `source` names the template in errors: a UserError "source:line: what is wrong".
  static Template parse(std::string_view text, std::string_view source);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  // The text with these variables, an object; `now` is what strftime_now writes. UserError where the
  // template fails, raises, or needs more than the limits allow. Thread-safe.
  std::string render(const ordered_json& variables, std::time_t now = std::time(nullptr),
                     const Limits& limits = {}) const;

 private:
  struct Impl;
  explicit Template(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo::jinja
