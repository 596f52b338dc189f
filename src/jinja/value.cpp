#include "jinja/value.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace lmpo::jinja {

const Value* Dict::find(const Value& key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

void Dict::set(Value key, Value value) {
  for (auto& [name, held] : entries) {
    if (name == key) {
      held = std::move(value);
      return;
    }
  }
  entries.emplace_back(std::move(key), std::move(value));
}

Value Value::list(std::vector<Value> items, bool is_tuple) {
  Value value;
  value.held_ = std::make_shared<List>(List{std::move(items), is_tuple});
  return value;
}

Value Value::dict(Dict content) {
  Value value;
  value.held_ = std::make_shared<Dict>(std::move(content));
  return value;
}

Value Value::callable(std::string name, std::function<Value(const Arguments&)> call) {
  Value value;
  value.held_ = std::make_shared<Callable>(Callable{std::move(name), std::move(call)});
  return value;
}

Value Value::from_json(const ordered_json& content) {
  switch (content.type()) {
    case ordered_json::value_t::null:
      return nullptr;
    case ordered_json::value_t::boolean:
      return content.get<bool>();
    case ordered_json::value_t::number_integer:
      return content.get<std::int64_t>();
    case ordered_json::value_t::number_unsigned: {
      const auto number = content.get<std::uint64_t>();
      return number <= INT64_MAX ? Value(static_cast<std::int64_t>(number))
                                 : Value(static_cast<double>(number));
    }
    case ordered_json::value_t::number_float:
      return content.get<double>();
    case ordered_json::value_t::string:
      return content.get<std::string>();
    case ordered_json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : content) {
        items.push_back(from_json(item));
      }
      return list(std::move(items));
    }
    case ordered_json::value_t::object: {
      Dict entries;
      for (const auto& [key, item] : content.items()) {
        entries.entries.emplace_back(Value(key), from_json(item));
      }
      return dict(std::move(entries));
    }
    default:
      break;
  }
  return Undefined{};
}

List* Value::as_list() const {
  return is<std::shared_ptr<List>>() ? as<std::shared_ptr<List>>().get() : nullptr;
}
Dict* Value::as_dict() const {
  return is<std::shared_ptr<Dict>>() ? as<std::shared_ptr<Dict>>().get() : nullptr;
}
const Callable* Value::as_callable() const {
  return is<std::shared_ptr<Callable>>() ? as<std::shared_ptr<Callable>>().get() : nullptr;
}

bool Value::truth() const {
  if (is<bool>()) {
    return as<bool>();
  }
  if (is<std::int64_t>()) {
    return as<std::int64_t>() != 0;
  }
  if (is<double>()) {
    return as<double>() != 0;
  }
  if (is_string()) {
    return !as<std::string>().empty();
  }
  if (const List* items = as_list()) {
    return !items->items.empty();
  }
  if (const Dict* entries = as_dict()) {
    return entries->kind == Dict::Kind::record || !entries->entries.empty();
  }
  return as_callable() != nullptr;
}

std::string_view Value::type_name() const {
  static constexpr std::string_view names[] = {
      "an undefined value", "None",   "a boolean", "an integer", "a float",
      "a string",           "a list", "a dict",    "a function"};
  return names[held_.index()];
}

std::int64_t Value::integer(const char* what) const {
  if (is<bool>()) {
    return as<bool>() ? 1 : 0;
  }
  if (!is<std::int64_t>()) {
    fail("{}: expected an integer, got {}", what, type_name());
  }
  return as<std::int64_t>();
}

double Value::number(const char* what) const {
  return is<double>() ? as<double>() : static_cast<double>(integer(what));
}

const std::string& Value::text(const char* what) const& {
  if (!is_string()) {
    fail("{}: expected a string, got {}", what, type_name());
  }
  return as<std::string>();
}

std::string Value::text(const char* what) && {
  const Value& held = *this;
  return held.text(what);
}

std::vector<Value> Value::iterate() const {
  std::vector<Value> items;
  if (const List* held = as_list()) {
    return held->items;
  }
  if (const Dict* entries = as_dict(); entries != nullptr && entries->kind == Dict::Kind::dict) {
    for (const auto& [key, item] : entries->entries) {
      items.push_back(key);
    }
  } else if (is_string()) {
    const std::string& held = as<std::string>();
    if (held.size() > kMostItems) {
      fail("a text of {} bytes is too long to loop over", held.size());
    }
    for (std::size_t at = 0; at < held.size(); at += utf8_size(held[at])) {
      items.push_back(held.substr(at, utf8_size(held[at])));
    }
  } else if (!is_undefined()) {
    fail("{} cannot be looped over", type_name());
  }
  return items;
}

std::int64_t Value::length() const {
  if (is_string()) {
    const std::string& held = as<std::string>();
    return std::count_if(held.begin(), held.end(), [](char c) { return (c & '\xC0') != '\x80'; });
  }
  if (const List* items = as_list()) {
    return std::ssize(items->items);
  }
  if (const Dict* entries = as_dict(); entries != nullptr && entries->kind == Dict::Kind::dict) {
    return std::ssize(entries->entries);
  }
  if (is_undefined()) {
    return 0;
  }
  fail("{} has no length", type_name());
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number()) {
    return is_integer() && other.is_integer() ? integer("==") == other.integer("==")
                                              : number("==") == other.number("==");
  }
  if (held_.index() != other.held_.index()) {
    return false;
  }
  if (is_string()) {
    return as<std::string>() == other.as<std::string>();
  }
  if (const List* items = as_list()) {
    return items->is_tuple == other.as_list()->is_tuple && items->items == other.as_list()->items;
  }
  if (const Dict* entries = as_dict()) {
    const Dict* others = other.as_dict();
    return entries == others ||
           (entries->kind == Dict::Kind::dict && others->kind == Dict::Kind::dict &&
            entries->entries.size() == others->entries.size() &&
            std::all_of(entries->entries.begin(), entries->entries.end(), [&](const auto& entry) {
              const Value* found = others->find(entry.first);
              return found != nullptr && *found == entry.second;
            }));
  }
  return as_callable() == other.as_callable();
}

std::partial_ordering order(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) {
    return a.integer("<") <=> b.integer("<");
  }
  if (a.is_number() && b.is_number()) {
    return a.number("<") <=> b.number("<");
  }
  if (a.is_string() && b.is_string()) {
    return a.as<std::string>() <=> b.as<std::string>();
  }
  if (const List* x = a.as_list(), *y = b.as_list(); x != nullptr && y != nullptr) {
    for (std::size_t i = 0; i < std::min(x->items.size(), y->items.size()); ++i) {
      if (!(x->items[i] == y->items[i])) {
        return order(x->items[i], y->items[i]);
      }
    }
    return x->items.size() <=> y->items.size();
  }
  fail("{} and {} have no order", a.type_name(), b.type_name());
}

Value Arguments::get(std::size_t place, std::string_view name, Value fallback) const {
  if (place < positional.size()) {
    return positional[place];
  }
  for (const auto& [key, value] : named) {
    if (key == name) {
      return value;
    }
  }
  return fallback;
}

Value Arguments::need(std::size_t place, std::string_view name) const {
  const bool given = place < positional.size() ||
                     std::any_of(named.begin(), named.end(),
                                 [&](const auto& argument) { return argument.first == name; });
  if (!given) {
    fail("the argument '{}' is missing", name);
  }
  return get(place, name, {});
}

void Arguments::at_most(std::size_t most, std::string_view function) const {
  if (positional.size() > most) {
    fail("{} takes at most {} arguments, {} were given", function, most, positional.size());
  }
}

}  // namespace lmpo::jinja
