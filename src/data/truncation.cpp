#include "data/truncation.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {
namespace {

std::int64_t size(const Sequence& sequence) {
  return static_cast<std::int64_t>(sequence.tokens.size());
}

std::int64_t response_size(const Sequence& sequence) {
  return size(sequence) - sequence.scored_begin;
}

// Removes tokens [begin, end) and moves the boundary and the gaps with them.
void remove(Sequence& sequence, std::int64_t begin, std::int64_t end) {
  sequence.tokens =
      sequence.tokens.without(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
  const auto move = [&](std::int32_t& place) {
    place -= static_cast<std::int32_t>(std::clamp<std::int64_t>(place, begin, end) - begin);
  };
  move(sequence.scored_begin);
  for (TokenRun& gap : sequence.gaps) {
    move(gap.begin);
    move(gap.end);
  }
  std::erase_if(sequence.gaps, [](const TokenRun& gap) { return gap.size() == 0; });
}

bool truncate_new(Sequence& sequence, std::int64_t max_length, TruncationMode mode) {
  const std::int64_t excess = size(sequence) - max_length;
  if (excess <= 0) {
    return false;
  }
  if (mode == TruncationMode::keep_end) {
    remove(sequence, 0, excess);
  } else {
    remove(sequence, max_length, max_length + excess);
  }
  return true;
}

bool truncate_old(Sequence& sequence, std::int64_t longest_response, const DataOptions& options) {
  const std::int64_t max_length = *options.max_length;
  const std::int64_t max_prompt = *options.max_prompt_length;
  if (sequence.scored_begin + longest_response <= max_length) {
    return false;
  }
  const std::int64_t before = size(sequence);
  if (sequence.scored_begin > max_prompt) {
    if (options.truncation_mode.value_or(TruncationMode::keep_end) == TruncationMode::keep_end) {
      remove(sequence, 0, sequence.scored_begin - max_prompt);
    } else {
      remove(sequence, max_prompt, sequence.scored_begin);
    }
  }
  const std::int64_t most = sequence.scored_begin + (max_length - max_prompt);
  if (size(sequence) > most) {
    remove(sequence, most, size(sequence));
  }
  return size(sequence) < before;
}

}  // namespace

void check_truncation(const DataOptions& options) {
  if (options.max_length && *options.max_length < 2) {
    user_error("max_length is {}: at least 2 was expected", *options.max_length);
  }
  if (!options.max_prompt_length) {
    return;
  }
  if (!options.max_length) {
    user_error("max_prompt_length needs max_length: responses are cut to their difference");
  }
  if (*options.max_prompt_length < 1 || *options.max_prompt_length >= *options.max_length) {
    user_error(
        "max_prompt_length is {}: at least 1 and less than max_length ({}) was expected, as "
        "responses are cut to the difference",
        *options.max_prompt_length, *options.max_length);
  }
}

void trim_gaps(Sequence& sequence) {
  std::vector<TokenRun>& gaps = sequence.gaps;
  if (!gaps.empty() && gaps.front().begin <= sequence.scored_begin) {
    sequence.scored_begin = gaps.front().end;
    gaps.erase(gaps.begin());
  }
  if (!gaps.empty() && gaps.back().end == size(sequence)) {
    remove(sequence, gaps.back().begin, gaps.back().end);
  }
}

bool truncate(std::vector<Sequence>& sequences, const DataOptions& options) {
  if (!options.max_length) {
    return false;
  }
  std::int64_t longest_response = 0;
  for (const Sequence& sequence : sequences) {
    longest_response = std::max(longest_response, response_size(sequence));
  }
  bool cut = false;
  for (Sequence& sequence : sequences) {
    cut |= options.max_prompt_length
               ? truncate_old(sequence, longest_response, options)
               : truncate_new(sequence, *options.max_length,
                              options.truncation_mode.value_or(TruncationMode::keep_start));
    trim_gaps(sequence);
  }
  return cut;
}

std::string truncation_text(const DataOptions& options) {
  if (!options.max_length) {
    return "no truncation";
  }
  const bool old = options.max_prompt_length.has_value();
  const auto mode =
      options.truncation_mode.value_or(old ? TruncationMode::keep_end : TruncationMode::keep_start);
  const char* mode_name = mode == TruncationMode::keep_end ? "keep_end" : "keep_start";
  if (old) {
    return fmt::format("max_length {}, max_prompt_length {}, {} on the prompt", *options.max_length,
                       *options.max_prompt_length, mode_name);
  }
  return fmt::format("max_length {}, {}", *options.max_length, mode_name);
}

}  // namespace lmpo
