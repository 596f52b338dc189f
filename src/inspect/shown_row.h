// Rows as the model sees them: the text of their tokens, in pieces of one meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/dataset.h"

namespace lmpo {

enum class PieceKind {
  prompt,    // seen, not scored
  scored,    // the response, or what of it is scored
  cut,       // removed by truncation
  left_out,  // not shown, because it is too long
};
// "prompt", "scored", "cut", "left out".
const char* name(PieceKind kind);

// Tokens of one kind in a row. Special tokens (BOS, EOS, those of templates) are pieces of their own.
// `text` is what the tokens stand for, any UTF-8; empty for what is left out.
struct Piece {
  PieceKind kind;
  bool special = false;
  std::int64_t tokens = 0;
  std::string text;

  bool operator==(const Piece&) const = default;
};

struct ShownSequence {
  std::string name;  // "chosen"
  std::int64_t prompt_tokens = 0;
  std::int64_t scored_tokens = 0;
  std::int64_t cut_tokens = 0;
  std::vector<Piece> pieces;
};

struct ShownRow {
  std::int64_t row = 0;
  std::string location;
  bool conversational = false;
  std::optional<DropReason> dropped;
  std::vector<ShownSequence> sequences;  // empty if it was dropped before it had tokens
};

// Names of a row's responses: chosen and rejected; desirable or undesirable; rank 1, rank 2, ...;
// response.
std::vector<std::string> response_names(RowKind kind, std::size_t responses, bool desirable);

// Shows the beginning and the end of each prompt and response, about `most_tokens` tokens of each;
// 0: all.
ShownRow show_row(const RowSeen& seen, const Tokenizer& tokenizer, const DataOptions& options,
                  std::int64_t most_tokens);

ordered_json to_json(const ShownRow& row);

}  // namespace lmpo
