// Values of LaTeX formulas, read as sympy's parse_latex reads them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "grade/latex_tokens.h"
#include "grade/latex_value.h"

namespace lmpo::grade {

// The value where variables have their values at one of several points. As in sympy's grammar,
// what follows a whole formula is not looked at ("1,2" is 1); "\pi", "e" and "i" are variables; and
// "n(n+1)" is a function n. Nothing where the formula cannot be read, is no number (a relation, an
// interval, a text, a matrix), has no finite value, or has an integral, a limit, a sum or a product.
struct LatexValue {
  Complex value;
  long double largest_term;  // the size of the largest term of a sum; rounding is relative to it
};
std::optional<LatexValue> latex_value(const std::vector<LatexToken>& tokens, int point);

}  // namespace lmpo::grade
