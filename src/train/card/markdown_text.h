// Text inside Markdown (CommonMark and GitHub's tables), whatever it contains.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

// Text that shows as it is: nothing in it becomes emphasis, a link, HTML or a line end. Control
// characters are shown as by printable().
std::string escape_markdown(std::string_view text);

// The text as code, in one line.
std::string code_span(std::string_view text);

// A table. Rows must be as long as the head. Cells are Markdown; bars in them are escaped.
std::string markdown_table(const std::vector<std::string>& head,
                           const std::vector<std::vector<std::string>>& rows);

// Lines of code. They must not contain a line of three backticks.
std::string code_block(std::string_view language, std::string_view lines);

}  // namespace lmpo
