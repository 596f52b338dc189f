// The fuzz targets over their kept inputs: what once broke a parser, and what reaches far into it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"

#define LMPO_FUZZ_TARGET(name) \
  extern "C" int fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef LMPO_FUZZ_TARGET

namespace lmpo::corpus_test {
namespace {

// Inputs lie in corpus/<target>/, whatever their names. Each must come back, with its checks met.
void replay(const char* target, int (*one_input)(const std::uint8_t*, std::size_t)) {
  const fs::path folder = fs::path(LMPO_CORPUS) / target;
  ASSERT_TRUE(fs::is_directory(folder)) << folder << " should hold inputs for fuzz/" << target;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  ASSERT_FALSE(files.empty());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    const std::string content = read_file(file);
    // Of its own size, so that a sanitizer sees what is read beyond its end.
    const std::vector<std::uint8_t> input(content.begin(), content.end());
    EXPECT_EQ(one_input(input.data(), input.size()), 0);
  }
}

#define LMPO_FUZZ_TARGET(name)  \
  TEST(Corpus, name) {          \
    replay(#name, fuzz_##name); \
  }
#include "fuzz_targets.inc"

}  // namespace
}  // namespace lmpo::corpus_test
