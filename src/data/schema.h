// Rows of preference and SFT data in the schemas of the Hugging Face ecosystem, brought to one
// form.
//
// A key whose value is null counts as absent, except for chosen and rejected, which must be there
// together.
//
// Preference rows (chosen and rejected are there):
//   explicit        prompt, chosen, rejected: all strings, or all lists of messages
//   implicit        chosen, rejected as strings: the prompt is their longest common beginning (a
//                   space at its end moves to the responses); as lists: their common leading turns
//   mixed           a string prompt beside whole conversations (UltraFeedback-binarized): the
//                   string is not used, and the row is implicit
//   LLaMA-Factory   conversations or messages, with chosen and rejected a message, a list or a
//                   string
//   Alpaca          instruction, input, history, with chosen and rejected as strings
//   question        question, query or input as the user's turn, with chosen and rejected as
//   strings
// A string prompt beside responses that are messages without turns before them is the user's turn.
//
// SFT rows:
//   a preference row, of which the chosen response is used
//   prompt, completion: strings, or lists of messages
//   messages or conversations: everything up to the last assistant turn, which is the response
//   text: one plain text, with an empty prompt
//   instruction (or question, query), input, history, output
//
// Labelled rows (KTO):
//   an SFT row with `label` (or LLaMA-Factory's `kto_tag`), true where the response was approved of
//   a preference row, whose responses are taken apart later
//
// Ranked rows:
//   prompt, responses: a text and texts, or messages; the best first, or in any order beside
//   `scores`, one number each
//   a preference row
//
// `system` (or `system_prompt`), a string, becomes the first turn of a conversation that has no
// system turn; beside plain text it is not used. Rows with an instruction, a question, messages or
// conversations are conversations. `tools`, a list of descriptions or its JSON text, and
// `chat_template_kwargs` are given to the template.
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

// A conversation has turns, plain text has text; never both.
struct Passage {
  Turns turns;
  std::string text;

  bool operator==(const Passage&) const = default;
};

struct Row {
  bool conversational = false;
  // The prompt was found as what chosen and rejected begin with.
  bool implicit_prompt = false;
  Passage prompt;
  // Preference: chosen, rejected. Ranked: the best first. SFT and labelled: the one response.
  std::vector<Passage> responses;
  bool desirable = true;  // labelled
  // What the template may read beside the messages: `tools`, and what chat_template_kwargs names.
  ordered_json template_variables = nullptr;
  RoleNames renamed_roles = 0;
  RowKeys unused_keys = 0;  // keys of the row that some schema knows and this row did not need
};

// The row, or why it must not be used: empty_prompt, empty_response, identical_responses,
// no_assistant_turn, single_response or tied_scores. Throws UserError with the location for keys
// that match no schema (naming the keys found and the schemas known), for values of a wrong type,
// for two keys that give different prompts, and for a response that does not end with a turn of the
// assistant.
std::variant<Row, DropReason> normalise_row(const ordered_json& source, RowKind kind,
                                            std::string_view location);

}  // namespace lmpo
