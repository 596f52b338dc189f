#include "grade/latex_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>

namespace lmpo::grade {
namespace {

struct Unreadable {};  // here; a shorter reading may do
struct Hopeless {};    // sympy refuses the whole formula, or it is beyond this reader

constexpr auto kFunctions = std::to_array<std::string_view>(
    {"exp",  "log",  "lg",     "ln",     "sin",    "cos",    "tan",    "csc",
     "sec",  "cot",  "arcsin", "arccos", "arctan", "arccsc", "arcsec", "arccot",
     "sinh", "cosh", "tanh",   "arsinh", "arcosh", "artanh"});
// Those whose power -1 is the inverse function.
constexpr auto kInvertible = std::to_array<std::string_view>(
    {"sin", "cos", "tan", "csc", "sec", "cot", "sinh", "cosh", "tanh"});
// Commands that begin no factor: operators, closing brackets, arrows.
constexpr auto kNoFactors = std::to_array<std::string_view>(
    {"times", "cdot", "div", "rangle", "rfloor", "rceil", "to", "rightarrow", "Rightarrow",
     "longrightarrow", "Longrightarrow"});
constexpr auto kUnsupported =
    std::to_array<std::string_view>({"int", "sum", "prod", "lim", "langle", "infty"});
constexpr auto kFractions = std::to_array<std::string_view>({"frac", "dfrac", "tfrac"});
constexpr auto kBinomials = std::to_array<std::string_view>({"binom", "dbinom", "tbinom"});

// Recursive descent over sympy's grammar (sympy/parsing/latex/LaTeX.g4), one function a rule; each
// gives the value of what it has read, or throws. As in ANTLR, whose parsers look ahead as far as
// they need, what may follow but cannot be read is left: "2(3,4)" and "2+" are 2.
class LatexReader {
 public:
  LatexReader(const std::vector<LatexToken>& tokens, int point) : tokens_(tokens), point_(point) {}

  LatexValue formula() {
    const Complex value = sum();
    if (token().kind == LatexKind::relation || token().kind == LatexKind::invalid) {
      throw Hopeless();
    }
    return {value, largest_term_};
  }

 private:
  // Whether a factor may be a function, as it may not after the argument of one: \sin x \cos y is a
  // product.
  enum class Functions { allowed, left_out };

  struct Factor {
    Complex value;
    bool has_variables;
    bool is_x;  // the letter alone
  };

