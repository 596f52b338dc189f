// Numbers as text for a person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lmpo {

// "1.23 GB": decimal, three digits.
std::string readable_bytes(std::size_t bytes);

// "1 row", "12 rows", "2 batches": a count with a noun; `plural` is what its plural adds.
std::string counted(std::int64_t count, std::string_view noun, std::string_view plural = "s");

// "7.4 s", "12 min 3 s", "3 h 25 min", "2 d 4 h".
std::string readable_duration(double seconds);

}  // namespace lmpo
