// What a judge compares: two answers to an instruction, in the order in which it sees them.
#pragma once

#include <string>

namespace lmpo {

struct JudgeCase {
  std::string instruction;
  std::string first;
  std::string second;
};

}  // namespace lmpo
