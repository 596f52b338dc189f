// The look of help pages: headings, entries in two columns, as wide as the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

struct HelpStyle {
  std::size_t width = 100;
  bool colours = false;

  // As wide as the terminal, but no wider than is well read; 100 columns where it is none.
  static HelpStyle standard_output();
};

// Collects a page. Not thread-safe.
class HelpText {
 public:
  explicit HelpText(const HelpStyle& style) : style_(style) {}

  void paragraph(std::string_view text);
  // After an empty line.
  void heading(std::string_view title);
  // A name and what it means; `notes`, each unbroken, end the meaning. The meanings of a page begin
  // in one column, `indent`, or in a narrow terminal below their names.
  void entry(std::string_view name, std::string_view meaning,
             const std::vector<std::string>& notes = {}, std::size_t indent = 32);
  // Lines as they are.
  void verbatim(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  std::string painted(std::string_view text, const char* ink) const;

  HelpStyle style_;
  std::string text_;
};

}  // namespace lmpo
