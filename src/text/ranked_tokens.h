// tiktoken's vocabularies: tokens are bytes; a token's rank is its place in the list and the
// priority of merges that make it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/json_part.h"

namespace lmpo {

struct RankedTokens {
  // By rank: none empty, no two the same, each of the 256 bytes among them.
  std::vector<std::string> bytes;
  // The file, for messages.
  std::string where;
};

// Whether the text begins as the lines of read_ranked_lines do.
bool has_ranked_lines(std::string_view content);
// Lines of "BASE64 RANK", in any order. Throws UserError with `source` and the line.
RankedTokens read_ranked_lines(std::string_view content, std::string_view source);
// The first `count` elements of a list of {"rank": its place, "token_bytes": "BASE64"}.
RankedTokens read_ranked_list(const JsonPart& list, std::size_t count);

}  // namespace lmpo
