// Numbers as text for a person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lmpo {

// "1.23 GB": decimal, three digits.
std::string readable_bytes(std::size_t bytes);

// "1 row", "12 rows": a count with a noun whose plural ends in s.
std::string counted(std::int64_t count, std::string_view noun);

// "7.4 s", "12 min 3 s", "3 h 25 min", "2 d 4 h".
std::string readable_duration(double seconds);

}  // namespace lmpo
