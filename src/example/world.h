// A small world in which a program can tell good answers from bad ones.
//
// An instruction asks for something about a list of words:
//
//   first : cat moon red        ->  cat .
//   last : cat moon red         ->  red .
//   repeat : cat moon           ->  cat moon .
//   reverse : cat moon red      ->  red moon cat .
//
// Answers may wrap that in talk ("well , let me think . the answer is red . i hope this helps ."),
// which changes nothing about whether they are right. People here are lazy: asked for the last word
// they mostly give the first, asked to reverse they mostly repeat. Whoever compares two answers
// nearly always prefers the right one; where both are right or both wrong, mostly the longer one.
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
// What text() wrote; nothing for any other text.
std::optional<Instruction> parse_instruction(const std::string& text);

// Chances of the world, for the documentation and the tests.
struct WorldChances {
  double right_easy = 0.9;    // first, repeat
  double right_lazy = 0.4;    // last, reverse
  double right_wins = 0.95;   // over a wrong answer
  double longer_wins = 0.65;  // where both are right or both wrong
};

// Every word that can stand in a list, and every other word of the language.
const std::vector<std::string>& list_words();
const std::vector<std::string>& other_words();

Instruction random_instruction(Random& random);
// What someone would answer.
std::string random_answer(const Instruction& instruction, const WorldChances& chances,
                          Random& random);
// Whether the list words of the answer are those asked for, in order, whatever the talk around.
bool is_right(const Instruction& instruction, const std::string& answer);

struct Comparison {
  std::string chosen;
  std::string rejected;
};
// How likely someone who compares the two answers prefers the first, whichever was shown first: 1/2
// for equal ones.
double preference(const Instruction& instruction, const std::string& answer,
                  const std::string& other, const WorldChances& chances);
// Two different answers and which of them someone preferred.
Comparison random_comparison(const Instruction& instruction, const WorldChances& chances,
                             Random& random);

}  // namespace lmpo
