// A toy language whose answers a program can judge.
//
// An instruction names a task and a list of words. The right answers are:
//
//   first : cat moon red        ->  cat .
//   last : cat moon red         ->  red .
//   repeat : cat moon           ->  cat moon .
//   reverse : cat moon red      ->  red moon cat .
//
// Filler around them ("well , let me think . the answer is red . i hope this helps .") does not change
// whether an answer is right. Answers in the data are lazy: for "last" they mostly give the first word,
// for "reverse" they mostly repeat. A right answer is nearly always preferred to a wrong one. If both
// are right or both wrong, the longer one is mostly preferred.
//
// All random numbers come from the given Random, so equal seeds give equal data. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace lmpo {

enum class Task { first, last, repeat, reverse };

struct Instruction {
  Task task;
  std::vector<std::string> words;  // 2 to 4 different words

  std::string text() const;                 // "last : cat moon red"
  std::vector<std::string> answer() const;  // the words of the right answer
};
// The inverse of text(); nothing if `text` is not an instruction.
std::optional<Instruction> parse_instruction(const std::string& text);

// The probabilities of the toy language.
struct WorldChances {
  double right_easy = 0.9;    // right answer to first or repeat
  double right_lazy = 0.4;    // right answer to last or reverse
  double right_wins = 0.95;   // a right answer is preferred to a wrong one
  double longer_wins = 0.65;  // the longer one is preferred if both are right or both wrong
};

// The words of lists, and all other words of the language.
const std::vector<std::string>& list_words();
const std::vector<std::string>& other_words();

Instruction random_instruction(Random& random);
// An answer, right or lazy.
std::string random_answer(const Instruction& instruction, const WorldChances& chances,
                          Random& random);
// True if the list words in `answer` are those of the right answer, in order. It ignores other words.
bool is_right(const Instruction& instruction, const std::string& answer);

struct Comparison {
  std::string chosen;
  std::string rejected;
};
// The probability that `answer` is preferred to `other`, averaged over which of them comes first. It is
// 1/2 for equal answers.
double preference(const Instruction& instruction, const std::string& answer,
                  const std::string& other, const WorldChances& chances);
// Two different answers, the preferred one as `chosen`.
Comparison random_comparison(const Instruction& instruction, const WorldChances& chances,
                             Random& random);

}  // namespace lmpo
