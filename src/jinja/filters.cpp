// jinja2's filters: "value|name".
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

using Filter = Value (*)(const Value&, const Arguments&);

// value.a.b.0 for "a.b.0"; the value itself for none.
Value path_of(const Value& value, const Value& path) {
  if (path.is_none()) {
    return value;
  }
  if (path.is_integer()) {
    return item_of(value, path);
  }
  Value at = value;
  for (const std::string& part : split(path.text("attribute"), ".", -1, false)) {
    std::int64_t place = 0;
    const char* end = part.data() + part.size();
    const auto number = std::from_chars(part.data(), end, place);
    at = item_of(at, number.ec == std::errc() && number.ptr == end ? Value(place) : Value(part));
  }
  return at;
}

Arguments without_first(const Arguments& arguments, std::size_t count) {
  Arguments rest = arguments;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() +
                            static_cast<std::ptrdiff_t>(std::min(count, rest.positional.size())));
  return rest;
}

Value map_filter(const Value& value, const Arguments& arguments) {
  const bool by_attribute = arguments.positional.empty();
  const Value attribute = arguments.get(99, "attribute", nullptr);
  const Value fallback = arguments.get(99, "default", {});
  std::vector<Value> items;
  for (const Value& item : value.iterate()) {
    if (by_attribute) {
      Value found = path_of(item, attribute);
      items.push_back(found.is_undefined() && !fallback.is_undefined() ? fallback : found);
    } else {
      items.push_back(
          apply_filter(arguments.positional[0].text("map"), item, without_first(arguments, 1)));
    }
  }
  return Value::list(std::move(items));
}

// select, reject, selectattr, rejectattr.
template <bool kKeep, bool kAttribute>
Value choose(const Value& value, const Arguments& arguments) {
  const std::size_t place = kAttribute ? 1 : 0;
  const Value attribute = kAttribute ? arguments.need(0, "attribute") : Value(nullptr);
  const Value test = arguments.get(place, "test", nullptr);
  const Arguments rest = without_first(arguments, place + 1);
  std::vector<Value> items;
  for (const Value& item : value.iterate()) {
    const Value judged = path_of(item, attribute);
    const bool holds =
        test.is_none() ? judged.truth() : apply_test(test.text("select"), judged, rest);
    if (holds == kKeep) {
      items.push_back(item);
    }
  }
  return Value::list(std::move(items));
}

// What sorting compares: text without regard to case unless asked.
Value sort_key(const Value& value, const Value& attribute, bool case_sensitive) {
  Value key = path_of(value, attribute);
  return key.is_string() && !case_sensitive ? Value(lower(key.as<std::string>())) : key;
}

Value sorted(std::vector<Value> items, const Value& attribute, bool case_sensitive, bool reverse) {
  std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) {
    const auto relation =
        order(sort_key(a, attribute, case_sensitive), sort_key(b, attribute, case_sensitive));
    return reverse ? relation > 0 : relation < 0;
  });
  return Value::list(std::move(items));
}

Value dictsort(const Value& value, const Arguments& arguments) {
  if (value.as_dict() == nullptr) {
    fail("dictsort: expected a dict, got {}", value.type_name());
  }
  std::vector<Value> items;
  for (const auto& [key, item] : value.as_dict()->entries) {
    items.push_back(Value::list({key, item}, true));
  }
  const bool by_value = arguments.get(1, "by", "key").text("dictsort") == "value";
  return sorted(std::move(items), std::int64_t{by_value ? 1 : 0},
                arguments.get(0, "case_sensitive", false).truth(),
                arguments.get(2, "reverse", false).truth());
}

Value unique(const Value& value, const Arguments& arguments) {
  const bool case_sensitive = arguments.get(0, "case_sensitive", false).truth();
  const Value attribute = arguments.get(1, "attribute", nullptr);
  std::vector<Value> items;
  std::vector<Value> keys;
  for (const Value& item : value.iterate()) {
    Value key = sort_key(item, attribute, case_sensitive);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.push_back(std::move(key));
      items.push_back(item);
    }
  }
  return Value::list(std::move(items));
}

