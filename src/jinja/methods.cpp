// Attributes of values, and the methods of dictionaries, lists and loops.
#include <algorithm>
#include <array>

#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

// A method of a list or a dictionary, bound to it.
template <typename Method>
Value bound(const std::string& name, const Value& self, Method method) {
  return callable(
      name,
      [method](const Value& of, const Arguments& arguments) -> Value {
        return method(of, arguments);
      },
      self);
}

Value entries_of(const Dict& dict, bool keys, bool values) {
  charge_work(dict.entries.size() * kItemWork);
  std::vector<Value> items;
  for (const auto& [key, item] : dict.entries) {
    items.push_back(keys && values ? Value::list({key, item}, ListKind::tuple) : keys ? key : item);
  }
  return Value::list(std::move(items), keys && values ? ListKind::items
                                       : keys         ? ListKind::keys
                                                      : ListKind::values);
}

Value dict_method(const Value& value, const std::string& name) {
  const bool keys = name == "keys" || name == "items";
  const bool values = name == "values" || name == "items";
  if (keys || values) {
    return bound(name, value, [keys, values](const Value& of, const Arguments& arguments) {
      arguments.at_most(0, "keys, values and items");
      return entries_of(*of.as_dict(), keys, values);
    });
  }
  if (name == "get") {
    return bound(name, value, [](const Value& of, const Arguments& arguments) {
      const Value* found = of.as_dict()->find(arguments.need(0, "key"));
      return found != nullptr ? *found : arguments.get(1, "default", nullptr);
    });
  }
  if (name == "copy") {  // templates cannot change it
    return bound(name, value, [](const Value& of, const Arguments&) { return of; });
  }
  static constexpr std::array<std::string_view, 5> changing = {"clear", "pop", "popitem",
                                                               "setdefault", "update"};
  return std::find(changing.begin(), changing.end(), name) != changing.end()
             ? Value(Undefined(
                   fmt::format("'{}' would change a dictionary, which templates may not", name)))
             : Value(nullptr);
}

Value dict_attribute(const Value& value, const std::string& name) {
  const Dict& dict = *value.as_dict();
  if (dict.kind == Dict::Kind::dict) {
    if (Value method = dict_method(value, name); !method.is_none()) {
      return method;
    }
  }
  const Value* found = dict.find(std::string_view(name));
  return found != nullptr ? *found
                          : Value(Undefined(fmt::format("there is no attribute '{}'", name)));
}

Value list_attribute(const Value& value, const std::string& name) {
  const ListKind kind = value.as_list()->kind;
  if (kind == ListKind::group && (name == "grouper" || name == "list")) {
    return value.as_list()->items[name == "list" ? 1 : 0];
  }
  if (kind <= ListKind::range && (name == "index" || name == "count")) {
    return bound(name, value, [name](const Value& of, const Arguments& arguments) -> Value {
      const auto& items = of.as_list()->items;
      const Value wanted = arguments.need(0, "value");
      if (name == "count") {
        return static_cast<std::int64_t>(std::count(items.begin(), items.end(), wanted));
      }
      const auto found = std::find(items.begin(), items.end(), wanted);
      if (found == items.end()) {
        fail("index: the value is not in the list");
      }
      return static_cast<std::int64_t>(found - items.begin());
    });
  }
  if (name == "copy" && value.is_list(ListKind::list)) {
    return bound(name, value, [](const Value& of, const Arguments&) { return of; });
  }
  static constexpr std::array<std::string_view, 8> changing = {
      "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
  if (std::find(changing.begin(), changing.end(), name) != changing.end()) {
    return Undefined(fmt::format("'{}' would change a list, which templates may not", name));
  }
  return Undefined(fmt::format("a list has no attribute '{}'", name));
}

}  // namespace

