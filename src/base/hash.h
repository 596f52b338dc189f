// Fingerprints and checksums of data: 128 bits of XXH3, not meant to withstand forgery.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"

struct XXH3_state_s;

namespace lmpo {

// Not thread-safe. Numbers and texts are told apart from their neighbours.
class Hash {
 public:
  Hash();

  void add(std::uint64_t number);
  void add(std::string_view text);
  void add(const void* data, std::size_t size);
  // Bytes alone, as if they continued those before them.
  void add_bytes(const void* data, std::size_t size);
  // A file's name and content.
  void add_file(const fs::path& path);

  // Of all that was added so far, 32 hexadecimal digits.
  std::string text() const;

 private:
  std::shared_ptr<XXH3_state_s> state_;
};

}  // namespace lmpo
