// Text for a terminal: coloured if the terminal has colours, never wider than it, and free of
// control sequences from the content.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/terminal.h"

namespace lmpo {

enum class Ink { plain, heading, faint, prompt, scored, special, cut, warning, error };

// The columns that a text takes. It must be printable (base/utf8.h).
std::int64_t display_width(std::string_view text);

// Collects what is written. Not thread-safe.
class TerminalText {
 public:
  explicit TerminalText(const Terminal& terminal) : terminal_(terminal) {}

  // A paragraph, broken between words; its further lines are indented by `indent`.
  void prose(std::string_view text, Ink ink = Ink::plain, int indent = 2);
  // A title after an empty line.
  void heading(std::string_view text);

  // Text of the user's data. Until end_content() every line begins with `gutter`, which tells it
  // from the program's own text. Several calls continue the same line. Breaks only at the
  // terminal's width.
  void begin_content(std::string gutter);
  void content(std::string_view text, Ink ink);
  void end_content();

  // "LABEL   COUNT ######": a bar that fills a share (0 to 1) of the rest of the line.
  void bar(std::string_view label, int label_width, std::int64_t count, int count_width,
           double share);

  // A list under its own title; nothing if it is empty.
  void warnings(const std::vector<std::string>& all);

  int columns() const { return terminal_.columns; }
  const std::string& text() const { return text_; }

 private:
  void paint(std::string_view text, Ink ink);
  void start_line();

  Terminal terminal_;
  std::string text_;
  std::string gutter_;
  std::int64_t column_ = 0;
};

}  // namespace lmpo
