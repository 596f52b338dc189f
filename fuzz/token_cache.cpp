// Any bytes as a file of tokens: refused with a UserError, or a dataset whose sequences lie inside
// it. The input gets a correct checksum, or the fuzzer would never pass it. Input: the bytes
// between the first magic and the checksum, the counts of the footer last.
#include "data/token_cache.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"

namespace {

constexpr std::size_t kCounts = 6 * sizeof(std::uint64_t);

std::string with_magic_and_checksum(std::string_view content) {
  const std::string magic("lmpo tokens 2\n\0\0", 16);
  const std::string body = magic + std::string(content.substr(0, content.size() - kCounts));
  lmpo::Hash hash;
  hash.add_bytes(body.data(), body.size());
  return body + std::string(content.substr(content.size() - kCounts)) + hash.text() + magic;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kCounts) {
    return 0;
  }
  static const lmpo::fs::path file =
      lmpo::fs::temp_directory_path() / ("lmpo_fuzz_" + std::to_string(::getpid()) + ".tokens");
  // Not written atomically, which would sync the disk each time.
  std::ofstream(file, std::ios::binary)
      << with_magic_and_checksum({reinterpret_cast<const char*>(data), size});
  try {
    const lmpo::Dataset dataset = lmpo::read_token_file(file, "key");
    std::int64_t sum = 0;  // reads every id
    for (const lmpo::Tree& tree : dataset.trees) {
      for (const lmpo::Sequence& sequence : tree.sequences) {
        LMPO_CHECK(sequence.is_valid());
        sum = std::accumulate(sequence.tokens.begin(), sequence.tokens.end(), sum);
      }
    }
    volatile std::int64_t seen = sum;
    static_cast<void>(seen);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
