// jinja2's filters of numbers.
#pragma once

#include "jinja/value.h"

namespace lmpo::jinja {

Value to_integer(const Value& value, const Arguments& arguments);
Value to_float(const Value& value, const Arguments& arguments);
Value round_filter(const Value& value, const Arguments& arguments);
Value absolute(const Value& value, const Arguments& arguments);

}  // namespace lmpo::jinja
