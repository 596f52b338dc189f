#include "train/card/markdown_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace lmpo {
namespace {

std::size_t longest_run(std::string_view text, char of) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == of ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) {
    line += ' ';
    for (const char c : cell) {
      line += c == '|' ? "\\|" : std::string(1, c);
    }
    line += " |";
  }
  return line + "\n";
}

}  // namespace

std::string escape_markdown(std::string_view text) {
  constexpr std::string_view special = "\\`*_[]<>#|~&$!";
  std::string result;
  for (const char c : printable(text, LineEnds::escape)) {
    if (special.find(c) != std::string_view::npos) {
      result += '\\';
    }
    result += c;
  }
  return result;
}

std::string code_span(std::string_view text) {
  const std::string shown = printable(text, LineEnds::escape);
  // Longer than every run of backticks inside.
  const std::string fence(longest_run(shown, '`') + 1, '`');
  const bool touches = shown.empty() || shown.front() == '`' || shown.back() == '`' ||
                       shown.front() == ' ' || shown.back() == ' ';
  const char* const space = touches ? " " : "";
  return fence + space + shown + space + fence;
}

std::string markdown_table(const std::vector<std::string>& head,
                           const std::vector<std::vector<std::string>>& rows) {
  std::string text = row(head);
  text += row(std::vector<std::string>(head.size(), "---"));
  for (const std::vector<std::string>& cells : rows) {
    text += row(cells);
  }
  return text;
}

std::string code_block(std::string_view language, std::string_view lines) {
  return fmt::format("```{}\n{}{}```\n", language, lines, lines.ends_with('\n') ? "" : "\n");
}

}  // namespace lmpo
