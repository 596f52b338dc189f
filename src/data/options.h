// How rows become tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/schema.h"

namespace lmpo {

// Where the prompt ends and the scored response begins; see boundary.h.
enum class Boundary { trl, simpo, simpo_published };
constexpr std::string_view name(Boundary boundary) {
  constexpr std::string_view names[] = {"trl", "simpo", "simpo_published"};
  return names[static_cast<int>(boundary)];
}
// Which end of a sequence truncation keeps.
enum class TruncationMode { keep_start, keep_end };
// What SFT scores: the response; everything; every turn of the assistant; or what the chat template
// marks with {% generation %}. See assistant_turns.h.
enum class SftTarget { response, conversation, assistant, marked };

struct DataOptions {
  RowKind kind = RowKind::preference;
  SftTarget sft_target = SftTarget::response;
  Boundary boundary = Boundary::trl;
  // `simpo` only: put an empty system turn before a conversation that has none, if the template
  // supports system turns (auto_insert_empty_system_msg of the alignment handbook).
  bool insert_empty_system = true;
  // Treat special tokens in prompts and responses as ordinary text; only those that the template
  // writes are special.
  bool split_special_tokens = false;
  // Switches of the chat template by name, for all rows; a row's own come on top. An object, or
  // null for none, as read_template_kwargs returns it.
  ordered_json chat_template_kwargs = nullptr;

  // Lengths in tokens; none: no limit. max_prompt_length selects the old dialect, see
  // truncation.h.
  std::optional<std::int64_t> max_length;
  std::optional<std::int64_t> max_prompt_length;
  // None: keep_start in the new dialect, keep_end in the old one.
  std::optional<TruncationMode> truncation_mode;
};

}  // namespace lmpo
