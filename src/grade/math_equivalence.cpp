#include <algorithm>

#include "base/utf8.h"
#include "grade/latex_reader.h"
#include "grade/latex_tokens.h"
#include "grade/latex_value.h"
#include "grade/math_answers.h"

namespace lmpo::grade {
namespace {

// Up to what rounding of 64-bit mantissas makes of the values. Not more: sympy takes a decimal
// number for a fraction only if it is one, and 0.333 is none.
bool are_equal(const LatexValue& a, const LatexValue& b) {
  constexpr long double kTolerance = 1e-17L;
  const long double size =
      std::max({std::abs(a.value), std::abs(b.value), a.largest_term, b.largest_term});
  return std::abs(a.value - b.value) <= kTolerance * size;
}

}  // namespace

bool is_equivalent(std::string_view answer, std::string_view other) {
  constexpr int kPoints = 8;
  constexpr std::size_t kLongest = 10'000;  // bytes; no answer is as long
  if (answer.size() > kLongest || other.size() > kLongest) {
    return false;
  }
  const std::vector<LatexToken> first = latex_tokens(answer);
  const std::vector<LatexToken> second = latex_tokens(other);
  for (int point = 0; point < kPoints; ++point) {
    const std::optional<LatexValue> a = latex_value(first, point);
    const std::optional<LatexValue> b = a ? latex_value(second, point) : std::nullopt;
    if (!b || !are_equal(*a, *b)) {
      return false;
    }
  }
  return true;
}

}  // namespace lmpo::grade
