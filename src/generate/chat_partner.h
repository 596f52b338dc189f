// A model with its tokenizer and template, and the conversation with it: one side of lmpo chat.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "generate/chat_model.h"
#include "generate/conversation.h"
#include "generate/token_text.h"
#include "text/text_model.h"

namespace lmpo {

// A conversation has grown beyond the context.
struct ContextFull : UserError {
  using UserError::UserError;
};

class ChatPartner {
 public:
  // Throws UserError for a model without a chat template.
  ChatPartner(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context,
              Dtype compute);

  const std::string& name() const { return name_; }
  Conversation& conversation() { return conversation_; }
  const ChatModel& model() const { return model_; }

  // Starts the answer to what the user says. UserError where the template refuses the conversation,
  // ContextFull where it is too long; the conversation is then as it was before.
  void begin(const std::string& user, const AnswerOptions& options,
             const std::function<bool()>& interrupted);
  // More of the answer, perhaps ""; nothing at its end.
  std::optional<std::string> more();
  // Ends the answer and keeps what there is of it. False where it was stopped before its first
  // word: the user's message is then removed, too.
  bool keep();
  // Why an answer ended that was not stopped.
  AnswerEnd end() const { return model_.end(); }

  // What the model is and how fast the last answer came, in lines.
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

}  // namespace lmpo
