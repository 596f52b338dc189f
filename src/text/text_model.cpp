#include "text/text_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "text/template_date.h"
#include "text/template_inputs.h"

namespace lmpo {

ordered_json template_variables(const Tokenizer& tokenizer) {
  ordered_json variables = ordered_json::object();
  const auto add = [&](const char* key, const std::string& token) {
    if (!token.empty()) {
      variables[key] = token;
    }
  };
  add("bos_token", tokenizer.bos_token());
  add("eos_token", tokenizer.eos_token());
  add("unk_token", tokenizer.unk_token());
  add("pad_token", tokenizer.pad_token());
  return variables;
}

TextModel TextModel::load(const fs::path& folder) {
  return {Tokenizer::load(folder), ChatTemplate::load(folder)};
}

void TextModel::set_inputs(ordered_json given) {
  inputs = std::move(given);
  if (!chat) {
    if (!inputs.is_null()) {
      log_warning("the model has no chat template, so tools and chat_template_kwargs are not used");
    }
    return;
  }
  if (const std::string unread = unread_inputs(*chat, inputs); !unread.empty()) {
    log_info("the chat template does not read these chat_template_kwargs: {}", unread);
  }
  if (inputs.is_object() && inputs.contains("tools") && !chat->reads("tools")) {
    log_warning("the chat template writes no tools, so the model does not see them");
  }
}

std::string TextModel::render(const ordered_json& messages, bool add_generation_prompt,
                              const std::string& place, const ordered_json& own_inputs) const {
  const auto is_message = [](const ordered_json& value) {
    return value.is_object() && value.contains("role") && value.at("role").is_string();
  };
  if (!messages.is_array() || messages.empty() || !std::ranges::all_of(messages, is_message)) {
    user_error("{}: a list of messages was expected, [{{\"role\": ..., \"content\": ...}}, ...]",
               place);
  }
  if (!chat) {
    user_error("{}: messages need a chat template, and the model folder has none", place);
  }
  try {
    ordered_json variables = template_variables(tokenizer);
    for (const ordered_json* more : {&inputs, &own_inputs}) {
      if (more->is_object()) {
        variables.update(*more);
      }
    }
    return chat->render(messages, add_generation_prompt, variables);
  } catch (const UserError& error) {
    user_error("{}: {}", place, error.what());
  }
}

const TextModel& LazyText::get() {
  if (!text_) {
    text_ = TextModel::load(options_.folder);
    if (options_.template_text) {
      text_->chat = ChatTemplate::parse(*options_.template_text, options_.template_source);
    }
    if (text_->chat && text_->chat->writes_date() && !options_.date.empty()) {
      text_->chat->set_date(time_of_date(options_.date));
      log_info("the chat template writes the date: {} for the whole run (template_date)",
               options_.date);
    }
  }
  return *text_;
}

}  // namespace lmpo
