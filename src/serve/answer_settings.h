// What a request for a chat and one for a plain completion ask of the answers alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "generate/sampling.h"
#include "serve/fields.h"

namespace lmpo {

struct AnswerSettings {
  SamplingOptions sampling = {};  // by default OpenAI's: temperature 1
  std::optional<std::int64_t> max_tokens = {};
  std::int64_t choices = 1;                     // n, answers to a prompt
  std::vector<std::string> stop = {};           // texts that an answer ends before
  std::vector<std::int32_t> stop_ids = {};      // besides the model's
  bool ignore_eos = false;                      // the model's do not end an answer
  std::vector<std::int32_t> shown_tokens = {};  // special ones that stay in the text
  std::optional<std::uint64_t> seed = {};       // none: another one each time
  bool stream = false;
  bool include_usage = false;  // in the last event of a stream
};

// Limits of fields that no model sets.
inline constexpr std::int64_t kMostChoices = 128;
inline constexpr std::int64_t kMostStops = 16;
inline constexpr std::size_t kLongestStop = 1000;  // bytes
inline constexpr std::int64_t kMostTopLogps = 20;

// ApiError for a field of wrong type or range, and for one that would change the answers and is not
// supported.
AnswerSettings read_answer_settings(Fields& fields);

// Of a list of token ids. `path` names it in errors.
std::vector<std::int32_t> read_token_ids(const ordered_json& list, const std::string& path);
bool is_token_list(const ordered_json& value);

}  // namespace lmpo