template <bool kLargest>
Value extreme(const Value& value, const Arguments& arguments) {
  const std::vector<Value> items = value.iterate();
  if (items.empty()) {
    return Undefined{"there is no item in an empty list"};
  }
  const bool case_sensitive = arguments.get(0, "case_sensitive", false).truth();
  const Value attribute = arguments.get(1, "attribute", nullptr);
  const auto less = [&](const Value& a, const Value& b) {
    return order(sort_key(a, attribute, case_sensitive), sort_key(b, attribute, case_sensitive)) <
           0;
  };
  return kLargest ? *std::max_element(items.begin(), items.end(), less)
                  : *std::min_element(items.begin(), items.end(), less);
}

Value sum(const Value& value, const Arguments& arguments) {
  const Value attribute = arguments.get(0, "attribute", nullptr);
  const Value start = arguments.get(1, "start", std::int64_t{0});
  bool whole = start.is_integer();
  double total = start.number("sum");
  std::int64_t integer_total = whole ? start.integer("sum") : 0;
  for (const Value& item : value.iterate()) {
    const Value number = path_of(item, attribute);
    whole = whole && number.is_integer();
    total += number.number("sum");
    if (whole && __builtin_add_overflow(integer_total, number.integer("sum"), &integer_total)) {
      fail("sum: the result is too large");
    }
  }
  return whole ? Value(integer_total) : Value(total);
}

Value join(const Value& value, const Arguments& arguments) {
  const std::string separator = arguments.get(0, "d", "").str();
  const Value attribute = arguments.get(1, "attribute", nullptr);
  std::string text;
  bool first = true;
  for (const Value& item : value.iterate()) {
    text += (first ? "" : separator) + path_of(item, attribute).str();
    first = false;
    if (text.size() > kMostBytes) {
      fail("join: the result is too long");
    }
  }
  return text;
}

Value indent(const Value& value, const Arguments& arguments) {
  const Value width = arguments.get(0, "width", std::int64_t{4});
  const std::string margin = width.is_string()
                                 ? width.as<std::string>()
                                 : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(
                                                   width.integer("indent"), 0, 1000)),
                                               ' ');
  const bool first = arguments.get(1, "first", false).truth();
  const bool blank = arguments.get(2, "blank", false).truth();
  std::string text;
  const std::vector<std::string> lines = split(value.str(), "\n", -1, false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += i > 0 ? "\n" : "";
    text += (i > 0 ? blank || !lines[i].empty() : first) ? margin + lines[i] : lines[i];
    if (text.size() > kMostBytes) {
      fail("indent: the result is too long");
    }
  }
  return text;
}

Value to_number(const Value& value, const Value& fallback, bool whole) {
  double number = 0;
  if (value.is_number()) {
    number = value.number("int");
    if (whole && value.is_integer()) {
      return value.integer("int");
    }
  } else if (value.is_string()) {
    const std::string text = strip(value.as<std::string>(), std::nullopt, true, true);
    const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const char* end = text.data() + text.size();
    std::int64_t integer = 0;
    const auto as_integer = std::from_chars(begin, end, integer);
    if (whole && as_integer.ec == std::errc() && as_integer.ptr == end) {
      return integer;
    }
    const auto as_float = std::from_chars(begin, end, number);
    if (as_float.ec != std::errc() || as_float.ptr != end) {
      return fallback;
    }
  } else {
    return fallback;
  }
  if (!whole) {
    return number;
  }
  return std::abs(number) < 9e18 ? Value(static_cast<std::int64_t>(number)) : fallback;
}

Value round(const Value& value, const Arguments& arguments) {
  const std::int64_t precision = std::clamp<std::int64_t>(
      arguments.get(0, "precision", std::int64_t{0}).integer("round"), -300, 300);
  const std::string method = arguments.get(1, "method", "common").text("round");
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double number = value.number("round") * scale;
  const double rounded = method == "ceil"    ? std::ceil(number)
                         : method == "floor" ? std::floor(number)
                                             : std::nearbyint(number);  // to even, as Python
  return rounded / scale;
}

Value absolute(const Value& value, const Arguments&) {
  if (value.is_integer()) {
    const std::int64_t number = value.integer("abs");
    return number == INT64_MIN ? Value(-static_cast<double>(number)) : Value(std::abs(number));
  }
  return std::abs(value.number("abs"));
}

Value reverse(const Value& value, const Arguments&) {
  if (value.is_string()) {
    return slice(value.as<std::string>(), std::nullopt, std::nullopt, -1);
  }
  std::vector<Value> items = value.iterate();
  std::reverse(items.begin(), items.end());
  return Value::list(std::move(items));
}

