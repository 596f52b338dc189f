#include "inspect/data_text.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/readable.h"

namespace lmpo {
namespace {

Ink ink_of(const Piece& piece) {
  if (piece.kind == PieceKind::cut) {
    return Ink::cut;
  }
  if (piece.kind == PieceKind::left_out) {
    return Ink::faint;
  }
  return piece.special ? Ink::special : piece.kind == PieceKind::scored ? Ink::scored : Ink::prompt;
}

// Neighbouring pieces of one kind share a margin with its name.
void print_pieces(std::span<const Piece> pieces, TerminalText& out) {
  for (std::size_t begin = 0; begin < pieces.size();) {
    const PieceKind kind = pieces[begin].kind;
    out.begin_content(fmt::format("{:<8} | ", name(kind)));
    for (; begin < pieces.size() && pieces[begin].kind == kind; ++begin) {
      const Piece& piece = pieces[begin];
      out.content(
          kind == PieceKind::left_out ? fmt::format("({} tokens)", piece.tokens) : piece.text,
          ink_of(piece));
    }
    out.end_content();
  }
}

// The number of pieces before the response.
std::size_t prompt_pieces(const ShownSequence& sequence) {
  const auto scored = std::ranges::find(sequence.pieces, PieceKind::scored, &Piece::kind);
  return static_cast<std::size_t>(scored - sequence.pieces.begin());
}

void print_row(const ShownRow& row, TerminalText& out) {
  out.heading(fmt::format("Row {} ({}){}", row.row, row.location,
                          row.sequences.empty() ? ""
                          : row.conversational  ? ", a conversation"
                                                : ", plain text"));
  if (row.dropped) {
    out.prose(fmt::format("dropped: {}", name(*row.dropped)), Ink::warning);
  }
  std::span<const Piece> last_prompt;
  for (const ShownSequence& sequence : row.sequences) {
    const std::span<const Piece> pieces = sequence.pieces;
    const std::size_t boundary = prompt_pieces(sequence);
    const std::span<const Piece> prompt = pieces.first(boundary);
    const bool same = std::ranges::equal(prompt, last_prompt);
    out.prose(
        fmt::format("{}: {} prompt + {} scored tokens{}{}", sequence.name, sequence.prompt_tokens,
                    sequence.scored_tokens,
                    sequence.cut_tokens > 0 ? fmt::format(", {} cut", sequence.cut_tokens) : "",
                    same ? ", after the same prompt" : ""));
    print_pieces(same ? pieces.subspan(boundary) : pieces, out);
    last_prompt = prompt;
  }
}

void print_histogram(const Histogram& bins, TerminalText& out) {
  const auto most = *std::ranges::max_element(bins.counts);
  std::size_t label_width = 0;
  for (std::size_t bin = 0; bin < bins.counts.size(); ++bin) {
    label_width = std::max(label_width, bins.label(bin).size());
  }
  const auto count_width = static_cast<int>(fmt::formatted_size("{}", most));
  for (std::size_t bin = 0; bin < bins.counts.size(); ++bin) {
    // The open bins at both ends are shown only if they hold something.
    if (bins.counts[bin] > 0 || (bin > 0 && bin + 1 < bins.counts.size())) {
      out.bar(bins.label(bin), static_cast<int>(label_width), bins.counts[bin], count_width,
              static_cast<double>(bins.counts[bin]) / static_cast<double>(most));
    }
  }
}

void print_lengths(const LengthSummary& lengths, TerminalText& out) {
  if (lengths.count == 0) {
    return;
  }
  out.prose(fmt::format("{}: mean {:.1f}, median {}, 90% at most {}, 99% at most {}, from {} to {}",
                        lengths.name, lengths.mean, lengths.median, lengths.p90, lengths.p99,
                        lengths.least, lengths.most));
  print_histogram(lengths.bins, out);
}

void print_rows_used(const DataReport& report, TerminalText& out) {
  out.heading("Rows");
  out.prose(fmt::format("{} kept ({}), {} dropped ({})", report.kept,
                        percent(report.kept, report.rows), report.rows - report.kept,
                        percent(report.rows - report.kept, report.rows)));
  for (const DropLine& line : report.drops) {
    const bool more = line.count > std::ssize(line.first_rows);
    out.prose(fmt::format("  {}: {} ({}), rows {}{}", name(line.reason), line.count,
                          percent(line.count, report.rows), fmt::join(line.first_rows, ", "),
                          more ? ", ..." : ""),
              Ink::plain, 4);
  }
  out.prose(
      fmt::format("{} kept rows are conversations, rendered by the chat template; {} are "
                  "plain text",
                  report.conversations, report.kept - report.conversations));
  out.prose(fmt::format("same tokens as an earlier row: {} ({}); same prompt: {} ({})",
                        report.duplicate_rows, percent(report.duplicate_rows, report.rows),
                        report.duplicate_prompts, percent(report.duplicate_prompts, report.rows)));
  out.heading(fmt::format("Truncation: {}", report.truncation));
  out.prose(fmt::format(
      "{} of the kept rows are truncated ({}): {} of {} prompt tokens, {} of {} response tokens",
      report.cut_rows, percent(report.cut_rows, report.kept), report.prompt_tokens_cut,
      report.prompt_tokens, report.response_tokens_cut, report.response_tokens));
}

void print_packs(const PackReport& packs, TerminalText& out) {
  out.heading(fmt::format("Packs of at most {} tokens and {} rows, global batch {}", packs.budget,
                          packs.micro_batch, packs.batch));
  out.prose(
      fmt::format("{} in {}, the minimum is {}; {:.2f}% of their room is empty, of which "
                  "better packing could save at most {:.2f}%",
                  counted(packs.packs, "pack"), counted(packs.batches, "batch", "es"), packs.fewest,
                  100 * packs.waste(), 100 * packs.avoidable()));
  if (packs.oversized > 0) {
    out.prose(
        fmt::format("{} of one row that exceeds the budget", counted(packs.oversized, "pack")));
  }
  out.prose(
      fmt::format("{} tokens are computed, {} ({}) fewer than with a prompt for each response",
                  packs.tokens, packs.separate_tokens - packs.tokens,
                  percent(packs.separate_tokens - packs.tokens, packs.separate_tokens)));
  print_lengths(packs.fill, out);
}

}  // namespace

void print(const DataReport& report, TerminalText& out) {
  out.prose(fmt::format("{}: {} {} row{}, as {} sees them", fmt::join(report.sources, ", "),
                        report.rows, report.row_kind, report.rows == 1 ? "" : "s", report.model),
            Ink::heading);
  for (const ShownRow& row : report.shown) {
    print_row(row, out);
  }
  print_rows_used(report, out);
  out.heading("Lengths in tokens, before truncation");
  for (const LengthSummary& lengths : report.lengths) {
    print_lengths(lengths, out);
  }
  if (report.pairs > 0) {
    out.prose(fmt::format("the better response is longer in {} of the pairs and equally long in {}",
                          percent(report.chosen_longer, report.pairs),
                          percent(report.same_length, report.pairs)));
  }
  if (report.packs) {
    print_packs(*report.packs, out);
  }
  out.warnings(report.warnings);
}

}  // namespace lmpo
