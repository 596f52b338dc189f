#include "base/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "base/error.h"

namespace lmpo {

Hash::Hash() : state_(XXH3_createState(), XXH3_freeState) {
  LMPO_CHECK(state_ != nullptr && XXH3_128bits_reset(state_.get()) == XXH_OK);
}

void Hash::add(std::uint64_t number) {
  XXH3_128bits_update(state_.get(), &number, sizeof number);
}

void Hash::add(std::string_view text) {
  add(text.data(), text.size());
}

void Hash::add(const void* data, std::size_t size) {
  add(size);
  add_bytes(data, size);
}

void Hash::add_bytes(const void* data, std::size_t size) {
  if (size > 0) {
    XXH3_128bits_update(state_.get(), data, size);
  }
}

void Hash::add_file(const fs::path& path) {
  const MappedFile file(path);
  add(path.filename().string());
  add(file.bytes().data(), file.bytes().size());
  file.forget(0, file.bytes().size());
}

std::string Hash::text() const {
  const XXH128_hash_t value = XXH3_128bits_digest(state_.get());
  return fmt::format("{:016x}{:016x}", value.high64, value.low64);
}

}  // namespace lmpo
