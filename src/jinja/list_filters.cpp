#include "jinja/list_filters.h"

#include <algorithm>
#include <charconv>

#include "jinja/arithmetic.h"
#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

std::shared_ptr<const List> items_of(const Value& value) {
  auto items = value.iterate();
  charge_work(items->items.size() * kItemWork);
  return items;
}

// For map, select and reject, a false value of any type has no items.
std::shared_ptr<const List> items_if_true(const Value& value) {
  return items_of(value.truth() ? value : Value(Undefined()));
}

Value generator(std::vector<Value> items) {
  return Value::list(std::move(items), ListKind::generator);
}

// value.a.b.0 for "a.b.0"; the value itself for none.
Value path_of(const Value& value, const Value& path) {
  if (path.is_none()) {
    return value;
  }
  charge_work(kStepWork);
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

Value choose(const Value& value, const Arguments& arguments, bool keep, bool by_attribute) {
  const auto all = items_if_true(value);
  const std::size_t place = by_attribute ? 1 : 0;
  const Value attribute = by_attribute ? arguments.need(0, "attribute") : Value(nullptr);
  const Value test = arguments.get(place, "test", nullptr);
  const Arguments rest = arguments.after(place + 1);
  std::vector<Value> items;
  for (const Value& item : all->items) {
    const Value judged = path_of(item, attribute);
    const bool holds =
        test.is_none() ? judged.truth() : apply_test(test.text("select"), judged, rest);
    if (holds == keep) {
      items.push_back(item);
    }
  }
  return generator(std::move(items));
}

// What sorting compares: text without regard to case unless asked.
Value sort_key(const Value& value, const Value& attribute, bool case_sensitive) {
  Value key = path_of(value, attribute);
  return key.is_string() && !case_sensitive ? Value(lower(key.string())) : key;
}

std::vector<Value> sort_keys(const List& list, const Value& attribute, bool case_sensitive) {
  std::vector<Value> keys;
  for (const Value& item : list.items) {
    keys.push_back(sort_key(item, attribute, case_sensitive));
  }
  return keys;
}

// The same for several attributes, "a,b.c". Keys are lists, as in jinja2; undefined values are
// equal to each other.
std::vector<Value> sort_keys_of_paths(const List& list, const Value& attribute,
                                      bool case_sensitive) {
  std::vector<Value> paths = {attribute};
  if (attribute.is_string()) {
    const auto parts = split(attribute.string(), ",", -1, false);
    paths.assign(parts.begin(), parts.end());
  }
  std::vector<Value> keys;
  for (const Value& item : list.items) {
    std::vector<Value> key;
    for (const Value& path : paths) {
      key.push_back(sort_key(item, path, case_sensitive));
    }
    keys.push_back(Value::list(std::move(key)));
  }
  return keys;
}

// The items, and their keys, in order.
struct Sorted {
  std::vector<Value> items;
  std::vector<Value> keys;
};
Sorted sorted(const List& list, const std::vector<Value>& keys, bool reverse) {
  std::vector<std::size_t> places(keys.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = i;
  }
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    const auto relation = order(keys[a], keys[b]);
    return reverse ? relation > 0 : relation < 0;
  });
  Sorted result;
  for (const std::size_t place : places) {
    result.items.push_back(list.items[place]);
    result.keys.push_back(keys[place]);
  }
  return result;
}

Value extreme(const Value& value, const Arguments& arguments, bool is_largest) {
  const auto all = items_of(value);
  if (all->items.empty()) {
    return Undefined("there is no item in an empty list");
  }
  const auto keys = sort_keys(*all, arguments.get(1, "attribute", nullptr),
                              arguments.get(0, "case_sensitive", false).truth());
  std::size_t best = 0;
  for (std::size_t i = 1; i < keys.size(); ++i) {
    const auto relation = order(keys[i], keys[best]);
    if (is_largest ? relation > 0 : relation < 0) {
      best = i;
    }
  }
  return all->items[best];
}

std::int64_t positive(const Value& value, const char* what) {
  const std::int64_t number = value.integer(what);
  if (number < 1) {
    fail("{}: a number above 0 was expected, not {}", what, number);
  }
  return number;
}

}  // namespace

