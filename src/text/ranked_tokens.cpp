#include "text/ranked_tokens.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "text/base64.h"

namespace lmpo {
namespace {

// Far above any real vocabulary; keeps a file that lies from claiming all memory.
constexpr std::size_t greatest_rank = (1 << 20) - 1;
// All ways to cut a token in two are tried, so tokens are bounded; real ones have at most some
// hundred bytes.
constexpr std::size_t kLongestToken = 1024;

std::optional<std::size_t> parse_rank(std::string_view text) {
  std::size_t rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && rank <= greatest_rank ? std::optional(rank) : std::nullopt;
}

struct RankedLine {
  std::string bytes;
  std::size_t rank;
};

std::optional<RankedLine> parse_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  auto bytes = decode_base64(line.substr(0, space));
  const auto rank = parse_rank(line.substr(space + 1));
  return bytes && rank ? std::optional(RankedLine{std::move(*bytes), *rank}) : std::nullopt;
}

// Takes the first line off the text, without its end.
std::string_view take_line(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

void check_complete(const RankedTokens& tokens) {
  std::unordered_map<std::string_view, std::size_t> seen;
  std::bitset<256> single;
  for (std::size_t rank = 0; rank < tokens.bytes.size(); ++rank) {
    const std::string& bytes = tokens.bytes[rank];
    if (bytes.empty()) {
      user_error("{}: no token has the rank {}; the file is damaged or incomplete", tokens.where,
                 rank);
    }
    if (bytes.size() > kLongestToken) {
      user_error("{}: the token of rank {} has {} bytes; {} are the most", tokens.where, rank,
                 bytes.size(), kLongestToken);
    }
    if (const auto [first, added] = seen.emplace(bytes, rank); !added) {
      user_error("{}: the ranks {} and {} have the same token; the file is damaged", tokens.where,
                 first->second, rank);
    }
    if (bytes.size() == 1) {
      single.set(static_cast<unsigned char>(bytes[0]));
    }
  }
  if (!single.all()) {
    user_error("{}: {} of the 256 single bytes have no token; the file is damaged or incomplete",
               tokens.where, 256 - single.count());
  }
}

}  // namespace

bool has_ranked_lines(std::string_view content) {
  return parse_line(take_line(content)).has_value();
}

RankedTokens read_ranked_lines(std::string_view content, std::string_view source) {
  RankedTokens tokens{{}, std::string(source)};
  for (std::int64_t number = 1; !content.empty(); ++number) {
    const std::string_view line = take_line(content);
    if (line.empty()) {
      continue;
    }
    auto parsed = parse_line(line);
    if (!parsed) {
      user_error(
          "{}:{}: a token in base64, a space and its rank were expected; the file is damaged",
          source, number);
    }
    if (parsed->rank >= tokens.bytes.size()) {
      tokens.bytes.resize(parsed->rank + 1);
    }
    std::string& place = tokens.bytes[parsed->rank];
    if (!place.empty()) {
      user_error("{}:{}: the rank {} comes twice; the file is damaged", source, number,
                 parsed->rank);
    }
    place = std::move(parsed->bytes);
  }
  check_complete(tokens);
  return tokens;
}

RankedTokens read_ranked_list(const JsonPart& list, std::size_t count) {
  if (!list.value().is_array() || list.value().size() < count) {
    list.refuse("a list of {} tokens was expected; the file is damaged or incomplete", count);
  }
  RankedTokens tokens{{}, list.where()};
  tokens.bytes.reserve(count);
  for (std::size_t rank = 0; rank < count; ++rank) {
    const json& element = list.value()[rank];
    const std::string where = fmt::format("{}[{}]", list.where(), rank);
    if (required<std::int64_t>(element, "rank", where) != static_cast<std::int64_t>(rank)) {
      user_error("{}: key 'rank': {} was expected, its place in the list", where, rank);
    }
    auto bytes = decode_base64(required<std::string>(element, "token_bytes", where));
    if (!bytes) {
      user_error("{}: key 'token_bytes': base64 was expected", where);
    }
    tokens.bytes.push_back(std::move(*bytes));
  }
  check_complete(tokens);
  return tokens;
}

}  // namespace lmpo
