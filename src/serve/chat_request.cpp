#include "serve/chat_request.h"

#include "base/error.h"
#include "serve/api_error.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

std::string text_of_part(const ordered_json& part, const std::string& path) {
  const ordered_json type = part.is_object() ? part.value("type", ordered_json()) : ordered_json();
  const auto text = part.is_object() ? part.find("text") : part.end();
  if (type == "text" && text != part.end() && text->is_string()) {
    return text->get<std::string>();
  }
  refuse_field(path,
               "Invalid '{}': only parts {{\"type\": \"text\", \"text\": ...}} are supported, "
               "since the model reads text alone; not {}",
               path,
               type.is_string() ? fmt::format("one of type {}", excerpt(type)) : excerpt(part));
}

// A text, parts of it joined, or null.
ordered_json read_content(const ordered_json& value, const std::string& path) {
  if (value.is_string() || value.is_null()) {
    return value;
  }
  if (!value.is_array()) {
    refuse_field(path, "Invalid type for '{}': a string or a list of parts was expected, not {}",
                 path, kind_of(value));
  }
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    text += text_of_part(value[i], fmt::format("{}[{}]", path, i));
  }
  return text;
}

// Templates write arguments as JSON themselves, so they want the object that OpenAI's clients send as
// a text. A text that is no object stays one.
void parse_arguments(ordered_json& call, const std::string& path) {
  if (!call.is_object() || !call.contains("function") || !call["function"].is_object() ||
      !call["function"].contains("name") || !call["function"]["name"].is_string()) {
    refuse_field(path,
                 "Invalid '{}': {{\"type\": \"function\", \"function\": {{\"name\": ..., "
                 "\"arguments\": ...}}}} was expected",
                 path);
  }
  const auto arguments = call["function"].find("arguments");
  if (arguments != call["function"].end() && arguments->is_string()) {
    try {
      *arguments = parse_body(arguments->get<std::string>());
    } catch (const ApiError&) {
      return;
    }
  }
}

ordered_json read_message(const ordered_json& given, const std::string& path) {
  if (!given.is_object()) {
    refuse_field(path, "Invalid type for '{}': an object was expected, not {}", path,
                 kind_of(given));
  }
  Fields fields(given, path);
  const auto role = fields.text("role");
  if (!role || role->empty()) {
    refuse_field(path + ".role", "Missing required parameter: '{}.role'", path);
  }
  const bool has_content = fields.find("content") != nullptr;
  const ordered_json* calls = fields.list("tool_calls");
  const bool has_calls = calls != nullptr && !calls->empty();
  fields.require_default("function_call", nullptr, "use 'tool_calls'");
  if (!has_content && !has_calls) {
    refuse_field(path + ".content", "Missing required parameter: '{}.content'", path);
  }
  ordered_json message = given;
  if (*role == "developer") {
    message["role"] = "system";
  }
  if (has_content) {
    message["content"] = read_content(given["content"], path + ".content");
  }
  if (calls != nullptr && !has_calls) {
    message.erase("tool_calls");
  }
  for (std::size_t i = 0; has_calls && i < calls->size(); ++i) {
    parse_arguments(message["tool_calls"][i], fmt::format("{}.tool_calls[{}]", path, i));
  }
  return message;
}

// Whether an answer may call a tool. What would force a call needs a grammar.
bool read_tool_choice(Fields& fields) {
  const ordered_json* choice = fields.find("tool_choice");
  if (choice == nullptr || *choice == "auto") {
    return true;
  }
  if (*choice == "none") {
    return false;
  }
  refuse_field("tool_choice", "'tool_choice' {} is not supported; only \"auto\" and \"none\" are",
               excerpt(*choice));
}

std::int64_t read_top_logps(Fields& fields) {
  const bool wanted = fields.truth("logprobs").value_or(false);
  const auto count = fields.whole("top_logprobs", 0, kMostTopLogps);
  if (count && !wanted) {
    refuse_field("top_logprobs", "'top_logprobs' needs 'logprobs' to be true");
  }
  return wanted ? count.value_or(0) : -1;
}

void refuse_unsupported_of_chat(Fields& fields) {
  fields.require_default("functions", nullptr, "use 'tools'");
  fields.require_default("function_call", nullptr, "use 'tool_choice'");
  fields.require_default("parallel_tool_calls", true);
  fields.require_default("audio", nullptr, "the model writes text");
  fields.require_default("modalities", ordered_json::array({"text"}), "the model writes text");
  fields.require_default("web_search_options", nullptr);
  fields.require_default("verbosity", "medium");
  fields.require_default("continue_final_message", false);
  fields.require_default("add_special_tokens", false);
  fields.require_default("documents", nullptr, "give them in 'chat_template_kwargs'");
  fields.require_default("chat_template", nullptr, "the model's own template is used");
  fields.require_default("echo", false);
  fields.ignore({"prediction"});
}

}  // namespace

ordered_json read_messages(Fields& fields) {
  const ordered_json* given = fields.list("messages");
  if (given == nullptr) {
    refuse_field("messages", "Missing required parameter: 'messages'");
  }
  if (given->empty()) {
    refuse_field("messages", "Invalid 'messages': the list is empty");
  }
  ordered_json messages = ordered_json::array();
  for (std::size_t i = 0; i < given->size(); ++i) {
    messages.push_back(read_message((*given)[i], fmt::format("messages[{}]", i)));
  }
  return messages;
}

ordered_json read_template_inputs(Fields& fields) {
  ordered_json inputs;
  const auto read = [&](const char* name, auto&& reader) -> ordered_json {
    const ordered_json* given = fields.find(name);
    try {
      return given == nullptr ? ordered_json() : reader(*given, fmt::format("Invalid '{}'", name));
    } catch (const UserError& error) {
      throw ApiError(400, error.what(), name);
    }
  };
  inputs = read("chat_template_kwargs", read_template_kwargs);
  ordered_json tools = read("tools", read_tools);
  if (!tools.is_null()) {
    inputs["tools"] = std::move(tools);
  }
  // A switch of some templates that OpenAI has as a field of its own.
  if (const auto effort = fields.text("reasoning_effort")) {
    inputs["reasoning_effort"] = *effort;
  }
  return inputs;
}

ChatRequest read_chat_request(const ordered_json& body) {
  Fields fields(body);
  ChatRequest request;
  request.model = fields.text("model").value_or("");
  request.settings = read_answer_settings(fields);
  request.messages = read_messages(fields);
  request.inputs = read_template_inputs(fields);
  request.calls_tools = request.inputs.is_object() && request.inputs.contains("tools");
  if (!read_tool_choice(fields) && request.calls_tools) {
    request.inputs.erase("tools");  // a model that does not see them calls none
    request.calls_tools = false;
  }
  request.add_generation_prompt = fields.truth("add_generation_prompt").value_or(true);
  request.top_logps = read_top_logps(fields);
  if (request.settings.max_tokens == 0) {
    refuse_field("max_tokens", "'max_tokens' is 0: nothing would be answered");
  }
  refuse_unsupported_of_chat(fields);
  request.unknown_fields = fields.unread();
  return request;
}

}  // namespace lmpo
