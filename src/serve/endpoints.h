// The endpoints: a request of a client, and its reply. Each throws ApiError for what it refuses.
// Thread-safe.
#pragma once

#include "serve/service.h"

namespace lmpo {

HttpReply answer_chat(Service& service, const HttpRequest& request);        // /v1/chat/completions
HttpReply answer_completion(Service& service, const HttpRequest& request);  // /v1/completions
HttpReply list_models(Service& service, const HttpRequest& request);        // /v1/models
HttpReply show_model(Service& service, const HttpRequest& request);         // /v1/models/ID
HttpReply show_page(Service& service, const HttpRequest& request);          // /
HttpReply show_health(Service& service, const HttpRequest& request);
HttpReply show_metrics(Service& service, const HttpRequest& request);
// As vLLM has them.
HttpReply tokenize_text(Service& service, const HttpRequest& request);
HttpReply detokenize_ids(Service& service, const HttpRequest& request);
HttpReply show_tokenizer(Service& service, const HttpRequest& request);

}  // namespace lmpo
