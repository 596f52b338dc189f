// Chat templates: the part of Jinja that real templates use, rendered as jinja2 does with the
// settings of transformers (trim_blocks, lstrip_blocks, `raise_exception`, `strftime_now`,
// `tojson`). Immutable after parsing; render is thread-safe.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "jinja/template.h"

namespace lmpo {

class ChatTemplate {
 public:
  // The template of a model folder: chat_template.jinja, else `chat_template` of
  // tokenizer_config.json (a string, or a list of {name, template} of which "default" is taken).
  // Empty where the folder has none.
  static std::optional<ChatTemplate> load(const fs::path& folder);
  // Parses the text; a construct that is not supported is a UserError with `source` and its line.
  static ChatTemplate parse(std::string_view text, std::string_view source);

  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  // `messages`: a list of {"role": ..., "content": ...}. A key whose value is null counts as absent,
  // as in transformers 5's apply_chat_template. The names `reasoning_content`, `thinking`
  // and `reasoning` of a message mean the same, as in transformers 5. `variables`: what else the
  // template may read, at least bos_token and eos_token. A template that raises is a UserError with
  // the template's message.
  std::string render(const ordered_json& messages, bool add_generation_prompt,
                     const ordered_json& variables) const;
  // A whole conversation with the places of what {% generation %} blocks wrote, in bytes, as
  // transformers' return_assistant_tokens_mask finds them. UserError also where a block stands in a
  // macro or in a captured block.
  jinja::MarkedText render_marked(const ordered_json& messages,
                                  const ordered_json& variables) const;

  const std::string& text() const;
  bool has_marks() const;  // it has a {% generation %} block
  // Whether the template reads a variable of this name.
  bool reads(std::string_view variable) const;

  // Whether the template asks for the date. The date is that of parsing, unless it is set:
  // rendering twice must give the same text.
  bool writes_date() const;
  std::time_t date() const;
  void set_date(std::time_t date);

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
