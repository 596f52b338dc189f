#include "jinja/value.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace lmpo::jinja {
namespace {

// Frees values without recursion, however deeply they hold each other.
void free_flat(std::vector<Value> values) {
  thread_local std::vector<Value>* waiting = nullptr;
  if (waiting != nullptr) {
    std::move(values.begin(), values.end(), std::back_inserter(*waiting));
    return;
  }
  waiting = &values;
  while (!values.empty()) {
    const Value last = std::move(values.back());
    values.pop_back();
  }
  waiting = nullptr;
}

bool is_container(const Value& value) {
  return value.is_container();
}

}  // namespace

Text::Text(std::string held) : bytes(std::move(held)), charge(sizeof(Text) + bytes.size()) {
  if (const Budget* budget = Budget::current();
      budget != nullptr && budget->has_begun() && bytes.size() > limits().bytes) {
    fail("a text of {} bytes is too large", bytes.size());
  }
}

void Undefined::refuse() const {
  fail("{}", reason_ == nullptr ? std::string("an undefined value is used") : reason_->bytes);
}

List::List(std::vector<Value> content, ListKind of_kind)
    : items(std::move(content)), kind(of_kind), charge(sizeof(List)) {
  if (const Budget* budget = Budget::current();
      budget != nullptr && budget->has_begun() && items.size() > limits().items) {
    fail("a list of {} items is too large", items.size());
  }
  charge.grow(items.size() * sizeof(Value));
}

List::~List() {
  if (std::any_of(items.begin(), items.end(), is_container)) {
    free_flat(std::move(items));
  }
}

Dict::~Dict() {
  std::vector<Value> containers;
  for (auto& entry : entries) {
    for (Value* value : {&entry.first, &entry.second}) {
      if (value->is_container()) {
        containers.push_back(std::move(*value));
      }
    }
  }
  if (!containers.empty()) {
    free_flat(std::move(containers));
  }
}

const Value* Dict::find(const Value& key) const {
  if (key.is_string()) {
    return find(std::string_view(key.string()));
  }
  charge_work(entries.size() * (kItemWork / 10));
  for (const auto& [name, value] : entries) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

const Value* Dict::find(std::string_view key) const {
  charge_work(entries.size() * (kItemWork / 20));
  for (const auto& [name, value] : entries) {
    if (name.is_string() && name.string().size() == key.size()) {
      charge_work(key.size());
      if (name.string() == key) {
        return &value;
      }
    }
  }
  return nullptr;
}

void Dict::add(Value key, Value value) {
  charge.grow(sizeof(Entries::value_type));
  entries.emplace_back(std::move(key), std::move(value));
}

void Dict::set(Value key, Value value) {
  if (const Value* held = find(key)) {
    const_cast<Value&>(*held) = std::move(value);
  } else {
    add(std::move(key), std::move(value));
  }
}

Callable::~Callable() {
  if (self.is_container()) {
    free_flat({std::move(self)});
  }
}

Value callable(std::string name, Callable::Function function, Value self) {
  return std::make_shared<const Callable>(std::move(name), std::move(self), std::move(function));
}

Value Value::list(std::vector<Value> items, ListKind kind) {
  return std::make_shared<const List>(std::move(items), kind);
}

Value Value::dict(Dict content) {
  Value value;
  value.held_ = std::make_shared<Dict>(std::move(content));
  return value;
}

Value Value::from_json(const ordered_json& content, int depth) {
  if (depth > kDeepestValue) {
    fail("lists and dictionaries are nested more than {} deep", kDeepestValue);
  }
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
      items.reserve(content.size());
      for (const auto& item : content) {
        items.push_back(from_json(item, depth + 1));
      }
      return list(std::move(items));
    }
    case ordered_json::value_t::object: {
      Dict entries;
      for (const auto& [key, item] : content.items()) {
        entries.add(Value(key), from_json(item, depth + 1));
      }
      return dict(std::move(entries));
    }
    default:
      break;
  }
  return Undefined("a value without a JSON type");
}

