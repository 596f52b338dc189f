// The prompt of a row, from its keys.
#pragma once

#include <optional>

#include "data/message.h"
#include "data/row_fields.h"

namespace lmpo {

// The turns before the response; none if the row has no key for them. Throws UserError for values
// of the wrong type, and as require_one_prompt does.
std::optional<Turns> context_turns(const RowFields& fields, const MessageReader& reader);

// The key that holds the user's question: instruction, question, query or input; null if there is
// none.
const char* question_key(const RowFields& fields);

// Throws UserError if two keys that could both be the prompt differ. Alpaca's `input` is not such a
// key beside `instruction`: it belongs to it.
void require_one_prompt(const RowFields& fields);

}  // namespace lmpo
