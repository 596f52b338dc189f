// Rows of preference and SFT data in the schemas of the Hugging Face ecosystem, brought to one
// form.
//
// A message is {"role", "content"} or {"from", "value"}; human, gpt and the like become user and
// assistant. Content is a string, or a list of {"type": "text", "text"} parts, which are joined.
// Keys that no schema asks for are ignored, and a key whose value is null counts as absent.
//
// Preference rows (chosen and rejected are there):
//   explicit        prompt, chosen, rejected: all strings, or all lists of messages
//   implicit        chosen, rejected as strings: the prompt is their longest common beginning (a
//                   space at its end moves to the responses); as lists: their common leading turns
//   mixed           a string prompt beside whole conversations (UltraFeedback-binarized): the
//                   string is ignored, and the row is implicit
//   LLaMA-Factory   conversations or messages, with chosen and rejected a message, a list or a
//                   string
//   Alpaca          instruction, input, history, with chosen and rejected as strings
// A string prompt beside responses that are messages without turns before them is the user's turn.
//
// SFT rows:
//   a preference row, of which the chosen response is used
//   prompt, completion: strings, or lists of messages
//   messages or conversations: everything up to the last assistant turn, which is the response
//   text: one plain text, with an empty prompt
//   instruction, input, history, output
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
// `system`, a string, becomes the first turn of a conversation that has no system turn; beside
// plain text it is ignored. Rows with an instruction, messages or conversations are conversations.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "data/drops.h"

namespace lmpo {

// Every key that a row of some schema may have: what need not be read of a row is all the others.
std::span<const std::string> row_keys();

enum class RowKind { preference, sft, labelled, ranked };

struct Message {
  std::string role;
  std::string content;

  bool operator==(const Message&) const = default;
};
using Turns = std::vector<Message>;

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
};

// The row, or why it must not be used: empty_prompt, empty_response, identical_responses,
// no_assistant_turn, single_response or tied_scores. Throws UserError with the location for keys
// that match no schema (naming the keys found and the schemas known) and for values of a wrong
// type.
std::variant<Row, DropReason> normalise_row(const json& source, RowKind kind,
                                            std::string_view location);

}  // namespace lmpo