Value first_or_last(const Value& value, bool first) {
  const std::vector<Value> items = value.iterate();
  if (items.empty()) {
    return Undefined{"there is no item in an empty list"};
  }
  return first ? items.front() : items.back();
}

Value tojson(const Value& value, const Arguments& arguments) {
  // transformers' own: (value, ensure_ascii, indent, separators, sort_keys).
  const Value indent = arguments.get(1, "indent", nullptr);
  if (arguments.get(0, "ensure_ascii", false).truth() ||
      !arguments.get(2, "separators", nullptr).is_none()) {
    fail("tojson: 'ensure_ascii' and 'separators' are not supported");
  }
  return to_json(value, indent.is_none() ? -1 : std::max<std::int64_t>(indent.integer("indent"), 0),
                 arguments.get(3, "sort_keys", false).truth());
}

Value items_filter(const Value& value, const Arguments& arguments) {
  if (value.is_undefined()) {
    return Value::list({});
  }
  if (value.as_dict() == nullptr) {
    fail("items: expected a dict, got {}", value.type_name());
  }
  return attribute_of(value, "items").as_callable()->call(arguments);
}

Value default_filter(const Value& value, const Arguments& arguments) {
  const bool replace_false = arguments.get(1, "boolean", false).truth();
  const bool absent = value.is_undefined() || (replace_false && !value.truth());
  return absent ? arguments.get(0, "default_value", "") : value;
}

const std::map<std::string, Filter, std::less<>>& filters() {
  using V = const Value&;
  using A = const Arguments&;
  static constexpr auto length = [](V value, A) -> Value { return value.length(); };
  static const std::map<std::string, Filter, std::less<>> known = {
      {"abs", absolute},
      {"capitalize", [](V value, A) -> Value { return capitalize(value.str()); }},
      {"count", length},
      {"d", default_filter},
      {"default", default_filter},
      {"dictsort", dictsort},
      {"first", [](V value, A) { return first_or_last(value, true); }},
      {"float", [](V value, A a) { return to_number(value, a.get(0, "default", 0.0), false); }},
      {"indent", indent},
      {"int",
       [](V value, A a) { return to_number(value, a.get(0, "default", std::int64_t{0}), true); }},
      {"items", items_filter},
      {"join", join},
      {"last", [](V value, A) { return first_or_last(value, false); }},
      {"length", length},
      {"list", [](V value, A) { return Value::list(value.iterate()); }},
      {"lower", [](V value, A) -> Value { return lower(value.str()); }},
      {"map", map_filter},
      {"max", extreme<true>},
      {"min", extreme<false>},
      {"reject", choose<false, false>},
      {"rejectattr", choose<false, true>},
      {"replace",
       [](V value, A a) -> Value {
         const Value count = a.get(2, "count", nullptr);
         return replace(value.str(), a.need(0, "old").str(), a.need(1, "new").str(),
                        count.is_none() ? -1 : count.integer("replace"));
       }},
      {"reverse", reverse},
      {"round", round},
      {"safe", [](V value, A) -> Value { return value.str(); }},
      {"select", choose<true, false>},
      {"selectattr", choose<true, true>},
      {"sort",
       [](V value, A a) {
         return sorted(value.iterate(), a.get(2, "attribute", nullptr),
                       a.get(1, "case_sensitive", false).truth(),
                       a.get(0, "reverse", false).truth());
       }},
      {"string", [](V value, A) -> Value { return value.str(); }},
      {"sum", sum},
      {"title", [](V value, A) -> Value { return title_words(value.str()); }},
      {"tojson", tojson},
      {"trim",
       [](V value, A a) -> Value {
         const Value set = a.get(0, "chars", nullptr);
         return strip(value.str(), set.is_none() ? std::nullopt : std::optional(set.text("trim")),
                      true, true);
       }},
      {"unique", unique},
      {"upper", [](V value, A) -> Value { return upper(value.str()); }},
  };
  return known;
}

}  // namespace

bool has_filter(std::string_view name) {
  return filters().find(name) != filters().end();
}

Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments) {
  const auto found = filters().find(name);
  if (found == filters().end()) {
    fail("the filter '{}' is not supported", name);
  }
  return found->second(value, arguments);
}

}  // namespace lmpo::jinja
