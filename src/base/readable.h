// Numbers for a person.
#pragma once

#include <cstddef>
#include <string>

namespace lmpo {

// "1.23 GB": decimal, three digits.
std::string readable_bytes(std::size_t bytes);

// "7.4 s", "12 min 3 s", "3 h 25 min", "2 d 4 h".
std::string readable_duration(double seconds);

}  // namespace lmpo
