// What the program and the module that knows Arrow (lmpo_parquet.so) say to each other: functions
// and structures of C alone, so that neither sees the other's types, exceptions or memory.
#pragma once

#include <cstddef>

#include "parquet/arrow_abi.h"

extern "C" {

// The wanted columns of an open file, a batch of rows at a time.
struct LmpoParquetRows {
  // Gives the next batch, a struct of the wanted columns, which the caller releases; after the last
  // one `array->release` is null. Types are null, bool, integers, float, double, bytes, lists,
  // structs, maps and dictionaries of these: text comes as bytes, and what JSON has no type for,
  // such as times, as bytes that say it in words. Returns null, or what is wrong with the file
  // (valid until the next call).
  const char* (*next)(LmpoParquetRows* rows, ArrowSchema* schema, ArrowArray* array);
  void (*close)(LmpoParquetRows* rows);
  void* state;
};

// Opens the Parquet file of these bytes, which must outlive `rows`, and asks of each of its
// columns whether it is wanted. Returns null, or what is wrong (valid until the thread's next
// call).
using LmpoOpenParquet = const char*(const void* bytes, std::size_t size,
                                    bool (*wanted)(void* context, const char* column),
                                    void* context, LmpoParquetRows* rows);

}  // extern "C"
