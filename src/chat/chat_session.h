// A chat: sends lines to the models and runs /commands.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/line_reader.h"
#include "generate/chat_partner.h"

namespace lmpo {

class ChatSession {
 public:
  // `interactive`: mistakes are shown, not thrown.
  ChatSession(ChatPartners partners, AnswerOptions options, bool interactive);

  // Reads lines until the input ends or the user leaves. If not interactive, throws UserError.
  void run(LineReader& reader);

  // One line for each /command.
  static std::string help();

 private:
  struct Command;
  static const std::vector<Command>& commands();

  // False if the session is over.
  bool take(const std::string& line);
  bool obey(std::string_view line);
  void answer(const std::string& user);
  std::string how_to_make_room() const;
  void say_end(const ChatPartner& partner, bool kept, bool interrupted) const;

  void undo();
  void retry();
  void set_system(const std::string& text);
  void save(const std::string& file) const;
  void load(const std::string& file);
  void describe() const;

  ChatPartners partners_;
  AnswerOptions options_;
  bool interactive_;
};

}  // namespace lmpo
