#include "chat/chat_screen.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/standard_streams.h"
#include "base/terminal.h"
#include "base/utf8.h"
#include "inspect/column_text.h"
#include "inspect/terminal.h"

namespace lmpo {
namespace {

constexpr std::string_view kTab = "    ";

void put(std::string_view text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

std::string heading(const std::string& name) {
  const std::string shown = printable(name, LineEnds::escape);
  return has_colours(STDOUT_FILENO) ? fmt::format("\x1b[1m{}\x1b[0m", shown)
                                    : fmt::format("[{}]", shown);
}

void show_one(ChatPartner& partner, const std::function<bool()>& interrupted) {
  while (!interrupted()) {
    const auto text = partner.more();
    if (!text) {
      break;
    }
    put(harmless(*text));
  }
  put("\n");
}

// Lines of two columns, each shown once both are there.
class SideBySide {
 public:
  SideBySide(const std::vector<ChatPartner*>& partners, int columns)
      : width_((columns - 4) / 2), sides_{Side(*partners[0], width_), Side(*partners[1], width_)} {
    put_line(partners[0]->name(), partners[1]->name());
  }

  void show(const std::function<bool()>& interrupted) {
    while (!(sides_[0].ended && sides_[1].ended)) {
      for (Side& side : sides_) {
        side.advance(interrupted());
      }
      while (sides_[0].has_line() && sides_[1].has_line() && (sides_[0].line || sides_[1].line)) {
        put_line(sides_[0].take(), sides_[1].take());
      }
    }
  }

 private:
  struct Side {
    Side(ChatPartner& of, std::int64_t width) : partner(of), text(width) {}

    void advance(bool stop) {
      const auto more = stop || ended ? std::nullopt : partner.more();
      if (more) {
        text.add(harmless(*more));
      } else {
        text.finish();
        ended = true;
      }
    }
    // A line, or the knowledge that there is none to come.
    bool has_line() {
      if (!line) {
        line = text.take_line();
      }
      return line || ended;
    }
    std::string take() {
      std::string taken = line.value_or("");
      line.reset();
      return taken;
    }

    ChatPartner& partner;
    ColumnText text;
    std::optional<std::string> line;
    bool ended = false;
  };

  void put_line(const std::string& left, const std::string& right) const {
    const std::int64_t padding = std::max<std::int64_t>(0, width_ - display_width(left));
    put(fmt::format("{}{} {} {}\n", left, std::string(static_cast<std::size_t>(padding), ' '),
                    speaks_utf8() ? "│" : "|", right));
  }

  std::int64_t width_;
  Side sides_[2];
};

}  // namespace

std::string harmless(std::string_view text) {
  std::string spaced;
  for (const char character : text) {
    if (character == '\t') {
      spaced += kTab;
    } else {
      spaced += character;
    }
  }
  return printable(spaced, LineEnds::keep);
}

void show_answers(const std::vector<ChatPartner*>& partners,
                  const std::function<bool()>& interrupted) {
  if (partners.size() == 1) {
    show_one(*partners.front(), interrupted);
    return;
  }
  const int columns = terminal_columns(STDOUT_FILENO);
  if (columns >= kSideBySide) {
    SideBySide(partners, columns).show(interrupted);
    return;
  }
  for (ChatPartner* partner : partners) {
    put(heading(partner->name()) + "\n");
    show_one(*partner, interrupted);
  }
}

void show_note(std::string_view text) {
  const std::string shown = printable(text, LineEnds::keep);
  put_on_standard_error(
      (has_colours(STDERR_FILENO) ? fmt::format("\x1b[2m{}\x1b[0m", shown) : shown) + "\n");
}

}  // namespace lmpo
