// Options and steps that several commands share.
#pragma once

#include <optional>
#include <vector>

#include "base/file.h"
#include "model/model_folder.h"
#include "recipe/option_set.h"
#include "recipe/source_option.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lmpo {

void add_model_option(OptionSet& set, fs::path& model);
void add_data_option(OptionSet& set, std::vector<DataSource>& data);
// 0 means all processors.
void add_device_option(OptionSet& set, std::string& device);
// See compute_type of ops/device.h.
void add_compute_option(OptionSet& set, std::string& compute);
void add_threads_option(OptionSet& set, std::int64_t& threads);
void apply_threads(std::int64_t threads);

// UserError for a file to be written whose folder does not exist; none where no file is named.
void require_folder_for(std::string_view option, const fs::path& file);

// The text side of a model folder.
struct TextModel {
  Tokenizer tokenizer;
  std::optional<ChatTemplate> chat;

  static TextModel load(const fs::path& folder);
  const ChatTemplate* chat_template() const { return chat ? &*chat : nullptr; }
  // The template's text for a conversation; `place` names it in errors.
  std::string render(const ordered_json& messages, bool add_generation_prompt,
                     const std::string& place) const;
};

// The lines of standard input, without their ends.
std::vector<std::string> read_standard_input();

}  // namespace lmpo
