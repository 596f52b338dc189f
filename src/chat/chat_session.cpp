#include "chat/chat_session.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <functional>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/names.h"
#include "base/signals.h"
#include "chat/chat_screen.h"
#include "model/config.h"

namespace lmpo {
namespace {

// The first Ctrl-C during an answer ends the answer, the second one the program. If the session is not
// interactive, the first one ends the program.
class StopKey {
 public:
  explicit StopKey(bool interactive) {
    if (interactive) {
      watch_.emplace(std::vector<int>{SIGINT}, [this](int) {
        pressed_ = true;
        end_program_on({SIGINT});
      });
    }
  }

  bool pressed() const { return pressed_; }

 private:
  std::atomic<bool> pressed_ = false;
  std::optional<SignalWatch> watch_;
};

template <typename Number>
void set_number(Number& value, const std::string& text, Number low, double high) {
  Number parsed{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc() || stopped != end || !(parsed >= low) ||
      static_cast<double>(parsed) > high) {
    user_error("'{}': a number from {} to {} was expected", text, low, high);
  }
  value = parsed;
}

constexpr double kMost = 1e9;

}  // namespace

struct ChatSession::Command {
  const char* name;
  const char* argument;  // "" if it takes none
  const char* help;
  std::function<void(ChatSession&, const std::string& argument)> run;  // none: leaves
};

const std::vector<ChatSession::Command>& ChatSession::commands() {
  using Text = const std::string&;
  static const std::vector<Command> all = {
      {"help", "", "show this list", [](ChatSession&, Text) { show_note(help()); }},
      {"reset", "", "start over; the system message stays",
       [](ChatSession& chat, Text) {
         for (const auto& partner : chat.partners_) {
           partner->conversation().reset();
         }
       }},
      {"undo", "", "remove your last message and its answer",
       [](ChatSession& chat, Text) { chat.undo(); }},
      {"retry", "", "answer the last message again", [](ChatSession& chat, Text) { chat.retry(); }},
      {"system", "TEXT", "set the system message; without TEXT, remove it",
       [](ChatSession& chat, Text text) { chat.set_system(text); }},
      {"save", "FILE", "write the conversation as JSON",
       [](ChatSession& chat, Text file) { chat.save(file); }},
      {"load", "FILE", "continue a conversation that /save wrote, or a list of messages",
       [](ChatSession& chat, Text file) { chat.load(file); }},
      {"temperature", "X", "sampling temperature; 0: take the likeliest token",
       [](ChatSession& chat, Text text) {
         set_number(chat.options_.sampling.temperature, text, 0.0, kMost);
       }},
      {"top_p", "X", "sample from the likeliest tokens of this total probability",
       [](ChatSession& chat, Text text) {
         set_number(chat.options_.sampling.top_p, text, 0.0, 1);
       }},
      {"top_k", "N", "sample from the N likeliest tokens; 0: all",
       [](ChatSession& chat, Text text) {
         set_number(chat.options_.sampling.top_k, text, std::int64_t{0}, kMost);
       }},
      {"max_new_tokens", "N", "maximum tokens of an answer",
       [](ChatSession& chat, Text text) {
         set_number(chat.options_.max_new_tokens, text, std::int64_t{1}, kMost);
       }},
      {"model", "", "show the model and the speed of the last answer",
       [](ChatSession& chat, Text) { chat.describe(); }},
      {"quit", "", "leave; Ctrl-D does too", nullptr},
  };
  return all;
}

std::string ChatSession::help() {
  std::string text;
  for (const Command& command : commands()) {
    text += fmt::format("/{:<20} {}\n", fmt::format("{} {}", command.name, command.argument),
                        command.help);
  }
  return text +
         "//...                 send a line that begins with a slash to the model\n"
         "Ctrl-C stops an answer and keeps what was written so far.";
}

ChatSession::ChatSession(ChatPartners partners, AnswerOptions options, bool interactive)
    : partners_(std::move(partners)), options_(std::move(options)), interactive_(interactive) {}

void ChatSession::run(LineReader& reader) {
  bool interrupted = false;
  for (;;) {
    const ReadLine line = reader.read();
    if (line.kind == ReadLine::Kind::end ||
        (line.kind == ReadLine::Kind::interrupted && interrupted)) {
      return;
    }
    interrupted = line.kind == ReadLine::Kind::interrupted;
    if (interrupted) {
      show_note("press Ctrl-C again, or Ctrl-D, to leave");
    } else if (!take(line.text)) {
      return;
    }
  }
}

bool ChatSession::take(const std::string& line) {
  try {
    if (line.starts_with("//")) {
      answer(line.substr(1));
    } else if (line.starts_with('/')) {
      return obey(std::string_view(line).substr(1));
    } else if (line.find_first_not_of(" \t") != std::string::npos) {
      answer(line);
    }
  } catch (const UserError& error) {
    if (!interactive_) {
      throw;
    }
    log_error("{}", error.what());
  }
  return true;
}

bool ChatSession::obey(std::string_view line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string name(line.substr(0, space));
  const std::size_t begin = line.find_first_not_of(' ', space);
  const std::string argument(begin == std::string_view::npos ? "" : line.substr(begin));
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (name == command.name) {
      if (command.run) {
        command.run(*this, argument);
      }
      return static_cast<bool>(command.run);
    }
    names.emplace_back(command.name);
  }
  user_error("there is no command /{}{}; /help lists them", name, suggestion(name, names));
}

