// Checksums of data: 128 bits of XXH3. Not cryptographic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"

struct XXH3_state_s;

namespace lmpo {

// Not thread-safe. add() includes sizes, so {"ab", "c"} and {"a", "bc"} differ.
class Hash {
 public:
  Hash();

  void add(std::uint64_t number);
  void add(std::string_view text);
  void add(const void* data, std::size_t size);
  // The bytes without their size, as if they continued those before them.
  void add_bytes(const void* data, std::size_t size);
  // A file's name and content.
  void add_file(const fs::path& path);

  // 32 hexadecimal digits for everything added so far.
  std::string text() const;

 private:
  std::shared_ptr<XXH3_state_s> state_;
};

}  // namespace lmpo
