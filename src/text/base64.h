// Base64 with its padding (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lmpo {

// Nothing where the text is not base64, or empty.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace lmpo
