#include "inspect/terminal.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace lmpo {
namespace {

// Select graphic rendition, by Ink.
constexpr std::array<const char*, 9> kColours = {"",     "1",    "2",    "36",  "32",
                                                 "35;1", "31;9", "33;1", "31;1"};

}  // namespace

std::int64_t display_width(std::string_view text) {
  std::int64_t width = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    width += ::utf8proc_charwidth(static_cast<utf8proc_int32_t>(first_code_point(text.substr(at))));
  }
  return width;
}

void TerminalText::paint(std::string_view text, Ink ink) {
  const char* colour = kColours.at(static_cast<std::size_t>(ink));
  if (terminal_.colours && *colour != '\0') {
    text_ += fmt::format("\x1b[{}m{}\x1b[0m", colour, text);
  } else {
    text_ += text;
  }
}

void TerminalText::prose(std::string_view text, Ink ink, int indent) {
  const std::string shown = printable(text, LineEnds::escape);
  std::string line;
  const auto flush = [&] {
    paint(line, ink);
    text_ += '\n';
  };
  for (std::size_t begin = 0; begin < shown.size();) {
    const std::size_t end = std::min(shown.find(' ', begin), shown.size());
    std::string_view word = std::string_view(shown).substr(begin, end - begin);
    const bool first = line.find_first_not_of(' ') == std::string::npos;
    if (!first && display_width(line) + 1 + display_width(word) > columns()) {
      flush();
      line.assign(static_cast<std::size_t>(indent), ' ');
    } else if (begin > 0) {
      line += ' ';
    }
    // What is longer than a line breaks where the line ends.
    while (display_width(line) + display_width(word) > columns()) {
      std::size_t size = 0;
      while (display_width(line) + display_width(word.substr(0, size + utf8_size(word[size]))) <=
             columns()) {
        size += utf8_size(word[size]);
      }
      line += word.substr(0, size);
      word.remove_prefix(size);
      flush();
      line.assign(static_cast<std::size_t>(indent), ' ');
    }
    line += word;
    begin = end + 1;
  }
  flush();
}

void TerminalText::heading(std::string_view text) {
  text_ += '\n';
  prose(text, Ink::heading);
}

void TerminalText::warnings(const std::vector<std::string>& all) {
  if (!all.empty()) {
    heading("Warnings");
  }
  for (const std::string& warning : all) {
    prose("- " + warning, Ink::warning);
  }
}

void TerminalText::begin_content(std::string gutter) {
  gutter_ = std::move(gutter);
  start_line();
}

void TerminalText::start_line() {
  paint(gutter_, Ink::faint);
  column_ = display_width(gutter_);
}

void TerminalText::content(std::string_view text, Ink ink) {
  const std::string shown = printable(text, LineEnds::keep);
  std::size_t begin = 0;  // of what is not painted yet
  const auto break_line = [&](std::size_t end) {
    paint(std::string_view(shown).substr(begin, end - begin), ink);
    text_ += '\n';
    start_line();
  };
  for (std::size_t at = 0; at < shown.size();) {
    const std::string_view character = std::string_view(shown).substr(at, utf8_size(shown[at]));
    if (character == "\n") {
      break_line(at);
      begin = at + 1;
    } else {
      const std::int64_t width = display_width(character);
      if (terminal_.wraps && column_ + width > columns()) {
        break_line(at);
        begin = at;
      }
      column_ += width;
    }
    at += character.size();
  }
  paint(std::string_view(shown).substr(begin), ink);
}

void TerminalText::end_content() {
  text_ += '\n';
}

void TerminalText::bar(std::string_view label, int label_width, std::int64_t count, int count_width,
                       double share) {
  const std::string left = fmt::format("{:>{}} {:>{}} ", label, label_width, count, count_width);
  const auto room = std::max<std::int64_t>(0, columns() - std::ssize(left));
  const auto full = static_cast<double>(std::min<std::int64_t>(room, 60));
  // Whatever is there shows, however little.
  const auto length = static_cast<std::size_t>(count > 0 ? std::max(1.0, share * full + 0.5) : 0);
  text_ += length == 0 ? std::string_view(left).substr(0, left.size() - 1) : left;
  paint(std::string(std::min(length, static_cast<std::size_t>(room)), '#'), Ink::scored);
  text_ += '\n';
}

}  // namespace lmpo