void ChatSession::answer(const std::string& user) {
  const StopKey stop(interactive_);
  const auto pressed = [&] { return stop.pressed(); };
  std::vector<ChatPartner*> begun;
  try {
    for (const auto& partner : partners_) {
      partner->begin(user, options_, pressed);
      begun.push_back(partner.get());
    }
    ++options_.turn;
    show_answers(begun, pressed);
  } catch (const UserError& error) {
    for (ChatPartner* partner : begun) {
      partner->keep();
    }
    if (dynamic_cast<const ContextFull*>(&error) != nullptr) {
      user_error("{}. {}", error.what(), how_to_make_room());
    }
    throw;
  }
  for (ChatPartner* partner : begun) {
    say_end(*partner, partner->keep(), stop.pressed());
  }
}

std::string ChatSession::how_to_make_room() const {
  const bool may_grow = std::ranges::any_of(partners_, [](const auto& partner) {
    return partner->model().context() < partner->model().config().max_positions;
  });
  return fmt::format("Remove the last message with /undo, start over with /reset{}",
                     may_grow ? ", or start with a larger --context" : "");
}

void ChatSession::say_end(const ChatPartner& partner, bool kept, bool interrupted) const {
  const std::string who = partners_.size() > 1 ? partner.name() + ": " : "";
  if (!kept) {
    show_note(who + "stopped before the answer began; your message is removed");
  } else if (interrupted) {
    show_note(who + "stopped");
  } else if (partner.end() == RequestEnd::length) {
    show_note(fmt::format("{}cut after {} tokens (/max_new_tokens)", who, options_.max_new_tokens));
  } else if (partner.end() == RequestEnd::context) {
    show_note(fmt::format("{}cut: the context of {} tokens is full; make room with /undo or /reset",
                          who, partner.model().context()));
  }
}

void ChatSession::undo() {
  std::optional<std::string> taken;
  for (const auto& partner : partners_) {
    taken = partner->conversation().undo();
  }
  if (!taken) {
    user_error("there is no message to remove");
  }
  show_note(fmt::format("removed: {}", *taken));
}

void ChatSession::retry() {
  std::optional<std::string> taken;
  for (const auto& partner : partners_) {
    taken = partner->conversation().undo();
  }
  if (!taken) {
    user_error("there is no message to answer yet");
  }
  answer(*taken);
}

void ChatSession::set_system(const std::string& text) {
  for (const auto& partner : partners_) {
    partner->conversation().set_system(text);
  }
}

void ChatSession::save(const std::string& file) const {
  if (file.empty()) {
    user_error("/save needs a file name");
  }
  try {
    write_file_atomically(file, saved_conversations(partners_).dump(2) + "\n");
  } catch (const MachineError& error) {
    user_error("{}", error.what());
  }
  show_note("saved in " + file);
}

void ChatSession::load(const std::string& file) {
  if (file.empty()) {
    user_error("/load needs a file name");
  }
  load_conversations(partners_, read_file(file), file);
  show_note(fmt::format("{} messages from {}", partners_.front()->conversation().messages().size(),
                        file));
}

void ChatSession::describe() const {
  for (const auto& partner : partners_) {
    show_note(partner->description());
  }
  show_note(fmt::format("temperature {}, top_p {}, top_k {}, at most {} new tokens",
                        options_.sampling.temperature, options_.sampling.top_p,
                        options_.sampling.top_k, options_.max_new_tokens));
}

}  // namespace lmpo
