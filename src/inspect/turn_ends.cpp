#include "inspect/turn_ends.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "inspect/data_report.h"

namespace lmpo {
namespace {

bool is_blank(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    if (!is_white_space(first_code_point(text.substr(at)))) {
      return false;
    }
  }
  return true;
}

}  // namespace

// White space may follow the token that ends the turn.
TurnEnds::Ending TurnEnds::ending_of(const Sequence& sequence, std::string& token) const {
  for (std::size_t i = sequence.tokens.size();
       i > static_cast<std::size_t>(std::max(sequence.scored_begin, 0)); --i) {
    const TokenId id = sequence.tokens[i - 1];
    if (std::ranges::count(stop_ids_, id) > 0) {
      return Ending::stop;
    }
    const std::string text = tokenizer_.decode({&id, 1}, false);
    if (!text.empty() && tokenizer_.decode({&id, 1}, true).empty()) {
      token = text;
      return Ending::other_special;
    }
    if (!is_blank(replace_invalid_utf8(text))) {
      break;
    }
  }
  return Ending::none;
}

void TurnEnds::add(std::int64_t row, std::span<const Sequence> sequences) {
  const auto bos = tokenizer_.bos_id();
  for (const Sequence& sequence : sequences) {
    ++sequences_;
    std::string token;
    const Ending ending = ending_of(sequence, token);
    if (ending == Ending::none) {
      first_without_end_ = without_end_++ == 0 ? row : first_without_end_;
    } else if (ending == Ending::other_special) {
      ++other_ends_[token];
    }
    if (bos && sequence.tokens.size() > 1 && sequence.tokens[0] == *bos &&
        sequence.tokens[1] == *bos) {
      first_doubled_bos_ = doubled_bos_++ == 0 ? row : first_doubled_bos_;
    }
  }
}

std::vector<Advice> TurnEnds::advice() const {
  std::vector<Advice> all;
  if (without_end_ > 0) {
    all.push_back(
        {"turn_without_end",
         fmt::format("{} of {} responses ({}) do not end in an end-of-turn token (first: row {}), "
                     "so the model does not learn to stop",
                     without_end_, sequences_, percent(without_end_, sequences_),
                     first_without_end_),
         "make the chat template write one after the assistant's turn"});
  }
  for (const auto& [token, count] : other_ends_) {
    all.push_back({"turn_end_not_a_stop",
                   fmt::format("{} of {} responses end in {}, but generation does not stop at it",
                               count, sequences_, token),
                   "add it to eos_token_id in generation_config.json or config.json"});
  }
  if (doubled_bos_ > 0) {
    all.push_back(
        {"bos_doubled",
         fmt::format("{} of {} sequences begin with two BOS tokens (first: row {}): the "
                     "template writes {}, and the data or the template writes it again",
                     doubled_bos_, sequences_, first_doubled_bos_, tokenizer_.bos_token()),
         "remove one of the two"});
  }
  return all;
}

}  // namespace lmpo
