#include "inspect/shown_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "data/truncation.h"

namespace lmpo {
namespace {

// For each sequence the places of the tokens that truncation keeps: the rule itself, applied to
// places instead of tokens.
std::vector<Sequence> kept_places(const std::vector<Sequence>& whole, const DataOptions& options) {
  std::vector<Sequence> places;
  for (const Sequence& sequence : whole) {
    std::vector<std::int32_t> all(sequence.tokens.size());
    std::iota(all.begin(), all.end(), 0);
    places.push_back({std::move(all), sequence.scored_begin, sequence.gaps});
  }
  truncate(places, options);
  return places;
}

// Names the middle of [begin, end) as left out where there is more than may be shown.
void leave_out(std::vector<PieceKind>& kinds, std::size_t begin, std::size_t end,
               std::int64_t most_tokens) {
  const auto most = static_cast<std::size_t>(most_tokens);
  if (most_tokens > 0 && end - begin > most) {
    const std::size_t first = begin + (most + 1) / 2;
    std::fill(kinds.begin() + static_cast<std::ptrdiff_t>(first),
              kinds.begin() + static_cast<std::ptrdiff_t>(end - most / 2), PieceKind::left_out);
  }
}

bool is_special(const Tokenizer& tokenizer, TokenId id) {
  return tokenizer.decode({&id, 1}, true).empty() && !tokenizer.decode({&id, 1}, false).empty();
}

// Text of consecutive runs. Each is decoded together with the run before it, since a decoder may
// treat the beginning of a text differently, and characters may be spread over tokens.
class RunTexts {
 public:
  RunTexts(const Tokenizer& tokenizer, const Tokens& tokens)
      : tokenizer_(tokenizer), tokens_(tokens) {}

  // The next run begins at `begin`, with no text before it.
  void restart(std::size_t begin) { previous_ = begin_ = begin; }
  std::string next(std::size_t end) {
    const std::string before = decode(previous_, begin_);
    const std::string both = decode(previous_, end);
    const auto shared = static_cast<std::ptrdiff_t>(std::min(before.size(), both.size()));
    const auto parted = std::mismatch(before.begin(), before.begin() + shared, both.begin()).second;
    previous_ = begin_;
    begin_ = end;
    return {parted, both.end()};
  }

 private:
  std::string decode(std::size_t begin, std::size_t end) const {
    return tokenizer_.decode({tokens_.data() + begin, end - begin}, false);
  }

