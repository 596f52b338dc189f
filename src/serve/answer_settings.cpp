#include "serve/answer_settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "serve/api_error.h"

namespace lmpo {
namespace {

constexpr std::int64_t kLargestId = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr double kHottest = 100;

template <typename T>
void set_if(T& to, const std::optional<T>& given) {
  to = given.value_or(to);
}

// {"1234": -100, ...}: a number added to the logit of each token.
std::vector<std::pair<std::int32_t, float>> read_logit_bias(Fields& fields) {
  std::vector<std::pair<std::int32_t, float>> biases;
  const ordered_json* given = fields.object("logit_bias");
  if (given == nullptr) {
    return biases;
  }
  for (const auto& [name, value] : given->items()) {
    std::int32_t id = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error != std::errc() || end != name.data() + name.size() || id < 0) {
      refuse_field("logit_bias", "Invalid key in 'logit_bias': '{}' is no token id",
                   name.substr(0, 40));
    }
    const bool in_range = value.is_number() && std::abs(value.get<double>()) <= 100;
    if (!in_range) {
      refuse_field("logit_bias",
                   "Invalid value for 'logit_bias': a number between -100 and 100 was expected for "
                   "token {}, not {}",
                   id, excerpt(value));
    }
    biases.emplace_back(id, value.get<float>());
  }
  return biases;
}

SamplingOptions read_sampling(Fields& fields) {
  SamplingOptions sampling;
  set_if(sampling.temperature, fields.number("temperature", 0, kHottest));
  set_if(sampling.top_p, fields.number("top_p", 0, 1));
  set_if(sampling.min_p, fields.number("min_p", 0, 1));
  set_if(sampling.typical_p, fields.number("typical_p", 0, 1));
  set_if(sampling.repetition_penalty, fields.number("repetition_penalty", 0.01, 100));
  set_if(sampling.presence_penalty, fields.number("presence_penalty", -2, 2));
  set_if(sampling.frequency_penalty, fields.number("frequency_penalty", -2, 2));
  // -1 is vLLM's word for all tokens.
  sampling.top_k = std::max<std::int64_t>(0, fields.whole("top_k", -1, kLargestId).value_or(0));
  sampling.logit_bias = read_logit_bias(fields);
  return sampling;
}

std::vector<std::string> read_stops(Fields& fields) {
  const ordered_json* given = fields.find("stop");
  if (given == nullptr) {
    return {};
  }
  if (!given->is_string() && !given->is_array()) {
    fields.wrong_type("stop", "a string or a list of strings", *given);
  }
  const ordered_json list = given->is_string() ? ordered_json::array({*given}) : *given;
  if (std::ssize(list) > kMostStops) {
    refuse_field("stop", "Invalid 'stop': a list of at most {} strings was expected, not of {}",
                 kMostStops, list.size());
  }
  std::vector<std::string> stops;
  for (const ordered_json& each : list) {
    if (!each.is_string()) {
      fields.wrong_type("stop", "a string or a list of strings", each);
    }
    stops.push_back(each.get<std::string>());
    if (stops.back().empty() || stops.back().size() > kLongestStop) {
      refuse_field("stop", "Invalid 'stop': each string has 1 to {} bytes, not {}", kLongestStop,
                   stops.back().size());
    }
  }
  return stops;
}

std::optional<std::uint64_t> read_seed(Fields& fields) {
  const auto seed = fields.whole("seed", std::numeric_limits<std::int64_t>::min(), kLargest);
  return seed ? std::optional(static_cast<std::uint64_t>(*seed)) : std::nullopt;
}

// Both names of one limit.
std::optional<std::int64_t> read_max_tokens(Fields& fields) {
  const auto older = fields.whole("max_tokens", 0, kLargest);
  const auto newer = fields.whole("max_completion_tokens", 0, kLargest);
  if (older && newer && *older != *newer) {
    refuse_field("max_tokens",
                 "'max_tokens' is {} and 'max_completion_tokens' {}: give one of them", *older,
                 *newer);
  }
  return newer ? newer : older;
}

void read_stream(Fields& fields, AnswerSettings& settings) {
  set_if(settings.stream, fields.truth("stream"));
  if (const ordered_json* given = fields.object("stream_options")) {
    if (!settings.stream) {
      refuse_field("stream_options", "'stream_options' is only for requests with 'stream'");
    }
    Fields options(*given, "stream_options");
    set_if(settings.include_usage, options.truth("include_usage"));
  }
}

// What would change the answers, and what only other servers do something for.
void refuse_unsupported(Fields& fields) {
  if (const ordered_json* format = fields.object("response_format")) {
    const ordered_json type = format->value("type", ordered_json());
    if (type != "text") {
      refuse_field("response_format",
                   "'response_format' {} is not supported; only {{\"type\": \"text\"}} is",
                   excerpt(type));
    }
  }
  for (const char* name : {"guided_json", "guided_regex", "guided_choice", "guided_grammar",
                           "structured_outputs", "grammar", "json_schema"}) {
    fields.require_default(name, nullptr, "answers cannot be bound to a grammar");
  }
  fields.require_default("min_tokens", 0);
  fields.require_default("use_beam_search", false);
  fields.require_default("length_penalty", 1.0);
  fields.require_default("skip_special_tokens", true);
  fields.require_default("spaces_between_special_tokens", true);
  fields.require_default("include_stop_str_in_output", false);
  fields.require_default("truncate_prompt_tokens", nullptr, "shorten the prompt");
  fields.require_default("prompt_logprobs", nullptr,
                         "use 'echo' and 'logprobs' of /v1/completions");
  fields.require_default("mirostat", 0);
  fields.require_default("lora_adapter", nullptr);
  fields.ignore({"user", "metadata", "store", "service_tier", "safety_identifier",
                 "prompt_cache_key", "prompt_cache_retention", "request_id", "priority"});
}

}  // namespace

bool is_token_list(const ordered_json& value) {
  return value.is_array() && !value.empty() &&
         std::ranges::all_of(value, [](const ordered_json& id) { return id.is_number_integer(); });
}

std::vector<std::int32_t> read_token_ids(const ordered_json& list, const std::string& path) {
  std::vector<std::int32_t> ids;
  ids.reserve(list.size());
  for (const ordered_json& each : list) {
    const bool is_id = each.is_number_unsigned() &&
                       each.get<std::uint64_t>() <= static_cast<std::uint64_t>(kLargestId);
    if (!is_id) {
      refuse_field(path, "Invalid value in '{}': a token id was expected, not {}", path,
                   excerpt(each));
    }
    ids.push_back(each.get<std::int32_t>());
  }
  return ids;
}

AnswerSettings read_answer_settings(Fields& fields) {
  AnswerSettings settings;
  settings.sampling = read_sampling(fields);
  settings.max_tokens = read_max_tokens(fields);
  set_if(settings.choices, fields.whole("n", 1, kMostChoices));
  settings.stop = read_stops(fields);
  if (const ordered_json* ids = fields.list("stop_token_ids")) {
    settings.stop_ids = read_token_ids(*ids, "stop_token_ids");
  }
  set_if(settings.ignore_eos, fields.truth("ignore_eos"));
  settings.seed = read_seed(fields);
  read_stream(fields, settings);
  const auto best_of = fields.whole("best_of", 1, kMostChoices);
  if (best_of && *best_of != settings.choices) {
    refuse_field("best_of", "'best_of' is not supported unless it equals 'n'");
  }
  refuse_unsupported(fields);
  return settings;
}

}  // namespace lmpo
