// A row's prompt and responses as token sequences, with the boundary between them.
//
// boundary: trl, as in TRL 1.16's DPOTrainer
//   Conversation  The prompt is rendered with the generation prompt; prompt and response are
//                 rendered together. The prompt's text is the common beginning of all these
//                 renderings, so the assistant header belongs to the prompt. No special tokens are
//                 added: the template writes them.
//   Plain text    The end-of-sequence text is appended to the response unless the response ends
//                 with it (white space may follow). The tokenizer adds its special tokens (BOS).
//   Both          A sequence is the tokenization of the whole text. The scored part begins where
//                 the first response departs from the tokenization of the prompt alone, in all
//                 responses at the same place. If a token spans the boundary, it is scored, and so
//                 are the tokens in its place in the other responses.
//
// boundary: simpo, as in the published scripts of SimPO and LMPO
//   Conversation  The prompt is rendered without the generation prompt. If the template supports
//                 system turns and the prompt has none, an empty one is put first. The response is
//                 what the whole conversation adds, so with Llama-3 and Zephyr templates the
//                 assistant header is scored.
//   Both          Prompt and response are tokenized together, without special tokens. The prompt's
//                 length is that of its own tokenization, less one if its last token merged. BOS is
//                 put first and EOS last if they are not there. With templates that write text
//                 after EOS (Zephyr's newline) the sequence ends with that text and one more EOS,
//                 as in the published runs.
//
// boundary: simpo_published
//   As simpo, but the response is rendered alone, as in the scripts. Templates that begin every
//   conversation with a default system turn write it before the answer, where it is scored.
//
// Intended differences from TRL 1.16
//   - If a prompt ends with a turn of the assistant, the answer continues it, as with
//     continue_final_message. TRL's DPOTrainer ends that turn and begins another.
//   - If prompt and conversation differ before the end of the prompt's last turn (templates that
//     move the system text into the last user turn), the prompt is what generation sees, and the
//     response begins where the answer's text does. TRL would score the user's words.
//   - An empty thought that the template adds to every response ("<think>\n\n</think>\n\n")
//     belongs to the prompt, whether the generation prompt writes it (Qwen3 with enable_thinking
//     false) or not. TRL would score it in the second case. A thought that the row gives is scored.
//
// SFT may score more than the response (DataOptions::sft_target):
//   assistant  Every turn of the assistant, found as assistant_turns.h says; what the template marks
//              with {% generation %}, if it marks anything.
//   marked     What the template marks, as transformers' assistant masks: every token with a
//              character of a marked text. Nothing is moved to the prompt.
// The tokens between are context, see Sequence::gaps; those after the last scored one are left out.
//
// With split_special_tokens, special tokens in a row's texts are ordinary text; only those that the
// template writes are special. Plain rows are never rendered by a template. No sequence begins with
// BOS twice or ends with EOS twice.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/row_renderer.h"
#include "tree/tree.h"

namespace lmpo {

struct TokenizedRow {
  // One per response. Unlike in a tree, scored_begin may be 0 (no prompt tokens) or the size (no
  // response tokens).
  std::vector<Sequence> sequences;
  bool token_spans_boundary = false;  // a token has text of both prompt and response
  bool special_tokens_in_texts = false;
  NotedRows notes;
};

// Immutable; tokenize is thread-safe. Tokenizer and template must outlive it.
class RowTokenizer {
 public:
  // `chat_template` may be null; a conversation is then a UserError.
  RowTokenizer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
               const DataOptions& options);

  // Returns the tokens, or the reason to drop the row: unstable_prompt if the prompts of the
  // responses differ by more than one merged token (simpo), or a reason of RowRenderer. Throws
  // UserError with the location if the template raises an error.
  std::variant<TokenizedRow, DropReason> tokenize(const Row& row, std::string_view location) const;

 private:
  void encode_trl(const std::vector<TokenId>& context, const RenderedRow& rendered,
                  bool add_special, TokenizedRow& result) const;
  // `append_end`: append EOS. Sets `merged` if a token spans the boundary.
  // The response and earlier turns, or what the template marks.
  void encode_scored(const RenderedRow& rendered, TokenizedRow& result) const;
  Sequence encode_simpo(const std::vector<TokenId>& context, const std::string& text,
                        bool append_end, bool& merged) const;
  std::vector<TokenId> encode(const std::string& text, bool add_special) const;

  const Tokenizer& tokenizer_;
  RowRenderer renderer_;
  Boundary boundary_;
  bool split_special_tokens_;
};

}  // namespace lmpo