  const Tokenizer& tokenizer_;
  const Tokens& tokens_;
  std::size_t previous_ = 0;  // beginning of the run before
  std::size_t begin_ = 0;
};

std::vector<Piece> cut_pieces(const Tokens& tokens, const std::vector<PieceKind>& kinds,
                              const Tokenizer& tokenizer) {
  std::vector<Piece> pieces;
  RunTexts texts(tokenizer, tokens);
  for (std::size_t begin = 0; begin < kinds.size();) {
    const PieceKind kind = kinds[begin];
    const bool shown = kind != PieceKind::left_out;
    const bool special = shown && is_special(tokenizer, tokens[begin]);
    std::size_t end = begin + 1;
    while (end < kinds.size() && kinds[end] == kind && !special &&
           !(shown && is_special(tokenizer, tokens[end]))) {
      ++end;
    }
    Piece piece = {kind, special, static_cast<std::int64_t>(end - begin), ""};
    if (shown) {
      piece.text = texts.next(end);
    } else {
      texts.restart(end);
    }
    pieces.push_back(std::move(piece));
    begin = end;
  }
  return pieces;
}

// `places`: those of the kept tokens, with what of them is scored.
ShownSequence show_sequence(const Sequence& whole, const Sequence& places,
                            const Tokenizer& tokenizer, std::int64_t most_tokens) {
  std::vector<PieceKind> kinds(whole.tokens.size(), PieceKind::cut);
  for (const std::int32_t place : places.tokens) {
    kinds[static_cast<std::size_t>(place)] = PieceKind::prompt;
  }
  for (const TokenRun& run : places.scored_runs()) {
    for (std::int32_t i = run.begin; i < run.end; ++i) {
      kinds[static_cast<std::size_t>(places.tokens[static_cast<std::size_t>(i)])] =
          PieceKind::scored;
    }
  }
  ShownSequence shown;
  shown.prompt_tokens = std::ranges::count(kinds, PieceKind::prompt);
  shown.scored_tokens = std::ranges::count(kinds, PieceKind::scored);
  shown.cut_tokens = std::ranges::count(kinds, PieceKind::cut);
  const auto boundary =
      std::min(static_cast<std::size_t>(std::max(whole.scored_begin, 0)), kinds.size());
  leave_out(kinds, 0, boundary, most_tokens);
  leave_out(kinds, boundary, kinds.size(), most_tokens);
  shown.pieces = cut_pieces(whole.tokens, kinds, tokenizer);
  return shown;
}

}  // namespace

const char* name(PieceKind kind) {
  switch (kind) {
    case PieceKind::prompt:
      return "prompt";
    case PieceKind::scored:
      return "scored";
    case PieceKind::cut:
      return "cut";
    case PieceKind::left_out:
      return "left out";
  }
  return "";
}

std::vector<std::string> response_names(RowKind kind, std::size_t responses, bool desirable) {
  if (kind == RowKind::preference || (kind == RowKind::labelled && responses == 2)) {
    return {"chosen", "rejected"};
  }
  if (kind == RowKind::labelled) {
    return {desirable ? "desirable" : "undesirable"};
  }
  if (kind == RowKind::sft) {
    return {"response"};
  }
  std::vector<std::string> names;
  for (std::size_t rank = 1; rank <= responses; ++rank) {
    names.push_back(fmt::format("rank {}", rank));
  }
  return names;
}

ShownRow show_row(const RowSeen& seen, const Tokenizer& tokenizer, const DataOptions& options,
                  std::int64_t most_tokens) {
  ShownRow shown{.row = seen.row,
                 .location = seen.location,
                 .conversational = seen.conversational,
                 .dropped = seen.dropped,
                 .sequences = {}};
  std::vector<Sequence> places = kept_places(seen.whole, options);
  const auto names = response_names(options.kind, seen.whole.size(), seen.desirable);
  for (std::size_t i = 0; i < seen.whole.size(); ++i) {
    if (seen.tree != nullptr) {
      places[i].scored_begin = seen.tree->sequences[i].scored_begin;
      places[i].gaps = seen.tree->sequences[i].gaps;
    } else {
      places[i].scored_begin = std::max(places[i].scored_begin, 1);
      trim_gaps(places[i]);
    }
    shown.sequences.push_back(show_sequence(seen.whole[i], places[i], tokenizer, most_tokens));
    shown.sequences.back().name = names[i];
  }
  return shown;
}

ordered_json to_json(const ShownRow& row) {
  ordered_json sequences = ordered_json::array();
  for (const ShownSequence& sequence : row.sequences) {
    ordered_json pieces = ordered_json::array();
    for (const Piece& piece : sequence.pieces) {
      pieces.push_back({{"kind", name(piece.kind)},
                        {"special", piece.special},
                        {"tokens", piece.tokens},
                        {"text", piece.text}});
    }
    sequences.push_back({{"name", sequence.name},
                         {"prompt_tokens", sequence.prompt_tokens},
                         {"scored_tokens", sequence.scored_tokens},
                         {"cut_tokens", sequence.cut_tokens},
                         {"pieces", std::move(pieces)}});
  }
  return {{"row", row.row},
          {"location", row.location},
          {"conversation", row.conversational},
          {"dropped", row.dropped ? ordered_json(name(*row.dropped)) : ordered_json()},
          {"sequences", std::move(sequences)}};
}

}  // namespace lmpo
