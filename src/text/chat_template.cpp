#include "text/chat_template.h"

#include <iterator>

#include "base/error.h"

namespace lmpo {
namespace {

// The text under `chat_template`: one template, or the one named "default" of a list.
std::optional<std::string> template_text(const json& config, const std::string& source) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) {
    return std::nullopt;
  }
  if (found->is_string()) {
    return found->get<std::string>();
  }
  if (found->is_array()) {
    for (const json& each : *found) {
      if (each.is_object() && each.value("name", json()) == "default") {
        return required<std::string>(each, "template", source);
      }
    }
  }
  user_error(
      "{}: 'chat_template' is neither a string nor a list with a template named 'default'; put the "
      "template into chat_template.jinja beside it",
      source);
}

// As transformers 5's apply_chat_template does: a key of a message whose value is null counts as
// absent. Many templates would write "None".
void remove_nulls(ordered_json& message) {
  for (auto item = message.begin(); item != message.end();) {
    item = item->is_null() ? message.erase(item) : std::next(item);
  }
}

// A message's reasoning has three names. As transformers 5 does: the first of them that is there
// becomes `reasoning_content`, and `thinking` where that is missing.
ordered_json with_reasoning(const ordered_json& messages) {
  ordered_json result = messages;
  for (ordered_json& message : result) {
    if (!message.is_object()) {
      continue;
    }
    remove_nulls(message);
    for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
      if (!message.contains(name)) {
        continue;
      }
      ordered_json named = {{"thinking", message[name]}};
      named.update(message);
      named["reasoning_content"] = message[name];
      message = std::move(named);
      break;
    }
  }
  return result;
}

// All that a template reads.
ordered_json all_variables(const ordered_json& messages, bool add_generation_prompt,
                           const ordered_json& variables) {
  ordered_json all = variables;
  all["messages"] = with_reasoning(messages);
  all["add_generation_prompt"] = add_generation_prompt;
  for (const char* absent : {"tools", "documents"}) {  // given as None by transformers
    if (!all.contains(absent)) {
      all[absent] = nullptr;
    }
  }
  return all;
}

}  // namespace

struct ChatTemplate::Impl {
  std::string text;
  jinja::Template parsed;
  std::time_t date;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::optional<ChatTemplate> ChatTemplate::load(const fs::path& folder) {
  const fs::path file = folder / "chat_template.jinja";
  if (fs::exists(file)) {
    return parse(read_file(file), file.string());
  }
  const fs::path config = folder / "tokenizer_config.json";
  if (!fs::exists(config)) {
    return std::nullopt;
  }
  const auto text = template_text(read_json(config), config.string());
  if (!text) {
    return std::nullopt;
  }
  return parse(*text, config.string() + " (chat_template)");
}

ChatTemplate ChatTemplate::parse(std::string_view text, std::string_view source) {
  return ChatTemplate(std::make_unique<Impl>(
      Impl{std::string(text), jinja::Template::parse(text, source), std::time(nullptr)}));
}

std::string ChatTemplate::render(const ordered_json& messages, bool add_generation_prompt,
                                 const ordered_json& variables) const {
  return impl_->parsed.render(all_variables(messages, add_generation_prompt, variables),
                              impl_->date);
}

jinja::MarkedText ChatTemplate::render_marked(const ordered_json& messages,
                                              const ordered_json& variables) const {
  return impl_->parsed.render_marked(all_variables(messages, false, variables), impl_->date);
}

bool ChatTemplate::has_marks() const {
  return impl_->parsed.has_marks();
}

bool ChatTemplate::reads(std::string_view variable) const {
  return impl_->parsed.reads(variable);
}

bool ChatTemplate::writes_date() const {
  return impl_->text.find("strftime_now") != std::string::npos;
}

std::time_t ChatTemplate::date() const {
  return impl_->date;
}

void ChatTemplate::set_date(std::time_t date) {
  impl_->date = date;
}

const std::string& ChatTemplate::text() const {
  return impl_->text;
}

}  // namespace lmpo
