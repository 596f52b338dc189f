// IFEval: whether an answer follows the instructions of its prompt (Zhou et al., 2023,
// arXiv 2311.07911), as lm-eval 0.4.13 decides it in leaderboard_ifeval.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo::grade {

struct InstructionKind;

// One instruction of a prompt.
struct Instruction {
  const InstructionKind* kind;  // never null; lives as long as the program
  json parameters;              // of this kind, all there and of the right types
};

// The instructions of a row of IFEval's data: `instruction_id_list` and `kwargs`, one object for
// each, in which null stands for an absent parameter. `source` names the row in errors, as
// path:line. UserError for an unknown instruction, and for parameters that are unknown, missing or
// of a wrong type: lm-eval draws missing ones at random, so its result would mean nothing.
std::vector<Instruction> read_instructions(const json& row, std::string_view source);

struct Followed {
  bool strict = false;  // the answer as it is
  bool loose = false;   // the answer or one of seven variants: without its first line, its last
                        // line, both, and all of these without asterisks
  bool operator==(const Followed&) const = default;
};

// For each instruction whether the answer follows it. A prompt is followed if all are. The answer
// may be any bytes; invalid UTF-8 is read as U+FFFD. UserError if a keyword that is a pattern needs
// more backtracking than is reasonable. Thread-safe.
std::vector<Followed> check_instructions(const std::vector<Instruction>& instructions,
                                         std::string_view answer);

}  // namespace lmpo::grade
