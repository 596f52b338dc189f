#include "serve/served_model.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"

namespace lmpo {
namespace {

[[noreturn]] void refuse_length(const std::string& field, const std::string& message) {
  throw ApiError(400, message, field, "context_length_exceeded");
}

void check_id(const ServedModel& model, std::int64_t id, const std::string& field) {
  if (id < 0 || id >= model.vocabulary) {
    refuse_field(field, "Invalid '{}': the model has no token {}; its vocabulary ends at {}", field,
                 id, model.vocabulary - 1);
  }
}

}  // namespace

std::vector<TokenId> chat_tokens(const ServedModel& model, const ordered_json& messages,
                                 bool add_generation_prompt, const ordered_json& inputs) {
  std::string text;
  try {
    text = model.text.render(messages, add_generation_prompt, "messages", inputs);
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "messages");
  }
  return model.text.tokenizer.encode(text, false);
}

void check_known(const ServedModel& model, std::span<const TokenId> ids, const std::string& field) {
  for (const TokenId id : ids) {
    check_id(model, id, field);
  }
}

void check_tokens(const ServedModel& model, std::span<const TokenId> prompt,
                  const std::string& field) {
  if (prompt.empty()) {
    refuse_field(field, "Invalid '{}': it is empty, and the tokenizer adds no token to start from",
                 field);
  }
  check_known(model, prompt, field);
  if (std::ssize(prompt) >= model.context) {
    refuse_length(field, fmt::format("This model's maximum context length is {} tokens. However, "
                                     "your {} resulted in {} tokens. Please reduce the length of "
                                     "the {}.",
                                     model.context, field, prompt.size(), field));
  }
}

std::int64_t answer_length(const ServedModel& model, std::size_t prompt_tokens,
                           const std::optional<std::int64_t>& asked, std::int64_t usual,
                           const std::string& field) {
  const std::int64_t prompt = static_cast<std::int64_t>(prompt_tokens);
  const std::int64_t room = model.context - prompt;
  if (asked && *asked > room) {
    refuse_length(field,
                  fmt::format("This model's maximum context length is {} tokens. However, you "
                              "requested {} in the {} and {} in the completion. Please reduce the "
                              "length of the {} or completion.",
                              model.context, prompt, field, *asked, field));
  }
  return std::min(asked.value_or(usual), room);
}

std::vector<EngineRequest> requests_of(const ServedModel& model, const AnswerSettings& settings,
                                       std::vector<TokenId> prompt, std::int64_t length,
                                       std::int64_t top_logps, std::uint64_t seed,
                                       std::uint64_t first_stream) {
  EngineRequest request = {
      .prompt = std::move(prompt),
      .sampling = settings.sampling,
      .max_new_tokens = length,
      .seed = seed,
      .stop_ids = settings.ignore_eos ? std::vector<std::int32_t>() : model.stop_ids,
      .top_logps = top_logps};
  request.stop_ids.insert(request.stop_ids.end(), settings.stop_ids.begin(),
                          settings.stop_ids.end());
  for (const auto& [id, bias] : settings.sampling.logit_bias) {
    check_id(model, id, "logit_bias");
  }
  std::vector<EngineRequest> requests;
  for (std::int64_t i = 0; i < settings.choices; ++i) {
    request.stream = first_stream + static_cast<std::uint64_t>(i);
    requests.push_back(request);
  }
  return requests;
}

}  // namespace lmpo
