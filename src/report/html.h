// Parts of HTML pages. Every text may hold anything: nothing in it is markup, and what cannot be
// seen is named ("\x1b").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace lmpo {

std::string shown_text(std::string_view text, LineEnds line_ends = LineEnds::escape);

// Up to <body>, with the style that the program's pages share and `more_style` after it.
// The page may load nothing from anywhere: its content security policy says so.
std::string page_begin(std::string_view title, std::string_view more_style = "");

// <p>, one for each of the parts between empty lines.
std::string html_paragraphs(std::string_view text);

// The first column is aligned as names, the others as numbers.
std::string html_table(std::span<const std::string> head,
                       const std::vector<std::vector<std::string>>& rows);

// Strings of src/report/page/.
extern const char* const kPageStyle;
extern const char* const kReportStyle;
extern const char* const kReportScript;

}  // namespace lmpo
