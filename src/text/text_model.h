// The text side of a model folder: its tokenizer and, where it has one, its chat template.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "base/json.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lmpo {

// What a template may read besides the messages: bos_token, eos_token, unk_token and pad_token,
// those that the tokenizer has.
ordered_json template_variables(const Tokenizer& tokenizer);

// Immutable after loading and set_inputs; all members are thread-safe.
struct TextModel {
  Tokenizer tokenizer;
  std::optional<ChatTemplate> chat;
  // Tools and switches for every conversation, see template_inputs.h; null for none.
  ordered_json inputs = nullptr;

  // UserError where the folder has no tokenizer, or a file of it cannot be read.
  static TextModel load(const fs::path& folder);
  // Null where the folder has none.
  const ChatTemplate* chat_template() const { return chat ? &*chat : nullptr; }
  // Says in the log which of them the template does not read.
  void set_inputs(ordered_json given);
  // The template's text for a conversation, [{"role": ..., "content": ...}, ...]. Its own inputs come
  // on top of the model's. UserError, which begins with `place`, where `messages` is none, where
  // there is no template, or where it raises.
  std::string render(const ordered_json& messages, bool add_generation_prompt,
                     const std::string& place, const ordered_json& own_inputs = nullptr) const;
};

// Which tokenizer and template are read.
struct TextOptions {
  fs::path folder;                                // of the model
  std::optional<std::string> template_text = {};  // used instead of the folder's template
  std::string template_source = "";               // where that text comes from, for messages
  std::string date = "";  // YYYY-MM-DD that a template writes; empty: the day of loading
};

// Reads them with the first get(): a run whose tokens are in a cache needs neither. Not
// thread-safe.
class LazyText {
 public:
  explicit LazyText(TextOptions options) : options_(std::move(options)) {}

  const TextOptions& options() const { return options_; }
  // Says in the log which date the template writes. UserError as TextModel::load.
  const TextModel& get();
  // Null before the first get().
  const TextModel* if_read() const { return text_ ? &*text_ : nullptr; }

 private:
  TextOptions options_;
  std::optional<TextModel> text_;
};

}  // namespace lmpo
