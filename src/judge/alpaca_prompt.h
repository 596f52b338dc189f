// The published prompt of AlpacaEval 2's judge.
#pragma once

#include "base/json.h"
#include "judge/judge_case.h"

namespace lmpo {

// A system's and a user's message.
ordered_json alpaca_messages(const JudgeCase& judge_case);

}  // namespace lmpo