  const LatexToken& token(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_mark(std::string_view text, std::size_t ahead = 0) const {
    return token(ahead).kind == LatexKind::mark && token(ahead).text == text;
  }
  bool is_command(std::string_view name) const {
    return token().kind == LatexKind::command && token().text == name;
  }
  void need(std::string_view mark) {
    if (!is_mark(mark)) {
      throw Unreadable();
    }
    ++at_;
  }

  // Reads something that may follow. If it cannot be read, nothing is, and the result is false.
  template <typename Read>
  bool attempt(const Read& read) {
    constexpr int kMostAttempts = 20'000;
    if (++attempts_ > kMostAttempts) {
      throw Hopeless();
    }
    const auto before = std::tuple(at_, depth_, variables_, in_bars_);
    try {
      read();
      return true;
    } catch (const Unreadable&) {
      std::tie(at_, depth_, variables_, in_bars_) = before;
      return false;
    }
  }

  Complex sum() {
    // Brackets within brackets are read by functions that call each other.
    constexpr int kDeepest = 200;
    if (++depth_ > kDeepest) {
      throw Hopeless();
    }
    Complex value = product(Functions::allowed);
    while ((is_mark("+") || is_mark("-")) && attempt([&] {
             const bool is_plus = is_mark("+");
             ++at_;
             const Complex next = product(Functions::allowed);
             largest_term_ = std::max({largest_term_, std::abs(value), std::abs(next)});
             value = without_negative_zero(is_plus ? value + next : value - next);
           })) {
    }
    --depth_;
    return value;
  }

  Complex product(Functions functions) {
    const auto is_times = [this] {
      return is_mark("*") || is_command("times") || is_command("cdot");
    };
    const auto is_divided = [this] { return is_mark("/") || is_mark(":") || is_command("div"); };
    Complex value = signed_factors(functions);
    while ((is_times() || is_divided()) && attempt([&] {
             const bool is_product = is_times();
             ++at_;
             const Complex next = signed_factors(functions);
             value = without_negative_zero(value * (is_product ? next : power(next, -1)));
           })) {
    }
    return value;
  }

  Complex signed_factors(Functions functions) {
    bool is_negative = false;
    for (; is_mark("+") || is_mark("-"); ++at_) {
      is_negative ^= is_mark("-");
    }
    const Complex value = factors(functions);
    return is_negative ? without_negative_zero(-value) : value;
  }

  // Factors side by side. An x between two numbers is a sign of multiplication.
  Complex factors(Functions functions) {
    std::vector<Factor> list = {factor(Functions::allowed)};
    while (begins_factor(functions) && attempt([&] { list.push_back(factor(functions)); })) {
    }
    Complex value = list[0].value;
    for (std::size_t i = 1; i < list.size(); ++i) {
      const bool is_sign = list[i].is_x && i + 1 < list.size() && !list[i - 1].has_variables &&
                           !list[i + 1].has_variables;
      value = is_sign ? value : without_negative_zero(value * list[i].value);
    }
    return value;
  }

  bool begins_factor(Functions functions) const {
    switch (token().kind) {
      case LatexKind::letter:
      case LatexKind::digit:
      case LatexKind::differential:
        return true;
      case LatexKind::mark:
        return (is_mark("(") && at_ != unreadable_bracket_) || is_mark("[") || is_mark("{") ||
               is_mark("\\{") || is_mark("\\left|") || (is_mark("|") && !in_bars_);
      case LatexKind::command: {
        const std::string& name = token().text;
        const bool is_function =
            is_one_of(name, kFunctions) || name == "sqrt" || name == "overline";
        return !is_one_of(name, kNoFactors) && (functions == Functions::allowed || !is_function);
      }
      case LatexKind::invalid:
        throw Hopeless();
      default:
        return false;
    }
  }

  Factor factor(Functions functions) {
    const std::size_t begin = at_;
    const int variables = variables_;
    Complex value = powers(functions);
    for (;; ++at_) {
      if (is_mark("|") && (is_mark("^", 1) || is_mark("_", 1))) {
        throw Hopeless();  // a value at a point
      }
      if (!is_mark("!")) {
        break;
      }
      value = factorial(value);
    }
    const bool is_x =
        at_ == begin + 1 && tokens_[begin].kind == LatexKind::letter && tokens_[begin].text == "x";
    return {value, variables_ > variables, is_x};
  }

  // As in the grammar, from left to right: x^2^3 is (x^2)^3.
  Complex powers(Functions functions) {
    Complex value = part(functions);
    while (is_mark("^") && attempt([&] { value = power(value, exponent_or_index("^")); })) {
      if (is_mark("_")) {
        attempt([&] { exponent_or_index("_"); });
      }
    }
    return value;
  }

  // What follows ^ or _: a number, a letter, a fraction, or anything in braces.
  Complex exponent_or_index(std::string_view mark) {
    need(mark);
    return is_mark("{") ? bracket("{", "}") : atom();
  }

  Complex bracket(std::string_view open, std::string_view close) {
    need(open);
    const bool was_in_bars = std::exchange(in_bars_, close == "|");
    const Complex value = sum();
    need(close);
    in_bars_ = was_in_bars;
    return value;
  }

  Complex part(Functions functions) {
    if (token().kind == LatexKind::mark) {
      return token().text == "("     ? bracket("(", ")")
             : token().text == "["   ? bracket("[", "]")
             : token().text == "\\{" ? bracket("\\{", "\\}")
             : token().text == "|"   ? Complex(std::abs(bracket("|", "|")))
                                     : bracket("{", "}");
    }
    if (is_command("lfloor") || is_command("lceil")) {
      const bool is_floor = is_command("lfloor");
      ++at_;
      const Complex value = sum();
      if (!is_command(is_floor ? "rfloor" : "rceil")) {
        throw Unreadable();
      }
      ++at_;
      return is_floor ? floor_of(value) : ceiling_of(value);
    }
    if (functions == Functions::allowed && token().kind == LatexKind::command) {
      if (is_one_of(token().text, kFunctions)) {
        return function();
      }
      if (is_command("sqrt")) {
        return root();
      }
      if (is_command("overline")) {
        ++at_;
        return std::conj(bracket("{", "}"));
      }
    }
    return atom(functions);
  }

  Complex root() {
    ++at_;
    const Complex degree = is_mark("[") ? bracket("[", "]") : Complex(2);
    return power(bracket("{", "}"), power(degree, -1));
  }

  Complex function() {
    std::string name = tokens_[at_++].text;
    std::optional<Complex> base;
    std::optional<Complex> exponent;
    for (;;) {
      if (is_mark("_") && !base) {
        base = index_of_function();
      } else if (is_mark("^") && !exponent) {
        exponent = exponent_or_index("^");
      } else {
        break;
      }
    }
    const bool is_inverse = exponent == Complex(-1) && is_one_of(name, kInvertible);
    if (is_inverse) {
      name = (name.ends_with('h') ? "ar" : "arc") + name;
    }
    Complex value = function_value(name, argument());
    if (base && (name == "log" || name == "ln" || name == "lg")) {
      value *= (name == "lg" ? std::log(Complex(10)) : Complex(1)) / std::log(*base);
    }
    return exponent && !is_inverse && *exponent != Complex(0) ? power(value, *exponent) : value;
  }

  // In \log_28 the last digit is the argument, unless one follows.
  Complex index_of_function() {
    std::size_t digits = 1;
    while (token(digits).kind == LatexKind::digit) {
      ++digits;
    }
    const std::size_t end = at_ + digits;
    const std::size_t begin = std::exchange(at_, end);
    const bool has_argument = begins_factor(Functions::left_out);
    at_ = begin;
    if (digits < 3 || has_argument) {
      return exponent_or_index("_");
    }
    std::string text;
    for (++at_; at_ + 1 < end; ++at_) {
      text += token().text;
    }
    return std::strtold(text.c_str(), nullptr);
  }

  // In parentheses, of several arguments the first one; or factors without functions.
  Complex argument() { return is_mark("(") ? arguments().front() : product(Functions::left_out); }

  std::vector<Complex> arguments() {
    need("(");
    const bool was_in_bars = std::exchange(in_bars_, false);
    std::vector<Complex> values = {sum()};
    while (is_mark(",")) {
      ++at_;
      values.push_back(sum());
    }
    need(")");
    in_bars_ = was_in_bars;
    return values;
  }

  Complex atom(Functions functions = Functions::left_out) {
    switch (token().kind) {
      case LatexKind::digit:
        return number();
      case LatexKind::letter:
        return named(functions);
      case LatexKind::differential: {
        std::string name = tokens_[at_++].text;
        std::erase_if(name, [](char c) { return std::string_view(" \t\r\n\\").find(c) < 5; });
        return variable(name);
      }
      case LatexKind::command:
        break;
      default:
        throw Unreadable();
    }
    const std::string& name = token().text;
    if (is_one_of(name, kFractions)) {
      ++at_;
      const Complex numerator = digit_or_braces();
      return without_negative_zero(numerator * power(digit_or_braces(), -1));
    }
    if (is_one_of(name, kBinomials)) {
      ++at_;
      const Complex n = bracket("{", "}");
      return binomial(n, bracket("{", "}"));
    }
    if (name == "mathit") {
      return word();
    }
    if (is_one_of(name, kUnsupported)) {
      throw Hopeless();
    }
    if (is_one_of(name, kNoFactors) || is_one_of(name, kFunctions) || name == "sqrt" ||
        name == "overline") {
      throw Unreadable();
    }
    return named(functions);
  }

  Complex digit_or_braces() {
    if (token().kind == LatexKind::digit) {
      return static_cast<long double>(tokens_[at_++].text[0] - '0');
    }
    return bracket("{", "}");
  }

  // \mathit{abc}: one variable.
  Complex word() {
    ++at_;
    need("{");
    std::string name;
    for (; token().kind == LatexKind::letter; ++at_) {
      name += token().text;
    }
    need("}");
    return variable(name);
  }

  // 12, 1,200 or 1.25.
  Complex number() {
    std::string text;
    const auto take_digits = [&] {
      for (; token().kind == LatexKind::digit; ++at_) {
        text += token().text;
      }
    };
    take_digits();
    const auto are_digits = [this](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i <= last; ++i) {
        if (token(i).kind != LatexKind::digit) {
          return false;
        }
      }
      return true;
    };
    while (is_mark(",") && are_digits(1, 3)) {
      for (std::size_t i = 1; i <= 3; ++i) {
        text += token(i).text;
      }
      at_ += 4;
    }
    if (is_mark(".")) {
      if (!are_digits(1, 1)) {
        throw Hopeless();
      }
      text += '.';
      const std::size_t fraction = ++at_;
      take_digits();
      // So it is in sympy: "1.5." is 1.5, but "1.25." cannot be read.
      if (is_mark(".") && at_ > fraction + 1) {
        throw Hopeless();
      }
    }
    return std::strtold(text.c_str(), nullptr);
  }

