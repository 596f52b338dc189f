// Python's two ways to format: "%d of %s" % (1, "a") and "{} of {x:>5}".format(1, x="a").
#pragma once

#include <string_view>

#include "jinja/value.h"

namespace lmpo::jinja {

// `values` is a tuple, a dictionary for "%(name)s", or the one value. What Python refuses, and what
// is not supported, is a TemplateError.
Value format_percent(std::string_view format, const Value& values);
Value format_braces(std::string_view format, const Arguments& arguments);

}  // namespace lmpo::jinja
