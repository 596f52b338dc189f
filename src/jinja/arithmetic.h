// Operators, with Python's meaning.
#pragma once

#include <string_view>

#include "jinja/value.h"

namespace lmpo::jinja {

// -value and +value.
Value signed_value(std::string_view sign, const Value& value);
// + - * / // % **
Value binary_value(std::string_view sign, const Value& left, const Value& right);
// == != < > <= >= in, not in.
bool compare_values(std::string_view sign, const Value& left, const Value& right);

}  // namespace lmpo::jinja
