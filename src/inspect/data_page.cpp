#include "inspect/data_page.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/utf8.h"
#include "report/chart.h"
#include "report/html.h"

namespace lmpo {
namespace {

constexpr const char* kStyle = R"(
:root { --scored: light-dark(#d3f0df, #17402b); --special: light-dark(#7a3e9d, #d2a8ff); }
.scored { background: var(--scored); } .special { color: var(--special); font-weight: 600; }
.cut { color: var(--bad); text-decoration: line-through; } .left { color: var(--faint); }
)";

std::string paragraph(std::string_view text) {
  return fmt::format("<p>{}</p>\n", shown_text(text));
}

const char* style_of(const Piece& piece) {
  switch (piece.kind) {
    case PieceKind::scored:
      return piece.special ? "scored special" : "scored";
    case PieceKind::cut:
      return "cut";
    case PieceKind::left_out:
      return "left";
    case PieceKind::prompt:
      break;
  }
  return piece.special ? "special" : "prompt";
}

std::string row_part(const ShownRow& row) {
  std::string html = fmt::format("<h3>Row {} <span class=\"note\">{}</span></h3>\n", row.row,
                                 shown_text(row.location));
  if (row.dropped) {
    html += paragraph(fmt::format("dropped: {}", name(*row.dropped)));
  }
  for (const ShownSequence& sequence : row.sequences) {
    html +=
        paragraph(fmt::format("{}: {} prompt + {} scored tokens, {} cut", sequence.name,
                              sequence.prompt_tokens, sequence.scored_tokens, sequence.cut_tokens));
    html += "<pre>";
    for (const Piece& piece : sequence.pieces) {
      const std::string text = piece.kind == PieceKind::left_out
                                   ? fmt::format(" ({} tokens) ", piece.tokens)
                                   : piece.text;
      html += fmt::format("<span class=\"{}\" title=\"{}, {} tokens\">{}</span>", style_of(piece),
                          name(piece.kind), piece.tokens, shown_text(text, LineEnds::keep));
    }
    html += "</pre>\n";
  }
  return html;
}

Series series_of(const LengthSummary& lengths) {
  const std::span<const std::int64_t> counts = lengths.bins.counts;
  // All but the open bins at both ends.
  return {lengths.name, outline(lengths.bins.edges, counts.subspan(1, counts.size() - 2))};
}

std::string beyond(const LengthSummary& lengths) {
  std::string text;
  for (const std::size_t bin : {std::size_t{0}, lengths.bins.counts.size() - 1}) {
    if (lengths.bins.counts[bin] > 0) {
      text += fmt::format("; {}: {}", lengths.bins.label(bin), lengths.bins.counts[bin]);
    }
  }
  return text;
}

// One chart each for prompts, responses, their differences and packs.
std::vector<Chart> charts_of(const DataReport& report) {
  std::vector<Chart> charts;
  Chart responses{"responses", "tokens", {}};
  for (const LengthSummary& lengths : report.lengths) {
    const bool response = &lengths != &report.lengths.front() &&
                          (report.pairs == 0 || &lengths != &report.lengths.back());
    if (response) {
      responses.series.push_back(series_of(lengths));
    } else {
      charts.push_back({lengths.name, "tokens" + beyond(lengths), {series_of(lengths)}});
    }
  }
  charts.insert(charts.begin() + (charts.empty() ? 0 : 1), responses);
  if (report.packs) {
    charts.push_back({"packs", "tokens of a pack", {series_of(report.packs->fill)}});
  }
  return charts;
}

std::string rows_part(const DataReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"kept", fmt::format("{}", report.kept), percent(report.kept, report.rows), ""}};
  for (const DropLine& line : report.drops) {
    rows.push_back({fmt::format("dropped: {}", name(line.reason)), fmt::format("{}", line.count),
                    percent(line.count, report.rows),
                    fmt::format("{}", fmt::join(line.first_rows, ", "))});
  }
  rows.push_back({"kept and truncated", fmt::format("{}", report.cut_rows),
                  percent(report.cut_rows, report.rows), ""});
  rows.push_back({"same tokens as an earlier row", fmt::format("{}", report.duplicate_rows),
                  percent(report.duplicate_rows, report.rows), ""});
  rows.push_back({"same prompt as an earlier row", fmt::format("{}", report.duplicate_prompts),
                  percent(report.duplicate_prompts, report.rows), ""});
  const std::string titles[] = {"rows", "number", "share", "first"};
  return html_table(titles, rows) +
         paragraph(
             fmt::format("Truncation: {}. {} of {} prompt tokens and {} of {} response tokens "
                         "are cut.",
                         report.truncation, report.prompt_tokens_cut, report.prompt_tokens,
                         report.response_tokens_cut, report.response_tokens));
}

std::string lengths_part(const DataReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const LengthSummary& s : report.lengths) {
    rows.push_back({s.name, fmt::format("{}", s.count), fmt::format("{:.1f}", s.mean),
                    fmt::format("{}", s.least), fmt::format("{}", s.median),
                    fmt::format("{}", s.p90), fmt::format("{}", s.p99), fmt::format("{}", s.most)});
  }
  const std::string titles[] = {"tokens", "rows", "mean", "least", "median", "90%", "99%", "most"};
  std::string html = html_table(titles, rows);
  if (report.pairs > 0) {
    html += paragraph(fmt::format(
        "The better response is longer in {} of the pairs and equally long in {}.",
        percent(report.chosen_longer, report.pairs), percent(report.same_length, report.pairs)));
  }
  return html + charts_svg(charts_of(report), 2, page_colours());
}

std::string packs_part(const PackReport& packs) {
  return paragraph(fmt::format(
      "{} packs of at most {} tokens in {} global batches of {} rows; the minimum is {} packs. "
      "{:.2f}% of their room is empty.",
      packs.packs, packs.budget, packs.batches, packs.batch, packs.fewest, 100 * packs.waste()));
}

}  // namespace

std::string data_page(const DataReport& report) {
  const std::string title = fmt::format("{} {} rows of {}", report.rows, report.row_kind,
                                        fmt::join(report.sources, ", "));
  std::string html =
      page_begin(title, kStyle) + fmt::format("<body>\n<h1>{}</h1>\n", shown_text(title));
  html +=
      paragraph(fmt::format("As the tokenizer and chat template of {} see them.", report.model));
  if (!report.warnings.empty()) {
    html += "<h2>Warnings</h2>\n<ul class=\"warnings\">\n";
    for (const std::string& warning : report.warnings) {
      html += fmt::format("<li>{}</li>\n", shown_text(warning));
    }
    html += "</ul>\n";
  }
  html += "<h2>Rows</h2>\n" + rows_part(report);
  html += "<h2>Lengths, before truncation</h2>\n" + lengths_part(report);
  if (report.packs) {
    html += "<h2>Packs</h2>\n" + packs_part(*report.packs);
  }
  html +=
      "<h2>As the model sees them</h2>\n<p class=\"note\">Scored: <span class=\"scored\">like "
      "this</span>; <span class=\"special\">special tokens</span>; <span class=\"cut\">cut by "
      "truncation</span>.</p>\n";
  for (const ShownRow& row : report.shown) {
    html += row_part(row);
  }
  return html + "</body></html>\n";
}

}  // namespace lmpo
