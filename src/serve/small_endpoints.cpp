// Endpoints that need no answer of a model: the page, models, health, metrics, tokens.
#include "serve/api_error.h"
#include "serve/chat_request.h"
#include "serve/endpoints.h"
#include "serve/responses.h"
#include "serve/talk_page.h"

namespace lmpo {
namespace {

constexpr std::string_view kModelPath = "/v1/models/";

ordered_json json_of_model(const ServedModel& model) {
  return model_json(model.id, model.created, model.context);
}

ordered_json name_or_null(const std::string& token) {
  return token.empty() ? ordered_json() : ordered_json(token);
}

}  // namespace

HttpReply list_models(Service& service, const HttpRequest&) {
  ordered_json data = ordered_json::array();
  for (const ServedModel& model : service.models) {
    data.push_back(json_of_model(model));
  }
  return {.body = json_line({{"object", "list"}, {"data", std::move(data)}})};
}

HttpReply show_model(Service& service, const HttpRequest& request) {
  const std::string id = request.path.substr(kModelPath.size());
  return {.body = json_line(json_of_model(service.models[service.find_model(id)]))};
}

HttpReply show_page(Service&, const HttpRequest&) {
  return {.type = "text/html; charset=utf-8", .body = kTalkPage};
}

HttpReply show_health(Service& service, const HttpRequest&) {
  const bool well = service.worker.failure().empty();
  return {.status = well ? 200 : 503, .body = json_line({{"status", well ? "ok" : "failed"}})};
}

HttpReply show_metrics(Service& service, const HttpRequest&) {
  std::vector<EngineReport> engines;
  for (std::size_t i = 0; i < service.models.size(); ++i) {
    engines.push_back({service.models[i].id, service.worker.statistics(i)});
  }
  return {.type = "text/plain; version=0.0.4", .body = service.metrics.text(engines)};
}

HttpReply tokenize_text(Service& service, const HttpRequest& request) {
  const ordered_json body = parse_body(request.body);
  Fields fields(body);
  const ServedModel& model = service.models[service.find_model(fields.text("model").value_or(""))];
  const auto prompt = fields.text("prompt");
  std::vector<TokenId> tokens;
  if (prompt) {
    const bool special = fields.truth("add_special_tokens").value_or(true);
    tokens = model.text.tokenizer.encode(*prompt, special);
  } else if (fields.find("messages") != nullptr) {
    const bool generation = fields.truth("add_generation_prompt").value_or(true);
    const ordered_json messages = read_messages(fields);
    tokens = chat_tokens(model, messages, generation, read_template_inputs(fields));
  } else {
    refuse_field("prompt", "Missing required parameter: 'prompt' or 'messages'");
  }
  service.note_unknown(fields.unread());
  return {.body = json_line(
              {{"count", tokens.size()}, {"max_model_len", model.context}, {"tokens", tokens}})};
}

HttpReply detokenize_ids(Service& service, const HttpRequest& request) {
  const ordered_json body = parse_body(request.body);
  Fields fields(body);
  const ServedModel& model = service.models[service.find_model(fields.text("model").value_or(""))];
  const ordered_json* tokens = fields.list("tokens");
  if (tokens == nullptr) {
    refuse_field("tokens", "Missing required parameter: 'tokens'");
  }
  const std::vector<TokenId> ids = read_token_ids(*tokens, "tokens");
  check_known(model, ids, "tokens");
  service.note_unknown(fields.unread());
  return {.body = json_line({{"prompt", model.text.tokenizer.decode(ids, false)}})};
}

HttpReply show_tokenizer(Service& service, const HttpRequest&) {
  const TextModel& text = service.models.front().text;
  return {.body = json_line(
              {{"model", service.models.front().id},
               {"bos_token", name_or_null(text.tokenizer.bos_token())},
               {"eos_token", name_or_null(text.tokenizer.eos_token())},
               {"unk_token", name_or_null(text.tokenizer.unk_token())},
               {"pad_token", name_or_null(text.tokenizer.pad_token())},
               {"chat_template", text.chat ? ordered_json(text.chat->text()) : ordered_json()}})};
}

}  // namespace lmpo
