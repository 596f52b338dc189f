// The interface between the program and the plugin lmpo_parquet.so, which links Arrow's library. It
// has only C functions and structures, so neither side sees the other's types, exceptions or memory.
#pragma once

#include <cstddef>

#include "parquet/arrow_abi.h"

extern "C" {

// The wanted columns of an open file, a batch of rows at a time.
struct LmpoParquetRows {
  // Returns the next batch, a struct of the wanted columns, which the caller releases. After the
  // last batch `array->release` is null. Types are null, bool, integers, float, double, bytes, and
  // lists, structs, maps and dictionaries of these. Text comes as bytes; so do types that JSON lacks
  // (times, decimals), written as text. Returns null, or an error message (valid until the next
  // call).
  const char* (*next)(LmpoParquetRows* rows, ArrowSchema* schema, ArrowArray* array);
  void (*close)(LmpoParquetRows* rows);
  void* state;
};

// Opens the Parquet file in these bytes, which must outlive `rows`. Calls `wanted` once for each of
// its columns. Returns null, or an error message (valid until this thread's next call).
using LmpoOpenParquet = const char*(const void* bytes, std::size_t size,
                                    bool (*wanted)(void* context, const char* column),
                                    void* context, LmpoParquetRows* rows);

}  // extern "C"