  // A variable, or a function by that name if parentheses follow.
  Complex named(Functions functions) {
    std::string name = tokens_[at_++].text;
    bool has_index = false;
    bool has_quotes = false;
    for (;;) {
      const std::size_t begin = at_;
      if (is_mark("_") && !has_index && attempt([&] { exponent_or_index("_"); })) {
        has_index = true;
      } else if (token().kind == LatexKind::quotes && !has_quotes) {
        ++at_;
        has_quotes = true;
      } else {
        break;
      }
      for (std::size_t i = begin; i < at_; ++i) {
        const bool is_brace = tokens_[i].text == "{" || tokens_[i].text == "}";
        name += is_brace ? "" : tokens_[i].text;
      }
    }
    const std::size_t bracket = at_;
    std::vector<Complex> given;
    if (functions == Functions::left_out || !is_mark("(") ||
        !attempt([&] { given = arguments(); })) {
      // What cannot be read as arguments cannot be read as a factor.
      unreadable_bracket_ = is_mark("(") && functions == Functions::allowed ? bracket : 0;
      return variable(name);
    }
    Complex combined = 0;
    for (const Complex& value : given) {
      combined = combined * Complex(0.7L) + value;
    }
    return value_of_unknown(name, combined);
  }

  Complex variable(const std::string& name) {
    ++variables_;
    return value_of_variable(name, point_);
  }

  const std::vector<LatexToken>& tokens_;
  int point_;
  std::size_t at_ = 0;
  int depth_ = 0;
  long double largest_term_ = 0;
  int attempts_ = 0;
  int variables_ = 0;                   // how many variables have been read
  bool in_bars_ = false;                // a bar closes
  std::size_t unreadable_bracket_ = 0;  // its place; 0 stands for none
};

}  // namespace

std::optional<LatexValue> latex_value(const std::vector<LatexToken>& tokens, int point) {
  try {
    const LatexValue result = LatexReader(tokens, point).formula();
    return is_finite(result.value) ? std::optional(result) : std::nullopt;
  } catch (const Unreadable&) {
    return std::nullopt;
  } catch (const Hopeless&) {
    return std::nullopt;
  }
}

}  // namespace lmpo::grade
