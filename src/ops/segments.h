// What attention asks of a pack's segments.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "tree/tree.h"

namespace lmpo {

// They lie end to end over all tokens, none is empty, and contexts come before what sees them.
inline void check_segments(std::span<const Pack::Segment> segments, std::int64_t tokens) {
  std::int32_t covered = 0;
  for (const Pack::Segment& segment : segments) {
    LMPO_CHECK(segment.begin == covered && segment.end > segment.begin &&
               segment.context_begin >= 0 && segment.context_begin <= segment.context_end &&
               segment.context_end <= segment.begin);
    covered = segment.end;
  }
  LMPO_CHECK(covered == tokens);
}

}  // namespace lmpo
