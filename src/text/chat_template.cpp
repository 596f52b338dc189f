#include "text/chat_template.h"

#include "base/error.h"
#include "jinja/template.h"

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

}  // namespace

struct ChatTemplate::Impl {
  std::string text;
  jinja::Template parsed;
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
  return ChatTemplate(
      std::make_unique<Impl>(Impl{std::string(text), jinja::Template::parse(text, source)}));
}

std::string ChatTemplate::render(const ordered_json& messages, bool add_generation_prompt,
                                 const ordered_json& variables) const {
  ordered_json all = variables;
  all["messages"] = messages;
  all["add_generation_prompt"] = add_generation_prompt;
  for (const char* absent : {"tools", "documents"}) {  // given as None by transformers
    if (!all.contains(absent)) {
      all[absent] = nullptr;
    }
  }
  return impl_->parsed.render(all);
}

const std::string& ChatTemplate::text() const {
  return impl_->text;
}

}  // namespace lmpo
