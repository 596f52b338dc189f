#include "recipe/pages/help_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/terminal.h"
#include "recipe/pages/words.h"

namespace lmpo {
namespace {

// Select graphic rendition.
constexpr const char* kHeading = "1";
constexpr const char* kName = "36";
constexpr const char* kNote = "2";

constexpr std::size_t kWidest = 120;
constexpr std::size_t kNarrow = 70;       // below it there are no two columns
constexpr std::size_t kNarrowIndent = 6;  // of meanings then

}  // namespace

HelpStyle HelpStyle::standard_output() {
  const Terminal terminal = Terminal::standard_output();
  HelpStyle style = {.colours = terminal.colours};
  if (terminal.wraps) {
    style.width = std::min<std::size_t>(static_cast<std::size_t>(terminal.columns), kWidest);
  }
  return style;
}

std::string HelpText::painted(std::string_view text, const char* ink) const {
  return style_.colours ? fmt::format("\x1b[{}m{}\x1b[0m", ink, text) : std::string(text);
}

void HelpText::paragraph(std::string_view text) {
  for (const std::string& line : wrap(words_of(text), style_.width)) {
    text_ += line + "\n";
  }
}

void HelpText::heading(std::string_view title) {
  text_ += '\n';
  for (const std::string& line : wrap(words_of(title), style_.width)) {
    text_ += painted(line, kHeading) + "\n";
  }
}

void HelpText::entry(std::string_view name, std::string_view meaning,
                     const std::vector<std::string>& notes, std::size_t indent) {
  const bool narrow = style_.width < kNarrow;
  indent = narrow ? kNarrowIndent : indent;
  const std::size_t room = style_.width - std::min(style_.width - 1, indent);
  const std::vector<std::string> left =
      narrow ? wrap(words_of(name), style_.width - 2) : std::vector{std::string(name)};
  for (const std::string& line : left) {
    text_ += (&line == left.data() ? "  " : "\n    ") + painted(line, kName);
  }
  std::size_t column = left.size() > 1 ? style_.width : 2 + left[0].size();

  // Where there is room notes are words of their own, so that no line breaks within them.
  std::vector<std::string> words = words_of(meaning);
  const std::size_t plain = words.size();
  for (const std::string& note : notes) {
    const std::vector<std::string> parts = narrow ? words_of(note) : std::vector{note};
    words.insert(words.end(), parts.begin(), parts.end());
  }
  std::size_t used = indent;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool fits = i > 0 && used + 1 + words[i].size() <= indent + room;
    if (fits) {
      text_ += ' ';
      used += 1 + words[i].size();
    } else {
      if (i > 0 || column + 2 > indent) {
        text_ += '\n';
        column = 0;
      }
      text_ += std::string(indent - column, ' ');
      used = indent + words[i].size();
    }
    text_ += i < plain ? words[i] : painted(words[i], kNote);
  }
  text_ += '\n';
}

void HelpText::verbatim(std::string_view text) {
  text_ += text;
  text_ += text.ends_with('\n') ? "" : "\n";
}

}  // namespace lmpo
