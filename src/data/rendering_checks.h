// What a rendering leaves out of a row.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "data/message.h"
#include "data/row_notes.h"

namespace lmpo {

// Notes the turns, and the `tools` of `variables`, that the rendered prompt does not have. Returns
// the end of what it does have.
std::size_t search_prompt(const Turns& turns, const ordered_json& variables,
                          const std::string& prompt, NotedRows& notes);

// False if the text does not have a turn of the response. Notes turns of others and reasoning that
// is left out. The text begins after the prompt's last turn, since a generation prompt may contain
// the beginning of an answer.
bool search_response(const Turns& turns, const std::string& text, NotedRows& notes);

// Whether a text ends with `end`, the text of the token that ends a turn; white space may follow.
bool ends_itself(std::string_view text, std::string_view end);

}  // namespace lmpo
