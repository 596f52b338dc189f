// A row's prompt and responses as token sequences, with the boundary between them.
//
// trl, as TRL 1.x (and its text rule since 0.12):
//   conversation  The prompt is rendered with the generation prompt (a prompt that ends with an
//                 assistant turn is left open instead, as continue_final_message does), prompt and
//                 response are rendered together, and the prompt's text is what all these
//                 renderings begin with. So the assistant header belongs to the prompt. Tokens are
//                 those of the whole rendered text, without adding special tokens: the template
//                 writes them.
//   plain text    The end-of-sequence text is appended to the response unless it ends with it;
//   tokens
//                 are those of prompt + response with the tokenizer's own special tokens (BOS).
//   The sequence is always the tokenization of the whole text. Its scored part begins where it
//   parts from the tokenization of the prompt alone: at the prompt's length, as TRL slices,
//   wherever the tokenizer respects the boundary. Where a token spans it (TRL then warns, and loses
//   or repeats text), that token is scored.
//
// simpo, as the published scripts of SimPO and LMPO:
//   conversation  The prompt is rendered without the generation prompt, after an empty system turn
//   is
//                 put before it where the template mentions "system" or "<|im_start|>" and the
//                 prompt has none; the response is rendered alone, and BOS text at its start is
//                 removed. So with Llama-3 and Zephyr templates the assistant header is scored. A
//                 template that refuses a response alone (Mistral's) renders both together; the
//                 response is what follows the prompt's rendering.
//   both          Prompt + response are tokenized together, without special tokens. The prompt's
//   length
//                 is that of its own tokenization, one less where its last token merged. BOS is put
//                 first and EOS last unless they stand there already. With templates that write
//                 text after EOS (Zephyr's newline) the sequence therefore ends with that text and
//                 one more EOS, as in the published runs.
//
// With split_special_tokens, special tokens that stand in a row's texts are words like others, and
// only the template's are tokens.
//
// Plain rows are never rendered by a template. No sequence begins with BOS twice or ends with EOS
// twice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/options.h"
#include "data/schema.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "tree/tree.h"

namespace lmpo {

// What a template may read besides the messages: bos_token, eos_token, unk_token and pad_token,
// those that the tokenizer has.
ordered_json template_variables(const Tokenizer& tokenizer);

struct TokenizedRow {
  // One for each response of the row. Unlike in a tree, scored_begin may be 0 (no prompt tokens) or
  // the size (no response tokens).
  std::vector<Sequence> sequences;
  bool token_spans_boundary = false;  // somewhere the tokenizer merged prompt and response
  bool rendered_together = false;     // simpo: the template refused a response alone
  bool special_tokens_in_texts = false;
};

// Immutable; tokenize is thread-safe. Tokenizer and template must outlive it.
class RowTokenizer {
 public:
  // `chat_template` may be null; a conversation is then a UserError.
  RowTokenizer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
               const DataOptions& options);

  // None where the prompts of the responses differ by more than the one merged token (simpo).
  // A template that raises is a UserError with the location.
  std::optional<TokenizedRow> tokenize(const Row& row, std::string_view location) const;

 private:
  struct Rendered;

  std::string render(const Turns& turns, bool add_generation_prompt) const;
  std::string render_open_prompt(const Turns& prompt) const;
  Rendered render_row(const Row& row) const;
  Rendered render_trl(const Row& row) const;
  Rendered render_simpo(const Row& row) const;
  // `text` is prompt + response, `context` the tokens of the prompt alone.
  Sequence encode_trl(const std::vector<TokenId>& context, const std::string& text,
                      bool add_special, bool& merged) const;
  Sequence encode_simpo(const std::vector<TokenId>& context, const std::string& text,
                        bool& merged) const;
  std::vector<TokenId> encode(const std::string& text, bool add_special) const;

  const Tokenizer& tokenizer_;
  const ChatTemplate* template_;
  Boundary boundary_;
  bool insert_system_;
  bool split_special_tokens_;
  ordered_json variables_;
};

}  // namespace lmpo
