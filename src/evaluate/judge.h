// Judgements that several tasks share. Thread-safe.
#pragma once

#include <span>
#include <vector>

#include "evaluate/task.h"

namespace lmpo {

// acc: the likeliest choice is the right one. acc_norm: the same by log-probability per character of
// the choice. Of equal ones the first counts.
std::vector<Judgement> judge_choices(const Document& document, const Asked& asked,
                                     std::span<const Reply> replies);

// The index of the largest; of equal ones the first.
std::size_t index_of_largest(std::span<const double> values);
// Characters of a text, as Python's len counts them.
std::int64_t characters(std::string_view text);

// word_perplexity, byte_perplexity and bits_per_byte of the whole text that was asked.
std::vector<Judgement> judge_text(const Document& document, const Asked& asked,
                                  std::span<const Reply> replies);

}  // namespace lmpo
