// jinja2's tests: "value is name".
#include <map>

#include "jinja/arithmetic.h"
#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

using Test = bool (*)(const Value&, const Arguments&);

// Python's remainder, of any number.
bool leaves(const Value& value, std::int64_t divisor, double remainder) {
  return binary_value("%", value, divisor) == Value(remainder);
}

bool is_mapping(const Value& value, const Arguments&) {
  return value.as_dict() != nullptr && value.as_dict()->kind == Dict::Kind::dict;
}

const std::map<std::string, Test, std::less<>>& tests() {
  using V = const Value&;
  using A = const Arguments&;
  static constexpr auto equal = [](V value, A arguments) {
    return value == arguments.need(0, "other");
  };
  static constexpr auto less = [](V value, A arguments) {
    return order(value, arguments.need(0, "other")) < 0;
  };
  static constexpr auto greater = [](V value, A arguments) {
    return order(value, arguments.need(0, "other")) > 0;
  };
  static constexpr auto at_most = [](V value, A arguments) {
    return order(value, arguments.need(0, "other")) <= 0;
  };
  static constexpr auto at_least = [](V value, A arguments) {
    return order(value, arguments.need(0, "other")) >= 0;
  };
  static constexpr auto unequal = [](V value, A arguments) { return !equal(value, arguments); };
  static const std::map<std::string, Test, std::less<>> known = {
      {"==", equal},
      {"!=", unequal},
      {"<", less},
      {"<=", at_most},
      {">", greater},
      {">=", at_least},
      {"defined", [](V value, A) { return !value.is_undefined(); }},
      {"undefined", [](V value, A) { return value.is_undefined(); }},
      {"none", [](V value, A) { return value.is_none(); }},
      {"string", [](V value, A) { return value.is_string(); }},
      {"mapping", is_mapping},
      {"sequence",
       [](V value, A) {
         return value.is_string() || is_mapping(value, {}) || value.is_undefined() ||
                (value.as_list() != nullptr && value.as_list()->kind <= ListKind::range);
       }},
      {"iterable",
       [](V value, A) {
         return value.is_string() || is_mapping(value, {}) || value.is_undefined() ||
                value.as_list() != nullptr || value.as_loop() != nullptr;
       }},
      {"filter", [](V value, A) { return value.is_string() && has_filter(value.string()); }},
      {"test", [](V value, A) { return value.is_string() && has_test(value.string()); }},
      {"escaped", [](V, A) { return false; }},
      {"number", [](V value, A) { return value.is_number(); }},
      {"integer", [](V value, A) { return value.is<std::int64_t>(); }},
      {"float", [](V value, A) { return value.is<double>(); }},
      {"boolean", [](V value, A) { return value.is<bool>(); }},
      {"true", [](V value, A) { return value.is<bool>() && value.as<bool>(); }},
      {"false", [](V value, A) { return value.is<bool>() && !value.as<bool>(); }},
      {"callable",
       [](V value, A) { return value.as_callable() != nullptr || value.is_undefined(); }},
      {"sameas", equal},
      {"eq", equal},
      {"equalto", equal},
      {"ne", unequal},
      {"lt", less},
      {"lessthan", less},
      {"le", at_most},
      {"gt", greater},
      {"greaterthan", greater},
      {"ge", at_least},
      {"in", [](V value, A arguments) { return contains(arguments.need(0, "seq"), value); }},
      {"odd", [](V value, A) { return leaves(value, 2, 1); }},
      {"even", [](V value, A) { return leaves(value, 2, 0); }},
      {"divisibleby",
       [](V value, A arguments) {
         return leaves(value, arguments.need(0, "num").integer("divisibleby"), 0);
       }},
      {"lower",
       [](V value, A) {
         const std::string text = value.str().string();
         return text == lower(text) && text != upper(text);
       }},
      {"upper",
       [](V value, A) {
         const std::string text = value.str().string();
         return text == upper(text) && text != lower(text);
       }},
  };
  return known;
}

}  // namespace

bool has_test(std::string_view name) {
  return tests().find(name) != tests().end();
}

bool apply_test(std::string_view name, const Value& value, const Arguments& arguments) {
  const auto found = tests().find(name);
  if (found == tests().end()) {
    fail("the test '{}' is not supported", name);
  }
  charge_work(kStepWork + arguments.reading_work());
  return found->second(value, arguments);
}

}  // namespace lmpo::jinja
