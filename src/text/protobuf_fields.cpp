#include "text/protobuf_fields.h"

#include "base/error.h"

namespace lmpo {
namespace {

enum WireType { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

[[noreturn]] void refuse(std::string_view source, std::string_view what) {
  user_error("{}: {}; the file is damaged or incomplete", source, what);
}

std::string_view take_bytes(std::string_view& message, std::uint64_t count,
                            std::string_view source) {
  if (count > message.size()) {
    refuse(source, fmt::format("a field of {} bytes was announced where {} are left", count,
                               message.size()));
  }
  const std::string_view bytes = message.substr(0, count);
  message.remove_prefix(count);
  return bytes;
}

// Seven bits a byte, the lowest first; a byte's top bit says that another follows.
std::uint64_t take_varint(std::string_view& message, std::string_view source) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take_bytes(message, 1, source)[0]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  refuse(source, "a number of more than 64 bits");
}

std::uint64_t take_fixed(std::string_view& message, int size, std::string_view source) {
  const std::string_view bytes = take_bytes(message, static_cast<std::uint64_t>(size), source);
  std::uint64_t value = 0;
  for (int i = size; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  }
  return value;
}

}  // namespace

std::optional<ProtobufField> take_field(std::string_view& message, std::string_view source) {
  if (message.empty()) {
    return std::nullopt;
  }
  const std::uint64_t key = take_varint(message, source);
  ProtobufField field;
  field.number = key >> 3;
  switch (key & 7) {
    case varint:
      field.value = take_varint(message, source);
      break;
    case fixed64:
      field.value = take_fixed(message, 8, source);
      break;
    case length_delimited:
      field.bytes = take_bytes(message, take_varint(message, source), source);
      break;
    case fixed32:
      field.value = take_fixed(message, 4, source);
      break;
    default:
      refuse(source, fmt::format("a field of the unknown wire type {}", key & 7));
  }
  if (field.number == 0) {
    refuse(source, "a field without a number");
  }
  return field;
}

}  // namespace lmpo
