// Dropped rows, each with its reason and counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

enum class DropReason {
  invalid_utf8,         // the row's bytes are not UTF-8
  empty_prompt,         // a conversation without a turn before the response
  empty_response,       // a response that is empty or only white space
  identical_responses,  // chosen and rejected are the same text: no preference
  single_response,      // a ranked row of fewer than two responses
  tied_scores,          // a ranked row in which two responses have the same score
  no_assistant_turn,    // an SFT conversation in which the assistant says nothing
  unstable_prompt,      // the prompt's tokens before its two responses differ by more than one
  truncated_response,   // truncation left no token of a response to score
  response_left_out,    // the chat template does not write a turn of a response
  prompt_in_response,   // the chat template mixes prompt and response
};
inline constexpr std::size_t kDropReasons = 11;

// As written in logs and in the output of `lmpo score`, for example "identical responses".
std::string_view name(DropReason reason);

struct Drop {
  std::int64_t row;  // index of the row in the data, counted from 0
  DropReason reason;
};

class DropCounts {
 public:
  void add(std::int64_t row, DropReason reason);

  // In the order they were added; for a dataset, by row.
  const std::vector<Drop>& drops() const { return drops_; }
  std::int64_t total() const { return static_cast<std::int64_t>(drops_.size()); }
  std::int64_t count(DropReason reason) const;
  // "3 dropped: empty response 2 (rows 5, 9), identical responses 1 (row 7)"; "none dropped".
  std::string summary() const;

 private:
  std::vector<Drop> drops_;
  std::array<std::int64_t, kDropReasons> counts_{};
};

}  // namespace lmpo
