// jinja2's tests: "value is name".
#include <map>

#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

using Test = bool (*)(const Value&, const Arguments&);

std::int64_t remainder_by(const Value& value, std::int64_t divisor) {
  if (divisor == 0) {
    fail("divisibleby: division by zero");
  }
  return divisor == -1 ? 0 : value.integer("test") % divisor;
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
      {"mapping", [](V value, A) { return value.as_dict() != nullptr; }},
      {"sequence",
       [](V value, A) {
         return value.is_string() || value.as_list() != nullptr || value.as_dict() != nullptr ||
                value.is_undefined();
       }},
      {"iterable",
       [](V value, A) {
         return value.is_string() || value.as_list() != nullptr || value.as_dict() != nullptr ||
                value.is_undefined();
       }},
      {"number", [](V value, A) { return value.is_number(); }},
      {"integer", [](V value, A) { return value.is<std::int64_t>(); }},
      {"float", [](V value, A) { return value.is<double>(); }},
      {"boolean", [](V value, A) { return value.is<bool>(); }},
      {"true", [](V value, A) { return value.is<bool>() && value.as<bool>(); }},
      {"false", [](V value, A) { return value.is<bool>() && !value.as<bool>(); }},
      {"callable", [](V value, A) { return value.as_callable() != nullptr; }},
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
      {"odd", [](V value, A) { return remainder_by(value, 2) != 0; }},
      {"even", [](V value, A) { return remainder_by(value, 2) == 0; }},
      {"divisibleby",
       [](V value, A arguments) {
         return remainder_by(value, arguments.need(0, "num").integer("divisibleby")) == 0;
       }},
      {"lower",
       [](V value, A) {
         const std::string text = value.str();
         return text == lower(text) && text != upper(text);
       }},
      {"upper",
       [](V value, A) {
         const std::string text = value.str();
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
  return found->second(value, arguments);
}

}  // namespace lmpo::jinja