const List* Value::as_list() const {
  const auto* held = std::get_if<std::shared_ptr<const List>>(&held_);
  return held != nullptr ? held->get() : nullptr;
}
bool Value::is_list(ListKind kind) const {
  return as_list() != nullptr && as_list()->kind == kind;
}
Dict* Value::as_dict() const {
  const auto* held = std::get_if<std::shared_ptr<Dict>>(&held_);
  return held != nullptr ? held->get() : nullptr;
}
const Callable* Value::as_callable() const {
  const auto* held = std::get_if<std::shared_ptr<const Callable>>(&held_);
  return held != nullptr ? held->get() : nullptr;
}
const Loop* Value::as_loop() const {
  const auto* held = std::get_if<std::shared_ptr<const Loop>>(&held_);
  return held != nullptr ? held->get() : nullptr;
}

bool Value::truth() const {
  if (is_integer()) {
    return integer("bool") != 0;
  }
  if (is<double>()) {
    return as<double>() != 0;
  }
  if (is_string()) {
    return !string().empty();
  }
  if (const List* items = as_list()) {
    return items->kind == ListKind::generator || !items->items.empty();
  }
  if (const Dict* entries = as_dict()) {
    return entries->kind == Dict::Kind::record || !entries->entries.empty();
  }
  return as_callable() != nullptr || as_loop() != nullptr;
}

std::string_view Value::type_name() const {
  if (is_list(ListKind::generator)) {
    return "a generator (append |list)";
  }
  static constexpr std::string_view names[] = {
      "an undefined value", "None",   "a boolean", "an integer", "a float",
      "a string",           "a list", "a dict",    "a function", "a loop"};
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
  return string();
}

std::string Value::text(const char* what) && {
  const Value& held = *this;
  return held.text(what);
}

std::shared_ptr<const List> Value::iterate() const {
  if (const List* list = as_list()) {
    const std::size_t taken = std::exchange(
        list->taken, list->kind == ListKind::generator ? list->items.size() : std::size_t{0});
    if (taken == 0) {
      return as<std::shared_ptr<const List>>();
    }
    const auto rest = list->items.begin() + static_cast<std::ptrdiff_t>(taken);
    return std::make_shared<const List>(std::vector<Value>(rest, list->items.end()));
  }
  if (const Loop* loop = as_loop()) {
    return loop->items;
  }
  std::vector<Value> items;
  if (const Dict* entries = as_dict(); entries != nullptr && entries->kind == Dict::Kind::dict) {
    for (const auto& entry : entries->entries) {
      items.push_back(entry.first);
    }
  } else if (is_string()) {
    const std::string& held = string();
    if (held.size() > limits().items) {
      fail("a text of {} bytes is too long to loop over", held.size());
    }
    charge_work(held.size() * kItemWork);
    for (std::size_t at = 0; at < held.size(); at += utf8_size(held[at])) {
      items.emplace_back(held.substr(at, utf8_size(held[at])));
    }
  } else if (!is_undefined()) {
    fail("{} cannot be looped over", type_name());
  }
  return std::make_shared<const List>(std::move(items));
}

std::int64_t Value::length() const {
  if (is_string()) {
    charge_work(string().size());
    return std::count_if(string().begin(), string().end(),
                         [](char c) { return (c & '\xC0') != '\x80'; });
  }
  if (const List* items = as_list(); items != nullptr && items->kind != ListKind::generator) {
    return std::ssize(items->items);
  }
  if (const Loop* loop = as_loop()) {
    return std::ssize(loop->items->items);
  }
  if (const Dict* entries = as_dict(); entries != nullptr && entries->kind == Dict::Kind::dict) {
    return std::ssize(entries->entries);
  }
  if (is_undefined()) {
    return 0;
  }
  fail("{} has no length", type_name());
}

std::size_t Value::reading_work() const {
  return is_string() ? string().size() : 0;
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

Arguments Arguments::after(std::size_t count) const {
  count = std::min(count, positional.size());
  return {{positional.begin() + static_cast<std::ptrdiff_t>(count), positional.end()}, named};
}

void Arguments::check_names() const {
  for (std::size_t i = 1; i < named.size(); ++i) {
    if (std::any_of(named.begin(), named.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const auto& other) { return other.first == named[i].first; })) {
      fail("the argument '{}' is given twice", named[i].first);
    }
  }
}

std::size_t Arguments::reading_work() const {
  std::size_t work = 0;
  for (const Value& value : positional) {
    work += value.reading_work();
  }
  for (const auto& [name, value] : named) {
    work += value.reading_work();
  }
  return work;
}

}  // namespace lmpo::jinja
