#include "serve/responses.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>

#include "serve/token_bytes.h"

namespace lmpo {
namespace {

constexpr double kLeastLogp = -9999;  // JSON has no infinity

ordered_json logp_json(double logp) {
  return std::isnan(logp) ? ordered_json() : ordered_json(std::max(logp, kLeastLogp));
}

ordered_json text_of(const char* text) {
  return text == nullptr ? ordered_json() : ordered_json(text);
}

std::string random_letters(std::size_t count) {
  constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  thread_local std::random_device device;
  std::uniform_int_distribution<std::size_t> any(0, kLetters.size() - 1);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += kLetters[any(device)];
  }
  return text;
}

// Mistral's template takes ids of nine letters and digits, and others take any.
ordered_json call_json(const ToolCall& call) {
  return {{"id", random_letters(9)},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

ordered_json likely_json(const std::string& bytes, double logp) {
  ordered_json list = ordered_json::array();
  for (const char byte : bytes) {
    list.push_back(static_cast<unsigned char>(byte));
  }
  return {{"token", token_text(bytes)}, {"logprob", logp_json(logp)}, {"bytes", std::move(list)}};
}

ordered_json head_json(const ResponseHead& head, const char* object) {
  return {{"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
}

}  // namespace

std::string server_event(const ordered_json& value) {
  return "data: " + json_line(value) + "\n\n";
}

ResponseHead::ResponseHead(const char* prefix, std::string model_id)
    : id(prefix + random_letters(24)),
      created(static_cast<std::int64_t>(std::time(nullptr))),
      model(std::move(model_id)) {}

ordered_json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.new_tokens},
          {"total_tokens", usage.prompt_tokens + usage.new_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.reused_tokens}}}};
}

ordered_json chat_message(const std::string& content, const std::vector<ToolCall>& calls) {
  ordered_json message = {{"role", "assistant"}, {"content", content}, {"refusal", nullptr}};
  if (!calls.empty()) {
    if (content.empty()) {
      message["content"] = nullptr;
    }
    for (const ToolCall& call : calls) {
      message["tool_calls"].push_back(call_json(call));
    }
  }
  return message;
}

ordered_json chat_choice(std::size_t index, ordered_json message, ordered_json logprobs,
                         const char* finish_reason) {
  return {{"index", index},
          {"message", std::move(message)},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", text_of(finish_reason)}};
}

ordered_json chat_response(const ResponseHead& head, ordered_json choices, const Usage& usage) {
  ordered_json response = head_json(head, "chat.completion");
  response["choices"] = std::move(choices);
  response["usage"] = usage_json(usage);
  return response;
}

ordered_json chat_delta(const std::string& content) {
  return {{"content", content}};
}

ordered_json chat_delta(const std::vector<ToolCall>& calls) {
  ordered_json list = ordered_json::array();
  for (const ToolCall& call : calls) {
    ordered_json each = {{"index", list.size()}};
    each.update(call_json(call));
    list.push_back(std::move(each));
  }
  return {{"tool_calls", std::move(list)}};
}

ordered_json chat_chunk(const ResponseHead& head, std::size_t index, ordered_json delta,
                        ordered_json logprobs, const char* finish_reason) {
  ordered_json chunk = head_json(head, kChatChunk);
  ordered_json choice = {{"index", index},
                         {"delta", std::move(delta)},
                         {"logprobs", std::move(logprobs)},
                         {"finish_reason", text_of(finish_reason)}};
  chunk["choices"] = ordered_json::array({std::move(choice)});
  return chunk;
}

ordered_json chat_logprobs(const std::vector<TokenReport>& reports) {
  ordered_json content = ordered_json::array();
  for (const TokenReport& report : reports) {
    ordered_json each = likely_json(report.bytes, report.logp);
    each["top_logprobs"] = ordered_json::array();
    for (const LikelyToken& token : report.top) {
      each["top_logprobs"].push_back(likely_json(token.bytes, token.logp));
    }
    content.push_back(std::move(each));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

ordered_json completion_choice(std::size_t index, const std::string& text, ordered_json logprobs,
                               const char* finish_reason) {
  return {{"text", text},
          {"index", index},
          {"logprobs", std::move(logprobs)},
          {"finish_reason", text_of(finish_reason)}};
}

ordered_json completion_response(const ResponseHead& head, ordered_json choices) {
  ordered_json response = head_json(head, kCompletion);
  response["choices"] = std::move(choices);
  return response;
}

ordered_json completion_logprobs(const std::vector<TokenReport>& reports) {
  ordered_json tokens = ordered_json::array();
  ordered_json logps = ordered_json::array();
  ordered_json tops = ordered_json::array();
  ordered_json offsets = ordered_json::array();
  for (const TokenReport& report : reports) {
    const std::string name = token_text(report.bytes);
    tokens.push_back(name);
    logps.push_back(logp_json(report.logp));
    offsets.push_back(report.offset);
    if (std::isnan(report.logp)) {
      tops.push_back(nullptr);
      continue;
    }
    ordered_json top = ordered_json::object();
    // Of tokens with the same text, the likeliest comes first and stays. The chosen one is there even
    // where it is not among the likeliest.
    for (const LikelyToken& token : report.top) {
      top.emplace(token_text(token.bytes), logp_json(token.logp));
    }
    top.emplace(name, logp_json(report.logp));
    tops.push_back(std::move(top));
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(logps)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

ordered_json usage_chunk(const ResponseHead& head, const char* object, const Usage& usage) {
  ordered_json chunk = head_json(head, object);
  chunk["choices"] = ordered_json::array();
  chunk["usage"] = usage_json(usage);
  return chunk;
}

ordered_json model_json(const std::string& id, std::int64_t created, std::int64_t context) {
  return {{"id", id},
          {"object", "model"},
          {"created", created},
          {"owned_by", "lmpo"},
          {"max_model_len", context}};
}

}  // namespace lmpo
