// A row's prompt and responses as texts, split at the boundary. The rules are those of boundary.h,
// which turns the texts into tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "data/drops.h"
#include "data/options.h"
#include "data/row_notes.h"
#include "data/schema.h"
#include "text/text_model.h"

namespace lmpo {

struct RenderedRow {
  std::string prompt;
  std::vector<std::string> responses;  // without the prompt
  // SFT that scores several turns: all that is scored, in bytes of the prompt and the response
  // together, in order; empty: the response.
  std::vector<jinja::Span> scored;
  bool marked = false;  // the template marked it
  NotedRows notes;
};

// Immutable; render is thread-safe. Tokenizer and template must outlive it.
class RowRenderer {
 public:
  // `chat_template` may be null; a conversation is then a UserError. Throws UserError for an
  // sft_target that the template or the boundary does not support.
  RowRenderer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
              const DataOptions& options);

  // Returns the texts, or the reason to drop the row: response_left_out, prompt_in_response or
  // identical_responses. Throws UserError if the template raises an error.
  std::variant<RenderedRow, DropReason> render(const Row& row) const;

 private:
  struct Conversation;
  using Texts = std::vector<std::string>;

  std::string render(const Turns& turns, bool add_generation_prompt,
                     const Conversation& conversation) const;
  bool accepts_empty_system() const;
  RenderedRow render_plain(const Row& row) const;
  std::variant<RenderedRow, DropReason> render_marked(const Row& row,
                                                      Conversation conversation) const;
  static void move_thought(const Conversation& conversation, RenderedRow& rendered);
  void add_earlier_turns(const Conversation& conversation, RenderedRow& rendered) const;
  Conversation conversation_of(const Row& row) const;
  std::optional<std::string> open_prompt(const Conversation& conversation) const;
  Texts alone(const Conversation& conversation) const;
  std::optional<std::string> answer_in(const std::string& whole, const Conversation& conversation,
                                       std::size_t response, std::string_view header) const;
  std::optional<RenderedRow> split_trl(const Conversation& conversation, const std::string& prompt,
                                       const Texts& whole, std::size_t needed) const;
  std::optional<RenderedRow> split_simpo(const Conversation& conversation,
                                         const std::string& prompt, const Texts& whole,
                                         std::size_t needed) const;

  const Tokenizer& tokenizer_;
  const ChatTemplate* template_;
  Boundary boundary_;
  SftTarget target_;
  ordered_json kwargs_;
  bool insert_system_ = false;
  ordered_json variables_;
};

}  // namespace lmpo
