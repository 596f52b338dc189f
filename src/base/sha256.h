// SHA-256, for what others compare with theirs. For checksums of our own there is base/hash.h.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// 64 hexadecimal digits. Thread-safe.
std::string sha256(std::string_view text);

}  // namespace lmpo