Value map_filter(const Value& value, const Arguments& arguments) {
  const auto all = items_if_true(value);
  const bool by_attribute = arguments.positional.empty();
  const Value attribute = arguments.get(99, "attribute", nullptr);
  const Value fallback = arguments.get(99, "default", {});
  const Arguments rest = arguments.after(1);
  std::vector<Value> items;
  for (const Value& item : all->items) {
    if (by_attribute) {
      Value found = path_of(item, attribute);
      items.push_back(found.is_undefined() && !fallback.is_undefined() ? fallback : found);
    } else {
      items.push_back(apply_filter(arguments.positional[0].text("map"), item, rest));
    }
  }
  return generator(std::move(items));
}

Value select(const Value& value, const Arguments& arguments) {
  return choose(value, arguments, true, false);
}
Value reject(const Value& value, const Arguments& arguments) {
  return choose(value, arguments, false, false);
}
Value selectattr(const Value& value, const Arguments& arguments) {
  return choose(value, arguments, true, true);
}
Value rejectattr(const Value& value, const Arguments& arguments) {
  return choose(value, arguments, false, true);
}

// An attribute only, not a dictionary's entry.
Value attr(const Value& value, const Arguments& arguments) {
  const std::string name = arguments.need(0, "name").text("attr");
  const Value found = attribute_of(value, name);
  const Dict* dict = value.as_dict();
  const bool is_entry = dict != nullptr && dict->kind == Dict::Kind::dict;
  return is_entry && found.as_callable() == nullptr
             ? Value(Undefined(fmt::format("there is no attribute '{}'", name)))
             : found;
}

Value batch(const Value& value, const Arguments& arguments) {
  const auto count = static_cast<std::size_t>(positive(arguments.need(0, "linecount"), "batch"));
  const Value fill = arguments.get(1, "fill_with", nullptr);
  const auto all = items_of(value);
  std::vector<Value> rows;
  for (std::size_t at = 0; at < all->items.size(); at += std::min(count, all->items.size() - at)) {
    const auto begin = all->items.begin() + static_cast<std::ptrdiff_t>(at);
    std::vector<Value> row(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(count, all->items.size() - at)));
    if (!fill.is_none()) {
      if (count > limits().items) {
        fail("batch: {} items are too many", count);
      }
      row.resize(count, fill);
    }
    rows.push_back(Value::list(std::move(row)));
  }
  return generator(std::move(rows));
}

Value dictsort(const Value& value, const Arguments& arguments) {
  if (value.as_dict() == nullptr) {
    fail("dictsort: expected a dict, got {}", value.type_name());
  }
  const Value items = Value::list(items_of(items_filter(value, {}))->items);
  const bool by_value = arguments.get(1, "by", "key").text("dictsort") == "value";
  const auto keys = sort_keys(*items.as_list(), std::int64_t{by_value ? 1 : 0},
                              arguments.get(0, "case_sensitive", false).truth());
  return Value::list(
      sorted(*items.as_list(), keys, arguments.get(2, "reverse", false).truth()).items);
}

Value first(const Value& value, const Arguments&) {
  if (value.is_list(ListKind::generator)) {
    const List& list = *value.as_list();
    return list.taken < list.items.size() ? list.items[list.taken++]
                                          : Value(Undefined("there is no item left"));
  }
  if (value.is_string()) {
    return value.string().empty() ? Value(Undefined("there is no character in an empty text"))
                                  : Value(slice(value.string(), 0, 1, 1));
  }
  const auto all = value.iterate();
  return all->items.empty() ? Value(Undefined("there is no item in an empty list"))
                            : all->items.front();
}

Value last(const Value& value, const Arguments&) {
  if (value.is_list(ListKind::generator)) {
    fail("last: expected a list, got {}", value.type_name());
  }
  if (value.is_string()) {
    return value.string().empty() ? Value(Undefined("there is no character in an empty text"))
                                  : Value(slice(value.string(), -1, std::nullopt, 1));
  }
  const auto all = value.iterate();
  return all->items.empty() ? Value(Undefined("there is no item in an empty list"))
                            : all->items.back();
}

Value groupby(const Value& value, const Arguments& arguments) {
  const Value attribute = arguments.need(0, "attribute");
  const Value fallback = arguments.get(1, "default", nullptr);
  const bool case_sensitive = arguments.get(2, "case_sensitive", false).truth();
  const auto all = items_of(value);
  std::vector<Value> keys;
  for (const Value& item : all->items) {
    Value key = sort_key(item, attribute, case_sensitive);
    keys.push_back(key.is_undefined() && !fallback.is_none() ? fallback : key);
  }
  const Sorted in_order = sorted(*all, keys, false);
  std::vector<Value> groups;
  for (std::size_t begin = 0, end = 0; begin < in_order.items.size(); begin = end) {
    std::vector<Value> group;
    for (; end < in_order.items.size() && in_order.keys[end] == in_order.keys[begin]; ++end) {
      group.push_back(in_order.items[end]);
    }
    const Value named = path_of(group.front(), attribute);
    groups.push_back(Value::list(
        {named.is_undefined() ? fallback : named, Value::list(std::move(group))}, ListKind::group));
  }
  return Value::list(std::move(groups));
}

