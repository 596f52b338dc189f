// Any bytes as a data file: every row is read and normalised, or refused with a UserError.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "data/reader.h"
#include "data/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto kind : {lmpo::RowKind::preference, lmpo::RowKind::sft}) {
    try {
      lmpo::read_rows({reinterpret_cast<const char*>(data), size}, "input",
                      [&](lmpo::SourceRow&& row) {
                        if (row.valid_utf8) {
                          lmpo::normalise_row(row.value, kind, row.location);
                        }
                      });
    } catch (const lmpo::UserError&) {
    }
  }
  return 0;
}
