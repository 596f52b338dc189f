// Filters over lists.
#pragma once

#include "jinja/value.h"

namespace lmpo::jinja {

Value map_filter(const Value& value, const Arguments& arguments);
// Keep or drop items by a test of the item, or of one of its attributes.
Value select(const Value& value, const Arguments& arguments);
Value reject(const Value& value, const Arguments& arguments);
Value selectattr(const Value& value, const Arguments& arguments);
Value rejectattr(const Value& value, const Arguments& arguments);
Value attr(const Value& value, const Arguments& arguments);
Value batch(const Value& value, const Arguments& arguments);
Value dictsort(const Value& value, const Arguments& arguments);
Value first(const Value& value, const Arguments& arguments);
Value groupby(const Value& value, const Arguments& arguments);
Value items_filter(const Value& value, const Arguments& arguments);
Value join(const Value& value, const Arguments& arguments);
Value largest(const Value& value, const Arguments& arguments);
Value last(const Value& value, const Arguments& arguments);
Value list_filter(const Value& value, const Arguments& arguments);
Value reverse(const Value& value, const Arguments& arguments);
Value slice_filter(const Value& value, const Arguments& arguments);
Value smallest(const Value& value, const Arguments& arguments);
Value sort(const Value& value, const Arguments& arguments);
Value sum(const Value& value, const Arguments& arguments);
Value unique(const Value& value, const Arguments& arguments);

}  // namespace lmpo::jinja
