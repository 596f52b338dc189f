#include "cli/common_options.h"

#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/line_input.h"
#include "base/readable.h"
#include "base/threads.h"
#include "data/boundary.h"

namespace lmpo {
namespace {

constexpr std::size_t kMostInput = std::size_t{1} << 30;  // of lines that are read at once

}  // namespace

void add_model_option(OptionSet& set, fs::path& model) {
  set.add_named_or_positional(
      "model_name_or_path", model, "folder of a Hugging Face Llama or Mistral checkpoint",
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
}

void add_data_option(OptionSet& set, std::vector<DataSource>& data) {
  set.add("dataset", data,
          "files of JSON, JSONL (also compressed by gzip or zstd) or Parquet with preference rows, "
          "patterns (*) of them, dataset folders",
          {.value_name = "DATA",
           .synonyms = {"data"},
           .old_names = {"dataset_name"},
           .required = true,
           .structured = true});
}

void add_device_option(OptionSet& set, std::string& device) {
  set.add("device", device,
          "device to run on: cpu, cuda, or cuda:N; auto: a GPU if there is one and lmpo was built "
          "for it");
}

void add_compute_option(OptionSet& set, std::string& compute) {
  set.add("compute", compute,
          "type of the inputs of matrix products; on a CPU bfloat16 needs AVX-512; auto: bfloat16 "
          "on a GPU, float32 on a CPU",
          {.choices = {"auto", "float32", "bfloat16"}});
}

void add_threads_option(OptionSet& set, std::int64_t& threads) {
  set.add("threads", threads, "threads to use; 0: one per processor",
          {.range = within(0, 1024), .letter = 't'});
}

void apply_threads(std::int64_t threads) {
  set_threads(threads == 0 ? available_threads() : static_cast<int>(threads));
}

void require_folder_for(std::string_view option, const fs::path& file) {
  if (const fs::path folder = file.parent_path(); !folder.empty() && !fs::is_directory(folder)) {
    user_error("--{} {}: there is no folder {}; make it first", option, file.string(),
               folder.string());
  }
}

TextModel TextModel::load(const fs::path& folder) {
  return {Tokenizer::load(folder), ChatTemplate::load(folder)};
}

std::string TextModel::render(const ordered_json& messages, bool add_generation_prompt,
                              const std::string& place) const {
  const auto is_message = [](const ordered_json& value) {
    return value.is_object() && value.contains("role") && value.at("role").is_string();
  };
  if (!messages.is_array() || messages.empty() ||
      !std::all_of(messages.begin(), messages.end(), is_message)) {
    user_error("{}: a list of messages was expected, [{{\"role\": ..., \"content\": ...}}, ...]",
               place);
  }
  if (!chat) {
    user_error("{}: messages need a chat template, and the model folder has none", place);
  }
  try {
    return chat->render(messages, add_generation_prompt, template_variables(tokenizer));
  } catch (const UserError& error) {
    user_error("{}: {}", place, error.what());
  }
}

std::vector<std::string> read_standard_input() {
  std::vector<std::string> lines;
  LineInput input(std::cin, "standard input");
  std::size_t bytes = 0;
  for (std::string line; input.read(line);) {
    bytes += line.size() + sizeof line;
    if (bytes > kMostInput) {
      user_error("standard input: more than {} of lines; give them in parts",
                 readable_bytes(kMostInput));
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace lmpo
