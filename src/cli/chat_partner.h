// One side of lmpo chat: a model, its words, and the conversation with it.
#pragma once

#include <functional>
#include <string>

#include "cli/common_options.h"
#include "generate/chat_model.h"
#include "generate/conversation.h"
#include "generate/token_text.h"

namespace lmpo {

class ChatPartner {
 public:
  // Throws UserError for a model without a chat template.
  ChatPartner(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context,
              Dtype compute);

  const std::string& name() const { return name_; }
  Conversation& conversation() { return conversation_; }
  const ChatModel& model() const { return model_; }

  // Begins to answer what the user says. UserError, which says what to do, where the template
  // refuses the conversation or it is too long; the conversation stays as it was then.
  void begin(const std::string& user, const AnswerOptions& options,
             const std::function<bool()>& interrupted);
  // More of the answer, perhaps ""; nothing at its end.
  std::optional<std::string> more();
  // Ends the answer and keeps what was said of it. Where it is broken off before anything was said,
  // the user's words are taken back too; false then.
  bool keep();
  // Why an answer ended that was not broken off.
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
