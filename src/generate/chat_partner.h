// A model, its tokenizer and template, and a conversation with it: one side of lmpo chat.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "generate/chat_model.h"
#include "generate/conversation.h"
#include "generate/token_text.h"
#include "text/text_model.h"

namespace lmpo {

// The conversation is longer than the context.
struct ContextFull : UserError {
  using UserError::UserError;
};

class ChatPartner {
 public:
  // `inputs`: tools and switches of the template, see text/template_inputs.h. Throws UserError for a
  // model without a chat template.
  ChatPartner(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context,
              const LoadedModelOptions& options, ordered_json inputs = nullptr);

  const std::string& name() const { return name_; }
  Conversation& conversation() { return conversation_; }
  const ChatModel& model() const { return model_; }

  // Adds a user message and starts the answer. UserError if the template refuses the conversation,
  // ContextFull if it is too long; both leave the conversation unchanged.
  void begin(const std::string& user, const AnswerOptions& options,
             const std::function<bool()>& interrupted);
  // The next piece of the answer, which may be ""; nothing at its end.
  std::optional<std::string> more();
  // Ends the answer and adds what there is of it to the conversation. If the answer has no text yet,
  // removes the user message and returns false.
  bool keep();
  // Why the answer ended, if the caller did not end it.
  std::optional<RequestEnd> end() const { return model_.end(); }

  // Lines about the model and the speed of the last answer.
  std::string description() const;

 private:
  std::string name_;
  fs::path folder_;
  TextModel text_;
  ChatModel model_;
  Conversation conversation_;
  std::optional<TokenText> stream_;
  std::string answer_;
  bool ended_ = false;
};

// One partner, or two that get the same messages.
using ChatPartners = std::vector<std::unique_ptr<ChatPartner>>;

// Their conversations as a file: {"model": NAME, "messages": [...]}, that of a second one, with the
// same keys, under "other".
ordered_json saved_conversations(const ChatPartners& partners);
// Replaces their conversations by those of a file, or by a list of messages. Without an "other" both
// have the same. UserError, which names `source`, leaves them unchanged.
void load_conversations(const ChatPartners& partners, const std::string& text,
                        const std::string& source);

}  // namespace lmpo
