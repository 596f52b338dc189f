// Cutting what is too long. Two dialects, told apart by max_prompt_length:
//
//   new (TRL 1.x), without max_prompt_length: each sequence keeps its first (keep_start, the
//   default)
//       or last (keep_end) max_length tokens.
//   old (TRL 0.9, SimPO, LMPO), with it: where prompt + longest response of the row exceed
//   max_length,
//       the prompt keeps its last (keep_end, the default) or first max_prompt_length tokens; where
//       that is still too long, each response keeps its first max_length - max_prompt_length.
//
// BOS is a token like any other here and may be cut, as it is there.
#pragma once

#include <string>
#include <vector>

#include "data/options.h"
#include "tree/tree.h"

namespace lmpo {

// Throws UserError for lengths that leave no room: max_length below 2, max_prompt_length below 1,
// not smaller than max_length, or without it.
void check_truncation(const DataOptions& options);

// Cuts the sequences of one row and says whether anything was cut. Afterwards scored_begin may be 0
// (no prompt left) or the size (no response left). Requires checked options.
bool truncate(std::vector<Sequence>& sequences, const DataOptions& options);

// For people: "max_length 1024, keep_start"; "no truncation".
std::string truncation_text(const DataOptions& options);

}  // namespace lmpo
