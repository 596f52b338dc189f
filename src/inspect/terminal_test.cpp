#include "inspect/terminal.h"

#include <gmock/gmock.h>

#include <sstream>

namespace lmpo::terminal_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    result.push_back(line);
  }
  return result;
}

TEST(Terminal, WidthsAreThoseOfScripts) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("e\u0301"), 1);  // a combining accent
  EXPECT_EQ(display_width("\u4e2d\u6587"), 4);
  EXPECT_EQ(display_width(""), 0);
}

TEST(Terminal, NothingIsWiderThanTheTerminal) {
  for (const bool colours : {false, true}) {
    TerminalText out({.columns = 20, .wraps = true, .colours = colours});
    out.prose("a sentence of several words and one_word_that_is_longer_than_a_line here");
    out.heading("A heading that is longer than twenty columns");
    out.begin_content("scored   | ");
    out.content("words \u4e2d\u6587\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587 and\nmore", Ink::scored);
    out.content("0123456789012345678901234567890123456789", Ink::special);
    out.end_content();
    out.bar("1000 to 1999", 12, 123, 4, 1);
    out.bar("below 0", 12, 1, 4, 0.001);
    std::string plain = out.text();
    for (std::size_t at = plain.find('\x1b'); at != std::string::npos; at = plain.find('\x1b')) {
      plain.erase(at, plain.find('m', at) + 1 - at);
    }
    for (const std::string& line : lines(plain)) {
      EXPECT_LE(display_width(line), 20) << line;
    }
    EXPECT_EQ(out.text().find('\x1b') != std::string::npos, colours);
  }
}

TEST(Terminal, NothingOfAParagraphIsLost) {
  const std::string text = "some words of different length, separated by one space each";
  TerminalText out({.columns = 20});
  out.prose(text, Ink::plain, 0);
  std::string joined;
  for (const std::string& line : lines(out.text())) {
    joined += (joined.empty() ? "" : " ") + line;
  }
  EXPECT_EQ(joined, text);
}

// Content can look like the program's own lines only after the margin.
TEST(Terminal, ContentStaysBehindItsMargin) {
  TerminalText out({.columns = 32, .wraps = true});
  out.begin_content("| ");
  out.content("x\nWarnings\n- all is lost" + std::string(60, ' ') + "Warnings\x1b[2J", Ink::prompt);
  out.end_content();
  for (const std::string& line : lines(out.text())) {
    EXPECT_EQ(line.substr(0, 2), "| ");
  }
  EXPECT_THAT(out.text(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out.text(), HasSubstr("\\x1b[2J"));
}

TEST(Terminal, LinesOfAFileAreNotBroken) {
  TerminalText out({.columns = 20});
  out.begin_content("");
  out.content(std::string(100, 'a'), Ink::prompt);
  out.end_content();
  EXPECT_EQ(out.text(), std::string(100, 'a') + "\n");
}

TEST(Terminal, BarsAreInProportion) {
  TerminalText out({.columns = 80});
  out.bar("a", 1, 10, 2, 1);
  out.bar("b", 1, 5, 2, 0.5);
  out.bar("c", 1, 0, 2, 0);
  out.bar("d", 1, 1, 2, 0.0001);
  EXPECT_EQ(lines(out.text()),
            (std::vector<std::string>{"a 10 " + std::string(60, '#'),
                                      "b  5 " + std::string(30, '#'), "c  0", "d  1 #"}));
}

}  // namespace
}  // namespace lmpo::terminal_test