Value loop_attribute(const Value& value, const std::string& name) {
  const Loop& loop = *value.as_loop();
  const auto& items = loop.items->items;
  const auto at = static_cast<std::int64_t>(loop.at);
  const std::int64_t count = std::ssize(items);
  const std::array<std::pair<std::string_view, std::int64_t>, 7> numbers = {
      {{"index", at + 1},
       {"index0", at},
       {"revindex", count - at},
       {"revindex0", count - at - 1},
       {"length", count},
       {"depth", loop.depth},
       {"depth0", loop.depth - 1}}};
  for (const auto& [known, number] : numbers) {
    if (known == name) {
      return number;
    }
  }
  if (name == "first" || name == "last") {
    return name == "first" ? at == 0 : at == count - 1;
  }
  if (name == "previtem") {
    return at > 0 ? items[loop.at - 1] : Value(Undefined("there is no previous item"));
  }
  if (name == "nextitem") {
    return at + 1 < count ? items[loop.at + 1] : Value(Undefined("there is no next item"));
  }
  if (name == "cycle") {
    return bound(name, value, [](const Value& of, const Arguments& arguments) {
      if (arguments.positional.empty()) {
        fail("loop.cycle: no items");
      }
      return arguments.positional[of.as_loop()->at % arguments.positional.size()];
    });
  }
  if (name == "changed") {
    return bound(name, value, [](const Value& of, const Arguments& arguments) -> Value {
      if (std::any_of(arguments.positional.begin(), arguments.positional.end(),
                      [](const Value& each) { return each.is_container(); })) {
        fail("loop.changed: only texts, numbers and none can be compared");
      }
      std::vector<Value>& seen = *of.as_loop()->seen;
      const bool changed = of.as_loop()->at == 0 || seen != arguments.positional;
      seen = arguments.positional;
      return changed;
    });
  }
  return Undefined(fmt::format("a loop has no attribute '{}'", name));
}

Value call_value(const Value& function, const Arguments& arguments) {
  if (function.is_undefined()) {
    function.as<Undefined>().refuse();
  }
  charge_work(kStepWork + arguments.reading_work());
  if (const Loop* loop = function.as_loop()) {
    if (loop->again == nullptr) {
      fail("a loop can be called only where it is 'recursive'");
    }
    return loop->again(arguments);
  }
  const Callable* held = function.as_callable();
  if (held == nullptr) {
    fail("{} cannot be called", function.type_name());
  }
  return held->call(held->self, arguments);
}

void check_key(const Value& key) {
  const bool is_dict = key.as_dict() != nullptr && key.as_dict()->kind == Dict::Kind::dict;
  if (is_dict || (key.as_list() != nullptr && !key.is_list(ListKind::tuple))) {
    fail("{} cannot be a key of a dictionary", key.type_name());
  }
}

void check_attribute_name(std::string_view name) {
  if (name.starts_with('_')) {
    fail("a namespace takes no attribute that begins with '_', as '{}' does", name);
  }
}

Value attribute_of(const Value& value, const std::string& name) {
  if (value.is_undefined()) {
    value.as<Undefined>().refuse();
  }
  if (value.is_string()) {
    return text_attribute(value, name);
  }
  if (value.as_dict() != nullptr) {
    return dict_attribute(value, name);
  }
  if (value.as_list() != nullptr) {
    return list_attribute(value, name);
  }
  if (value.as_loop() != nullptr) {
    return loop_attribute(value, name);
  }
  return Undefined(fmt::format("{} has no attribute '{}'", value.type_name(), name));
}

Value item_of(const Value& value, const Value& key) {
  if (value.is_undefined()) {
    value.as<Undefined>().refuse();
  }
  if (const Dict* dict = value.as_dict()) {
    if (const Value* found = dict->find(key)) {
      return *found;
    }
  }
  const bool indexed =
      value.is_string() || (value.as_list() != nullptr && value.as_list()->kind <= ListKind::range);
  if (indexed && key.is_integer()) {
    const std::int64_t size = value.length();
    const std::int64_t given = key.integer("[]");
    if (given < -size || given >= size) {
      return Undefined(fmt::format("there is no item {} among {}", given, size));
    }
    const std::int64_t place = given < 0 ? given + size : given;
    if (const List* list = value.as_list()) {
      return list->items[static_cast<std::size_t>(place)];
    }
    return slice(value.string(), place, place + 1, 1);
  }
  if (key.is_string()) {
    return attribute_of(value, key.string());
  }
  return Undefined(fmt::format("{} has no such item", value.type_name()));
}

bool contains(const Value& container, const Value& item) {
  if (container.is_string()) {
    const std::string& part = item.text("in");
    charge_work(container.string().size() + part.size());
    return find_first(container.string(), part) != std::string::npos;
  }
  if (const Dict* dict = container.as_dict()) {
    if (dict->kind == Dict::Kind::record) {
      fail("'in' cannot look into a namespace");
    }
    check_key(item);
    return dict->find(item) != nullptr;
  }
  if (container.is_undefined()) {
    return false;
  }
  const auto items = container.iterate();
  return std::find(items->items.begin(), items->items.end(), item) != items->items.end();
}

}  // namespace lmpo::jinja
