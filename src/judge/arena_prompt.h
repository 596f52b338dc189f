// The published prompt of Arena-Hard's judge.
#pragma once

#include "base/json.h"
#include "judge/judge_case.h"

namespace lmpo {

// A system's and a user's message: the first answer is assistant A's.
ordered_json arena_messages(const JudgeCase& game);

}  // namespace lmpo
