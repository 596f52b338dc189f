// Any bytes as a response to a problem and, after the first zero byte, as another one. A readable
// formula is equivalent to itself, and order does not matter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "grade/answer_filters.h"
#include "grade/math_answers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  const std::string_view first = input.substr(0, end);
  const std::string_view second = input.substr(std::min(end + 1, size));
  lmpo::grade::boxed_answer(first);
  lmpo::grade::is_correct(first, second);
  const std::string answer = lmpo::grade::normalize_answer(first);
  LMPO_CHECK(lmpo::grade::is_equivalent(answer, second) ==
             lmpo::grade::is_equivalent(second, answer));
  lmpo::grade::gsm8k_strict_match().apply(first);
  lmpo::grade::gsm8k_flexible_extract().apply(first);
  LMPO_CHECK(lmpo::grade::gsm8k_exact_match().equal(first, first));
  return 0;
}
