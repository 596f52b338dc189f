// What templates can call: attributes and methods, filters, tests.
#pragma once

#include <string_view>

#include "jinja/value.h"

namespace lmpo::jinja {

// value.name: a method, else an entry of a dictionary, else undefined.
Value attribute_of(const Value& value, const std::string& name);
// value[key]: an entry or an item, else as value.key.
Value item_of(const Value& value, const Value& key);

// function(arguments).
Value call_value(const Value& function, const Arguments& arguments);
// attribute_of for a text and for a loop.
Value text_attribute(const Value& value, const std::string& name);
Value loop_attribute(const Value& loop, const std::string& name);
// TemplateError if the value cannot be a dictionary's key, or the name not a namespace's attribute.
void check_key(const Value& key);
void check_attribute_name(std::string_view name);

// value|name(arguments).
bool has_filter(std::string_view name);
Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments);

// value is name(arguments).
bool has_test(std::string_view name);
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments);

// Whether `container` holds `item`: a part of a text, an item of a list, a key of a dictionary.
bool contains(const Value& container, const Value& item);

}  // namespace lmpo::jinja