Value items_filter(const Value& value, const Arguments&) {
  if (value.is_undefined()) {
    return generator({});
  }
  if (value.as_dict() == nullptr) {
    fail("items: expected a dict, got {}", value.type_name());
  }
  return generator(call_value(attribute_of(value, "items"), {}).as_list()->items);
}

Value join(const Value& value, const Arguments& arguments) {
  const Value separator = arguments.get(0, "d", "").str();
  const Value attribute = arguments.get(1, "attribute", nullptr);
  const auto all = items_of(value);
  TextWriter text("join");
  for (std::size_t i = 0; i < all->items.size(); ++i) {
    text.add(i > 0 ? std::string_view(separator.string()) : std::string_view());
    text.add(path_of(all->items[i], attribute).str().string());
  }
  return text.take();
}

Value largest(const Value& value, const Arguments& arguments) {
  return extreme(value, arguments, true);
}
Value smallest(const Value& value, const Arguments& arguments) {
  return extreme(value, arguments, false);
}

Value list_filter(const Value& value, const Arguments&) {
  return value.is_list(ListKind::list) ? value : Value::list(items_of(value)->items);
}

Value reverse(const Value& value, const Arguments&) {
  if (value.is_string()) {
    return slice(value.string(), std::nullopt, std::nullopt, -1);
  }
  std::vector<Value> items = items_of(value)->items;
  std::reverse(items.begin(), items.end());
  // Python reverses these itself; jinja2 first makes a list of others.
  const bool goes_backwards = value.as_list() != nullptr && !value.is_list(ListKind::generator);
  return Value::list(std::move(items), goes_backwards ? ListKind::generator : ListKind::list);
}

// Splits into `slices` columns. If the count does not divide evenly, the first columns are longer
// by one.
Value slice_filter(const Value& value, const Arguments& arguments) {
  const std::int64_t count = positive(arguments.need(0, "slices"), "slice");
  const Value fill = arguments.get(1, "fill_with", nullptr);
  const auto all = items_of(value);
  if (count > static_cast<std::int64_t>(limits().items)) {
    fail("slice: {} columns are too many", count);
  }
  const auto columns = static_cast<std::size_t>(count);
  charge_work(columns * kItemWork);
  const std::size_t shortest = all->items.size() / columns;
  const std::size_t longer = all->items.size() % columns;
  std::vector<Value> result;
  auto begin = all->items.begin();
  for (std::size_t i = 0; i < columns; ++i) {
    const auto end = begin + static_cast<std::ptrdiff_t>(shortest + (i < longer ? 1 : 0));
    std::vector<Value> column(begin, end);
    if (!fill.is_none() && i >= longer) {
      column.push_back(fill);
    }
    result.push_back(Value::list(std::move(column)));
    begin = end;
  }
  return generator(std::move(result));
}

Value sort(const Value& value, const Arguments& arguments) {
  const auto all = items_of(value);
  const auto keys = sort_keys_of_paths(*all, arguments.get(2, "attribute", nullptr),
                                       arguments.get(1, "case_sensitive", false).truth());
  return Value::list(sorted(*all, keys, arguments.get(0, "reverse", false).truth()).items);
}

Value sum(const Value& value, const Arguments& arguments) {
  const Value attribute = arguments.get(0, "attribute", nullptr);
  Value total = arguments.get(1, "start", std::int64_t{0});
  const auto all = items_of(value);
  for (const Value& item : all->items) {
    total = binary_value("+", total, path_of(item, attribute));
  }
  return total;
}

Value unique(const Value& value, const Arguments& arguments) {
  const auto all = items_of(value);
  const auto keys = sort_keys(*all, arguments.get(1, "attribute", nullptr),
                              arguments.get(0, "case_sensitive", false).truth());
  std::vector<Value> items;
  std::vector<Value> seen;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    check_key(keys[i]);
    if (std::find(seen.begin(), seen.end(), keys[i]) == seen.end()) {
      seen.push_back(keys[i]);
      items.push_back(all->items[i]);
    }
  }
  return generator(std::move(items));
}

}  // namespace lmpo::jinja
