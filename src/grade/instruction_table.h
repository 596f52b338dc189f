// The table of IFEval's instructions.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo::grade {

// What a parameter must be.
enum class ParameterType {
  count,     // a number above 0
  relation,  // "less than" or "at least"
  text,      // not empty
  texts,     // a list of these, not empty
  letter,    // one character
};

struct InstructionParameter {
  const char* name;  // as in the data
  ParameterType type;
};

// Whether an answer, which is valid UTF-8 and not blank, follows an instruction.
using InstructionCheck = bool (*)(std::string_view answer, const json& parameters);

struct InstructionKind {
  const char* id;
  InstructionCheck follows;
  std::vector<InstructionParameter> parameters;
};

// Null for an unknown id.
const InstructionKind* find_instruction_kind(std::string_view id);
// All of them, in the order of the table.
const std::vector<InstructionKind>& instruction_kinds();

}  // namespace lmpo::grade
