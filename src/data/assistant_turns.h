// Where the turns of the assistant stand in a rendered conversation, for SFT that scores all of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/message.h"
#include "data/options.h"
#include "data/row_notes.h"
#include "text/chat_template.h"

namespace lmpo {

// What the options and the template together say that is scored. With `assistant`, a template that
// marks the assistant's text decides: `marked`. `response` for rows that are not SFT's. UserError
// where the template marks nothing for `marked`, and for a boundary other than trl.
SftTarget settled_target(const DataOptions& options, const ChatTemplate* chat_template);

// Renders turns with the template and variables of a row; true: with the generation prompt.
using RenderTurns = std::function<std::string(const Turns&, bool)>;

struct AssistantTurns {
  std::vector<jinja::Span> spans;  // in order and apart
  NotedRows notes;                 // turn_not_scored and reasoning_left_out, each once
};

// The assistant's turns of a prompt in its rendering, which is render(prompt, true). A turn begins
// where generation would begin it: after the header that the generation prompt writes, and after an
// empty thought that the template adds. It ends as it does where it is the last turn.
//
// Both ends come from renderings of the prompt up to that turn. Where these are not beginnings of
// the whole (templates that move the system text into the last user turn, leave out the reasoning of
// earlier turns, or end the whole text with EOS), the texts around the turn are found by a mark
// beside them and must agree. A turn whose ends do not agree, or whose text is not between them, is
// left out with a note: nothing that the assistant did not say is ever part of a span. Spans may end
// inside a token; that token then belongs to what follows.
AssistantTurns find_assistant_turns(const Turns& prompt, const std::string& rendering,
                                    const RenderTurns& render);

// The length of an empty thought at the beginning of a text, "<think>\n\n</think>\n\n", with at most
// two line ends after it; 0 if there is none.
std::size_t empty_thought(std::string_view text);
// Whether a turn says itself what it thought, perhaps nothing.
bool has_thought(const Message& turn);

}  // namespace lmpo
