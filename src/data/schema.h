// Rows of preference and SFT data, in the schemas of the Hugging Face ecosystem, normalised to one
// form.
//
// A key with a null value counts as absent, except that chosen and rejected must both be there.
//
// Preference rows (they have chosen and rejected):
//   explicit        prompt, chosen, rejected: all strings, or all lists of messages
//   implicit        chosen, rejected. As strings: the prompt is their longest common beginning (a
//                   space at its end moves to the responses). As lists: their common first turns
//   mixed           a string prompt beside whole conversations (UltraFeedback-binarized): the
//                   string is ignored, the row is implicit
//   LLaMA-Factory   conversations or messages; chosen and rejected are a message, a list or a
//                   string
//   Alpaca          instruction, input, history; chosen and rejected are strings
//   question        question, query or input is the user's turn; chosen and rejected are strings
// A string prompt beside responses without earlier turns is the user's turn.
//
// SFT rows:
//   a preference row: its chosen response
//   prompt, completion: strings, or lists of messages
//   messages or conversations: everything up to the last assistant turn, which is the response
//   text: one plain text, with an empty prompt
//   instruction (or question, query), input, history, output
//
// Labelled rows (KTO):
//   an SFT row with `label` (or LLaMA-Factory's `kto_tag`): true if the response is desirable
//   a preference row: later becomes two examples
//
// Ranked rows (PRO, RRHF):
//   prompt, responses: a text and texts, or messages; the best first, or in any order with
//   `scores`, one number each
//   a preference row
//
// `system` (or `system_prompt`), a string, becomes the first turn of a conversation without a
// system turn; with plain text it is not used. Rows with an instruction, a question, messages or
// conversations are conversations. The template also receives `tools` (a list of descriptions, or
// its JSON text) and `chat_template_kwargs`.
//
// See docs/formats.md for examples.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "data/drops.h"
#include "data/message.h"
#include "data/row_fields.h"

namespace lmpo {

enum class RowKind { preference, sft, labelled, ranked };

// Turns of a conversation or plain text; never both.
struct Passage {
  Turns turns;
  std::string text;

  bool operator==(const Passage&) const = default;
};

struct Row {
  bool conversational = false;
  // The prompt was not given: it is what stands before the answers of whole conversations.
  bool implicit_prompt = false;
  Passage prompt;
  // Preference: chosen, rejected. Ranked: the best first. SFT and labelled: one response.
  std::vector<Passage> responses;
  bool desirable = true;  // labelled
  // The template's variables besides the messages: `tools`, and those in chat_template_kwargs.
  ordered_json template_variables = nullptr;
  RoleNames renamed_roles = 0;
  RowKeys unused_keys = 0;  // keys that some schema knows but this row did not use
};

// Returns the row, or the reason to drop it: empty_prompt, empty_response, identical_responses,
// no_assistant_turn, single_response or tied_scores. Throws UserError with the location for keys
// that match no schema (naming the keys found and the known schemas), for values of the wrong type,
// for two keys with different prompts, and for a response that does not end with a turn of the
// assistant.
std::variant<Row, DropReason> normalise_row(const ordered_json& source, RowKind kind,
                                            std::string_view location);

}  // namespace lmpo
