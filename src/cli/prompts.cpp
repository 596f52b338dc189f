#include "cli/prompts.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace lmpo {
namespace {

// Rows of a prompts file: strings, lists of messages, or objects with prompt, messages or
// instruction.
ordered_json prompt_of_row(const ordered_json& row, const std::string& place) {
  if (row.is_string() || row.is_array()) {
    return row;
  }
  if (row.is_object()) {
    for (const char* key : {"prompt", "messages", "instruction"}) {
      if (row.contains(key) && (row.at(key).is_string() || row.at(key).is_array())) {
        return row.at(key);
      }
    }
  }
  user_error(
      "{}: a string, a list of messages, or an object with 'prompt', 'messages' or 'instruction' "
      "was expected",
      place);
}

// A prompt and where it stands.
struct PlacedPrompt {
  ordered_json shown;
  std::string place;
};

std::vector<PlacedPrompt> read_prompt_file(const fs::path& path) {
  const std::string content = read_file(path);
  std::vector<PlacedPrompt> prompts;
  const std::size_t start = content.find_first_not_of(" \t\r\n");
  const auto add = [&](std::string_view text, const std::string& place) {
    parse_json(text, place);  // for its error message
    prompts.push_back({prompt_of_row(ordered_json::parse(text), place), place});
  };
  if (path.extension() == ".json" && start != std::string::npos && content[start] == '[') {
    parse_json(content, path.string());
    for (const ordered_json& row : ordered_json::parse(content)) {
      const std::string place = fmt::format("{}: row {}", path.string(), prompts.size());
      prompts.push_back({prompt_of_row(row, place), place});
    }
    return prompts;
  }
  std::int64_t number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string line = content.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    if (line.find_first_not_of(" \t") == std::string::npos) {
      continue;
    }
    const std::string place = fmt::format("{}:{}", path.string(), number);
    if (path.extension() == ".txt") {
      prompts.push_back({line, place});
    } else {
      add(line, place);
    }
  }
  return prompts;
}

std::vector<PlacedPrompt> read_prompts(const PromptSources& sources) {
  std::vector<PlacedPrompt> prompts;
  for (const std::string& text : sources.texts) {
    prompts.push_back({text, fmt::format("--prompt '{}'", text)});
  }
  if (!sources.file.empty()) {
    std::ranges::move(read_prompt_file(sources.file), std::back_inserter(prompts));
  }
  if (prompts.empty()) {
    for (const std::string& line : read_standard_input()) {
      prompts.push_back({line, fmt::format("standard input, line {}", prompts.size() + 1)});
    }
  }
  if (prompts.empty()) {
    user_error("there is no prompt: give --prompt, --prompts FILE, or lines on standard input");
  }
  return prompts;
}

std::vector<TokenId> prompt_tokens(const ordered_json& prompt, const std::string& place,
                                   const TextModel& model, bool use_template) {
  if (prompt.is_string() && !(use_template && model.chat)) {
    return model.tokenizer.encode(prompt.get<std::string>(), true);
  }
  const ordered_json messages =
      prompt.is_array() ? prompt : ordered_json::array({{{"role", "user"}, {"content", prompt}}});
  return model.tokenizer.encode(model.render(messages, true, place), false);
}

}  // namespace

void add_sampling_options(OptionSet& set, SamplingOptions& sampling, std::int64_t& seed) {
  set.add("top_k", sampling.top_k, "draw among the likeliest N; 0: all", {.range = at_least(0)});
  set.add("top_p", sampling.top_p, "draw among the likeliest tokens of this mass",
          {.range = within(0, 1)});
  set.add("seed", seed, "of the random numbers", {.range = at_least(0), .letter = 's'});
}

std::vector<Prompt> collect_prompts(const PromptSources& sources, const TextModel& model,
                                    bool use_template) {
  std::vector<Prompt> prompts;
  for (const auto& [shown, place] : read_prompts(sources)) {
    prompts.push_back({shown, prompt_tokens(shown, place, model, use_template)});
    if (prompts.back().tokens.empty()) {
      user_error("{} is empty, and the tokenizer adds no BOS to start from", place);
    }
  }
  return prompts;
}

}  // namespace lmpo
