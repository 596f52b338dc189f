#include "generate/chat_partner.h"

#include "base/folder_name.h"
#include "base/readable.h"
#include "model/config.h"
#include "model/model_folder.h"

namespace lmpo {

ChatPartner::ChatPartner(const fs::path& folder, std::shared_ptr<Device> device,
                         std::int64_t context, const LoadedModelOptions& options,
                         ordered_json inputs)
    : name_(folder_name(folder)),
      folder_(folder),
      text_(TextModel::load(folder)),
      model_(folder, std::move(device), context, options) {
  if (!text_.chat) {
    user_error(
        "{}: the model has no chat template, so it cannot chat; lmpo generate continues plain "
        "text",
        folder.string());
  }
  text_.set_inputs(std::move(inputs));
  check_tokenizer_fits(model_.config(), text_.tokenizer.id_limit(), folder);
}

void ChatPartner::begin(const std::string& user, const AnswerOptions& options,
                        const std::function<bool()>& interrupted) {
  conversation_.add_user(user);
  try {
    const std::string rendered = text_.render(conversation_.messages(), true, name_);
    const std::vector<TokenId> prompt = text_.tokenizer.encode(rendered, false);
    if (std::ssize(prompt) >= model_.context()) {
      throw ContextFull(fmt::format(
          "{}: the conversation has {} tokens; the context of {} leaves no room for an answer",
          name_, prompt.size(), model_.context()));
    }
    answer_.clear();
    ended_ = false;
    stream_.reset();
    if (model_.start(prompt, options, interrupted)) {
      stream_.emplace(text_.tokenizer);
    }
  } catch (const UserError&) {
    conversation_.undo();
    throw;
  }
}

std::optional<std::string> ChatPartner::more() {
  if (!stream_) {
    return std::nullopt;
  }
  const std::optional<TokenId> token = model_.next();
  std::string text = token ? stream_->add(*token) : stream_->finish();
  if (!token) {
    ended_ = true;
    stream_.reset();
    if (text.empty()) {
      return std::nullopt;
    }
  }
  answer_ += text;
  return text;
}

bool ChatPartner::keep() {
  stream_.reset();
  if (answer_.empty() && !ended_) {
    conversation_.undo();
    return false;
  }
  conversation_.add_assistant(answer_);
  return true;
}

std::string ChatPartner::description() const {
  const ModelConfig& config = model_.config();
  std::string text = fmt::format(
      "{}: {}, {:.3g} million parameters in {}, {} layers, context {} of {} tokens, {} "
      "of memory",
      folder_.string(), config.family, static_cast<double>(model_.parameters()) / 1e6,
      dtype_name(model_.storage()), config.layers, model_.context(), config.max_positions,
      readable_bytes(model_.planned_bytes()));
  if (const AnswerStatistics& last = model_.statistics(); last.prompt_tokens > 0) {
    text += fmt::format(
        "\nlast answer: {} tokens, {:.3g} tokens/s; the first after {:.3g} s ({} of {} "
        "prompt tokens were cached)",
        last.new_tokens, last.tokens_per_second(), last.prompt_seconds, last.reused_tokens,
        last.prompt_tokens);
  }
  return text;
}

ordered_json saved_conversations(const ChatPartners& partners) {
  const auto saved = [](ChatPartner& partner) {
    return ordered_json{{"model", partner.name()}, {"messages", partner.conversation().messages()}};
  };
  ordered_json content = saved(*partners.front());
  if (partners.size() > 1) {
    content["other"] = saved(*partners.back());
  }
  return content;
}

void load_conversations(const ChatPartners& partners, const std::string& text,
                        const std::string& source) {
  const ordered_json content = parse_ordered_json(text, source);
  const bool has_other = content.is_object() && content.contains("other");
  std::vector<Conversation> loaded(partners.size());
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    loaded[i].load(i > 0 && has_other ? content.at("other") : content, source);
  }
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    partners[i]->conversation() = std::move(loaded[i]);
  }
}

}  // namespace lmpo
