// Any bytes as a Parquet file: every row is read, or the file is refused with a UserError. Arrow's
// library is not instrumented: the fuzzer sees the branches of the plugin and of the code that
// reads its arrays. Seed files: src/parquet/testdata.
#include "parquet/parquet.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Those of src/parquet/testdata/types.parquet too.
  static const std::vector<std::string> columns = [] {
    std::vector<std::string> names = {"large_text", "text_view", "word", "bytes",  "large_list",
                                      "pair",       "map",       "deep", "u64",    "i64",
                                      "u32",        "u16",       "half", "single", "nothing",
                                      "moment",     "day",       "price"};
    names.insert(names.end(), lmpo::row_keys().begin(), lmpo::row_keys().end());
    return names;
  }();
  std::string dumped;
  try {
    lmpo::read_parquet(std::as_bytes(std::span(data, size)), "input", columns,
                       [&](lmpo::ordered_json&& value, bool valid_utf8) {
                         if (valid_utf8) {
                           dumped = value.dump();  // throws where any text is not UTF-8
                         }
                       });
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
