#include "jinja/arithmetic.h"

#include <algorithm>
#include <cmath>

#include "jinja/formatting.h"
#include "jinja/functions.h"

namespace lmpo::jinja {
namespace {

[[noreturn]] void too_large(std::string_view sign) {
  fail("'{}': the result is too large", sign);
}

Value add(const Value& left, const Value& right) {
  if (left.is_string() && right.is_string()) {
    TextWriter joined("'+'");
    joined.add(left.string());
    joined.add(right.string());
    return joined.take();
  }
  const List* a = left.as_list();
  const List* b = right.as_list();
  if (a == nullptr || b == nullptr || a->kind != b->kind ||
      (a->kind != ListKind::list && a->kind != ListKind::tuple)) {
    fail("'+' cannot join {} and {}", left.type_name(), right.type_name());
  }
  if (a->items.size() + b->items.size() > limits().items) {
    too_large("+");
  }
  charge_work((a->items.size() + b->items.size()) * kItemWork);
  std::vector<Value> items = a->items;
  items.insert(items.end(), b->items.begin(), b->items.end());
  return Value::list(std::move(items), a->kind);
}

Value repeat(const Value& what, const Value& times) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times.integer("*"), 0));
  if (what.is_string()) {
    TextWriter text("'*'");
    text.add(count, what.string());
    return text.take();
  }
  const List& list = *what.as_list();
  if (!list.items.empty() && count > limits().items / list.items.size()) {
    too_large("*");
  }
  std::vector<Value> items;
  if (!list.items.empty()) {
    charge_work(count * list.items.size() * kItemWork);
    for (std::size_t i = 0; i < count; ++i) {
      items.insert(items.end(), list.items.begin(), list.items.end());
    }
  }
  return Value::list(std::move(items), list.kind);
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  if (base == 0 || base == 1 || base == -1) {
    return exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base;
  }
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) {
      too_large("**");
    }
  }
  return result;
}

Value floats(std::string_view sign, double a, double b) {
  if (sign == "+") {
    return a + b;
  }
  if (sign == "-") {
    return a - b;
  }
  if (sign == "*") {
    return a * b;
  }
  if (sign == "**") {
    if ((a < 0 && b != std::floor(b)) || (a == 0 && b < 0)) {
      fail("'**': {} to the power of {} is not a real number", a, b);
    }
    const double result = std::pow(a, b);
    if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) {
      too_large(sign);
    }
    return result;
  }
  if (b == 0) {
    fail("'{}': division by zero", sign);
  }
  if (sign == "//") {
    return std::floor(a / b);
  }
  if (sign == "/") {
    return a / b;
  }
  const double rest = std::fmod(a, b);  // of the divisor's sign in Python
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value integers(std::string_view sign, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  if (sign == "+") {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (sign == "-") {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (sign == "*") {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else if (sign == "**") {
    return b < 0 ? floats(sign, static_cast<double>(a), static_cast<double>(b))
                 : Value(integer_power(a, b));
  } else if (b == 0) {
    fail("'{}': division by zero", sign);
  } else if (b == -1) {  // the one quotient that can overflow
    overflow = sign == "//" && __builtin_sub_overflow(std::int64_t{0}, a, &result);
  } else {
    // Python rounds down, and the remainder has the divisor's sign.
    const std::int64_t quotient = a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
    result = sign == "//" ? quotient : a - quotient * b;
  }
  if (overflow) {
    too_large(sign);
  }
  return result;
}

void refuse_undefined(const Value& value) {
  if (value.is_undefined()) {
    value.as<Undefined>().refuse();
  }
}

}  // namespace

Value signed_value(std::string_view sign, const Value& value) {
  refuse_undefined(value);
  if (sign == "+") {
    return value.is_integer() ? Value(value.integer("+")) : Value(value.number("+"));
  }
  return value.is_integer() ? integers("-", 0, value.integer("-")) : Value(-value.number("-"));
}

Value binary_value(std::string_view sign, const Value& left, const Value& right) {
  refuse_undefined(left);
  refuse_undefined(right);
  if (left.is_number() && right.is_number()) {
    return left.is_integer() && right.is_integer() && sign != "/"
               ? integers(sign, left.integer("+"), right.integer("+"))
               : floats(sign, left.number("+"), right.number("+"));
  }
  if (sign == "+") {
    return add(left, right);
  }
  const auto repeats = [](const Value& value) {
    return value.is_string() || value.is_list(ListKind::list) || value.is_list(ListKind::tuple);
  };
  if (sign == "*" && repeats(left) && right.is_integer()) {
    return repeat(left, right);
  }
  if (sign == "*" && repeats(right) && left.is_integer()) {
    return repeat(right, left);
  }
  if (sign == "%" && left.is_string()) {
    return format_percent(left.string(), right);
  }
  fail("'{}' cannot take {} and {}", sign, left.type_name(), right.type_name());
}

bool compare_values(std::string_view sign, const Value& left, const Value& right) {
  if (sign == "==") {
    return left == right;
  }
  if (sign == "!=") {
    return !(left == right);
  }
  if (sign == "in") {
    return contains(right, left);
  }
  if (sign == "not in") {
    return !contains(right, left);
  }
  const std::partial_ordering relation = order(left, right);
  return sign == "<"    ? relation < 0
         : sign == ">"  ? relation > 0
         : sign == "<=" ? relation <= 0
                        : relation >= 0;
}

}  // namespace lmpo::jinja
