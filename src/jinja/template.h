// Templates of the Jinja language, as far as chat templates use it: rendered as jinja2 does with
// trim_blocks and lstrip_blocks in an immutable sandbox, as transformers sets it up. What is not
// supported (inheritance, imports, `block`, `do`) is refused by name and line.
#pragma once

#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "jinja/budget.h"

namespace lmpo::jinja {

// Bytes [begin, end) of a text.
struct Span {
  std::size_t begin;
  std::size_t end;

  bool operator==(const Span&) const = default;
};

struct MarkedText {
  std::string text;
  // What {% generation %} blocks wrote, in order; none is empty.
  std::vector<Span> marks;
};

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
  // The same with the places of {% generation %} blocks. UserError also where such a block runs
  // inside a macro, a call, a filter block or a block assignment: its place in the text is unknown
  // there. (jinja2 with transformers' extension gives wrong places.)
  MarkedText render_marked(const ordered_json& variables, std::time_t now = std::time(nullptr),
                           const Limits& limits = {}) const;

  bool has_marks() const;
  // Whether some expression reads a variable of this name.
  bool reads(std::string_view name) const;

 private:
  struct Impl;
  explicit Template(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo::jinja
