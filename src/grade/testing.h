// Golden values of the tests.
#pragma once

#include "base/json.h"
#include "base/testing/test_paths.h"

namespace lmpo::grade {

inline json golden(const char* file) {
  return read_json(source_folder() / "src/grade/testdata" / file);
}

}  // namespace lmpo::grade
