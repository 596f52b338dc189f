#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/markup.h"

namespace lmpo {

std::string shown_text(std::string_view text, LineEnds line_ends) {
  return escape_markup(printable(text, line_ends));
}

std::string page_begin(std::string_view title, std::string_view more_style) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{}</title>\n<style>{}{}</style></head>\n",
      shown_text(title), kPageStyle, more_style);
}

std::string html_paragraphs(std::string_view text) {
  std::string html;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part.find_first_not_of(" \n") != std::string_view::npos) {
      html += fmt::format("<p>{}</p>\n", shown_text(part, LineEnds::keep));
    }
    begin = end + 2;
  }
  return html;
}

std::string html_table(std::span<const std::string> head,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& title : head) {
    html += fmt::format("<th scope=\"col\">{}</th>", shown_text(title));
  }
  html += "</tr></thead>\n<tbody>";
  for (const auto& row : rows) {
    html += "<tr>";
    for (const std::string& cell : row) {
      html += fmt::format("<td>{}</td>", shown_text(cell));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace lmpo
