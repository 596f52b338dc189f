// Regular expressions by Oniguruma, the engine of `tokenizers`: for what PCRE2 cannot say. About
// four times slower.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.h"

struct re_pattern_buffer;

namespace lmpo {

// Immutable; copies share the compiled form; thread-safe.
class Oniguruma {
 public:
  // Throws UserError, which begins with `where`.
  Oniguruma(const std::string& pattern, std::string_view where);

  // The first match that begins at `start` or later. UserError where the pattern needs more
  // backtracking than is reasonable.
  std::optional<Span> search(std::string_view text, std::size_t start) const;

 private:
  std::shared_ptr<re_pattern_buffer> code_;
  std::string where_;
};

}  // namespace lmpo
