// The fields of a message in protobuf's wire format, as far as a model file needs them:
// https://protobuf.dev/programming-guides/encoding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lmpo {

struct ProtobufField {
  std::uint64_t number = 0;
  // Of a field that is a number; a fixed-size one's bits.
  std::uint64_t value = 0;
  // Of a text, bytes or an inner message.
  std::string_view bytes;
};

// Takes the next field off the front of a message; nothing at its end. Throws UserError, which
// begins with `source`, where the message is damaged or ends inside a field.
std::optional<ProtobufField> take_field(std::string_view& message, std::string_view source);

}  // namespace lmpo
