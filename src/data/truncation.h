// Truncation of sequences that are too long. There are two dialects:
//
//   new (TRL 1.x), without max_prompt_length
//       A sequence keeps its first (keep_start, the default) or last (keep_end) max_length tokens.
//   old (TRL 0.9, SimPO, LMPO), with max_prompt_length
//       If the prompt and the row's longest response exceed max_length together, the prompt keeps
//       its last (keep_end, the default) or first max_prompt_length tokens. Then each response
//       keeps its first max_length - max_prompt_length tokens.
//       Rows that fit are left whole.
//
// The response is everything from the first scored token on, gaps included. Tokens after the last
// scored token that is left are removed, too.
//
// As in those programs, BOS is a token like any other and may be removed.
#pragma once

#include <string>
#include <vector>

#include "data/options.h"
#include "tree/tree.h"

namespace lmpo {

// Throws UserError for impossible lengths: max_length below 2; max_prompt_length below 1, not below
// max_length, or without max_length.
void check_truncation(const DataOptions& options);

// Truncates the sequences of one row; returns whether anything was removed. Afterwards scored_begin
// may be 0 (no prompt left) or the size (no response left). Requires checked options.
bool truncate(std::vector<Sequence>& sequences, const DataOptions& options);

// Makes gaps at the ends of what is scored valid again (see Sequence): one at the beginning becomes
// prompt, one at the end is removed. truncate() does so itself.
void trim_gaps(Sequence& sequence);

// For the log: "max_length 1024, keep_start"; "no truncation".
std::string truncation_text(const DataOptions& options);

}  // namespace lmpo
