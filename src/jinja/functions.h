// What templates can call: attributes and methods, filters, tests.
#pragma once

#include <string_view>

#include "jinja/value.h"

namespace lmpo::jinja {

// value.name: a method, else an entry of a dictionary. Undefined where there is neither.
Value attribute_of(const Value& value, const std::string& name);
// value[key]: an entry or an item, else as value.key.
Value item_of(const Value& value, const Value& key);

// value|name(arguments).
bool has_filter(std::string_view name);
Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments);

// value is name(arguments).
bool has_test(std::string_view name);
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments);

// Whether `container` holds `item`: a part of a text, an item of a list, a key of a dictionary.
bool contains(const Value& container, const Value& item);

}  // namespace lmpo::jinja
