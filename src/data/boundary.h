// A row's prompt and responses as token sequences, with the boundary between them.
//
// trl, as TRL 1.16's DPOTrainer:
//   conversation  The prompt is rendered with the generation prompt; prompt and response are
//                 rendered together; the prompt's text is what all these renderings begin with. So
//                 the assistant header belongs to the prompt. Tokens are those of the whole
//                 rendered text, without adding special tokens: the template writes them.
//   plain text    The end-of-sequence text is appended to the response unless it ends with it
//                 (white space may follow); tokens are those of prompt + response with the
//                 tokenizer's own special tokens (BOS).
//   The sequence is always the tokenization of the whole text. The scored part of all responses
//   begins where the first of them parts from the tokenization of the prompt alone. Where a token
//   spans the boundary, that token is scored, and so is what the others have in its place.
//
// simpo, as the published scripts of SimPO and LMPO:
//   conversation  The prompt is rendered without the generation prompt, after an empty system turn
//                 where the template knows of one and the prompt has none; the response is what the
//                 whole conversation adds. So with Llama-3 and Zephyr templates the assistant
//                 header is scored.
//   both          Prompt + response are tokenized together, without special tokens. The prompt's
//                 length is that of its own tokenization, one less where its last token merged.
//                 BOS is put first and EOS last unless they stand there already. With templates
//                 that write text after EOS (Zephyr's newline) the sequence therefore ends with
//                 that text and one more EOS, as in the published runs.
//   simpo_published renders the response alone, as the scripts do. Templates that begin every
//   conversation with a default system turn then write it before the answer, where it is scored.
//
// Departures from TRL 1.16, on purpose:
//   - A prompt that ends with a turn of the assistant is continued by the answer, as with
//     continue_final_message. TRL's DPOTrainer ends that turn and begins another.
//   - Where prompt and conversation part before the prompt's last turn is over (templates that put
//     the system text into the last user turn), the prompt is what generation sees, and the
//     response begins where the answer's text does. TRL then scores the user's words.
//
// With split_special_tokens, special tokens that stand in a row's texts are words like others, and
// only the template's are tokens.
//
// Plain rows are never rendered by a template. No sequence begins with BOS twice or ends with EOS
// twice.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/row_renderer.h"
#include "tree/tree.h"

namespace lmpo {

struct TokenizedRow {
  // One for each response of the row. Unlike in a tree, scored_begin may be 0 (no prompt tokens) or
  // the size (no response tokens).
  std::vector<Sequence> sequences;
  bool token_spans_boundary = false;  // somewhere the tokenizer merged prompt and response
  bool special_tokens_in_texts = false;
  NotedRows notes;
};

// Immutable; tokenize is thread-safe. Tokenizer and template must outlive it.
class RowTokenizer {
 public:
  // `chat_template` may be null; a conversation is then a UserError.
  RowTokenizer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
               const DataOptions& options);

  // Or why the row must not be used: unstable_prompt where the prompts of the responses differ by
  // more than the one merged token (simpo), and RowRenderer's reasons. A template that raises is a
  // UserError with the location.
  std::variant<TokenizedRow, DropReason> tokenize(const Row& row, std::string_view location) const;

 private:
  void encode_trl(const std::vector<TokenId>& context, const RenderedRow& rendered,
                  bool add_special, TokenizedRow& result) const;
  // `append_end`: EOS is put last.
  Sequence encode_simpo(const std::vector<TokenId>& context, const std::string& text,
                        bool append_end, bool& merged) const;
  std::vector<TokenId> encode(const std::string& text, bool add_special) const;

  const Tokenizer& tokenizer_;
  RowRenderer renderer_;
  Boundary boundary_;
  bool split_special_tokens_;
};

}  // namespace lmpo
