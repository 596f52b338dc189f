// A toy language in which a program can tell good answers from bad ones.
//
// An instruction asks for something about a list of words:
//
//   first : cat moon red        ->  cat .
//   last : cat moon red         ->  red .
//   repeat : cat moon           ->  cat moon .
//   reverse : cat moon red      ->  red moon cat .
//
// An answer may wrap that in talk ("well , let me think . the answer is red . i hope this helps ."),
// which does not change whether it is right. Answers in the data are lazy: asked for the last word
// they mostly give the first, asked to reverse they mostly repeat. Of two answers, the right one is
// preferred nearly always; if both are right or both wrong, mostly the longer one.
//
// All draws come from the given Random, so equal seeds give equal data. Thread-safe.
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
  std::vector<std::string> words;  // 2 to 4, all different

  std::string text() const;                 // "last : cat moon red"
  std::vector<std::string> answer() const;  // the words that a right answer gives
};
// Reads what text() wrote; nothing for any other text.
std::optional<Instruction> parse_instruction(const std::string& text);

// The probabilities of the toy language.
struct WorldChances {
  double right_easy = 0.9;    // an answer is right: first, repeat
  double right_lazy = 0.4;    // an answer is right: last, reverse
  double right_wins = 0.95;   // the right answer beats a wrong one
  double longer_wins = 0.65;  // the longer one wins if both are right or both wrong
};

// The words of lists, and all other words of the language.
const std::vector<std::string>& list_words();
const std::vector<std::string>& other_words();

Instruction random_instruction(Random& random);
// An answer as the data has it, right or lazy.
std::string random_answer(const Instruction& instruction, const WorldChances& chances,
                          Random& random);
// True if the list words in the answer are exactly those asked for, in order. Other words are talk.
bool is_right(const Instruction& instruction, const std::string& answer);

struct Comparison {
  std::string chosen;
  std::string rejected;
};
// The probability that `answer` is preferred to `other`, averaged over which is shown first: 1/2 for
// equal answers.
double preference(const Instruction& instruction, const std::string& answer,
                  const std::string& other, const WorldChances& chances);
// Two different answers in the order of preference.
Comparison random_comparison(const Instruction& instruction, const WorldChances& chances,
                             Random& random);

}  // namespace lmpo
