// Parts of HTML pages. All texts are data: markup in them is escaped and control characters are
// spelled out ("\x1b"). Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace lmpo {

std::string shown_text(std::string_view text, LineEnds line_ends = LineEnds::escape);

// Everything before <body>: the style that all pages share, `more_style`, and a content security
// policy that lets the page load nothing.
std::string page_begin(std::string_view title, std::string_view more_style = "");

// One <p> for each part between empty lines.
std::string html_paragraphs(std::string_view text);

// The first column is aligned as names, the others as numbers.
std::string html_table(std::span<const std::string> head,
                       const std::vector<std::vector<std::string>>& rows);

// Strings of src/report/page/.
extern const char* const kPageStyle;
extern const char* const kReportStyle;
extern const char* const kReportControls;  // above the charts
extern const char* const kRunTools;        // above the list of runs
extern const char* const kReportScript;

}  // namespace lmpo
