// Which keys of a row are its prompt.
#pragma once

#include <optional>

#include "data/message.h"
#include "data/row_fields.h"

namespace lmpo {

// The turns before the response, from the keys other than the responses'; none where there are no
// such keys. UserError as for require_one_prompt, and for values of a wrong type.
std::optional<Turns> context_turns(const RowFields& fields, const MessageReader& reader);

// The key that holds the user's one question (instruction, question, query, input); null where
// there is none.
const char* question_key(const RowFields& fields);

// UserError where two keys that may both be the prompt differ: which one is meant cannot be told.
// Alpaca's input belongs to its instruction.
void require_one_prompt(const RowFields& fields);

}  // namespace lmpo
