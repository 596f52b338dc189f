#include "serve/completion_request.h"

#include "serve/api_error.h"

namespace lmpo {
namespace {

GivenText read_prompt(const ordered_json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_array()) {
    return read_token_ids(value, "prompt");
  }
  refuse_field("prompt",
               "Invalid type for 'prompt': a string or a list of token ids was expected, "
               "not {}",
               kind_of(value));
}

// A string, a list of token ids, or a list of either.
std::vector<GivenText> read_prompts(Fields& fields) {
  const ordered_json* given = fields.find("prompt");
  if (given == nullptr) {
    refuse_field("prompt", "Missing required parameter: 'prompt'");
  }
  if (given->is_string() || is_token_list(*given)) {
    return {read_prompt(*given)};
  }
  if (!given->is_array() || given->empty()) {
    refuse_field("prompt",
                 "Invalid 'prompt': a string, a list of strings, a list of token ids or a list of "
                 "such lists was expected, not {}",
                 excerpt(*given));
  }
  std::vector<GivenText> prompts;
  for (const ordered_json& each : *given) {
    prompts.push_back(read_prompt(each));
  }
  return prompts;
}

}  // namespace

CompletionRequest read_completion_request(const ordered_json& body) {
  Fields fields(body);
  CompletionRequest request;
  request.model = fields.text("model").value_or("");
  request.settings = read_answer_settings(fields);
  request.prompts = read_prompts(fields);
  if (request.prompts.size() * static_cast<std::size_t>(request.settings.choices) >
      kMostSequences) {
    refuse_field("prompt", "{} prompts with n = {} are more than {} answers",
                 request.prompts.size(), request.settings.choices, kMostSequences);
  }
  request.echo = fields.truth("echo").value_or(false);
  request.top_logps = fields.whole("logprobs", 0, kMostTopLogps).value_or(-1);
  if (request.settings.max_tokens == 0 && !request.echo) {
    refuse_field("max_tokens",
                 "'max_tokens' is 0: nothing would be answered; with 'echo' it may be");
  }
  fields.require_default("suffix", "", "lmpo only continues a prompt");
  request.unknown_fields = fields.unread();
  return request;
}

}  // namespace lmpo
