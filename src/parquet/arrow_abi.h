// A column of values in memory as Arrow's C data interface lays it out
// (https://arrow.apache.org/docs/format/CDataInterface.html): plain structures that any two
// programs may exchange. The names are Arrow's own, and so is the guard, so that this file and
// Arrow's headers may be included together.
#pragma once

#include <cstdint>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

extern "C" {

struct ArrowSchema {
  const char* format;  // the type: "i" int32, "z" bytes, "+l" a list, "+s" a struct
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;  // of what the values are indices, or null
  void (*release)(ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;  // of the first value in the buffers
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;  // the first: a bit a value, 0 where it is null; or null, where none is
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

}  // extern "C"

#endif  // ARROW_C_DATA_INTERFACE
