// Answers of MATH, taken and compared as lm-eval 0.4.13 does in leaderboard_math_hard's metric
// `exact_match_original` (Minerva's rules: Lewkowycz et al., 2022, appendix D).
//
// Texts may be any bytes; invalid UTF-8 is read as U+FFFD. All functions are thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace lmpo::grade {

// Stands for an answer that is not there.
inline constexpr std::string_view kInvalidAnswer = "[invalidanswer]";

// What the last \boxed{...} of a solution holds (remove_boxed of last_boxed_only_string).
std::string boxed_answer(std::string_view solution);

// What a response gives as "Final Answer: The final answer is ... I hope it is correct."
std::string final_answer(std::string_view response);

// Without units, spaces, words and marks of LaTeX that do not change the value.
std::string normalize_answer(std::string_view answer);

// Whether two normalised answers are equal as mathematics. Both are read with sympy's grammar for
// LaTeX and evaluated with 64-bit mantissas at several points, where sympy simplifies their
// difference. False where one cannot be read or is no number, as (1,2) is none. Equal here and not
// to sympy: decimal numbers under roots or in fractions, which it computes with in double precision.
bool is_equivalent(std::string_view answer, std::string_view other);

// Whether a response's final answer is the reference answer, which is the boxed answer of the
// reference solution.
bool is_correct(std::string_view response, std::string_view reference);

}  // namespace lmpo::grade
