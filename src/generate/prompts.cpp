#include "generate/prompts.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/line_input.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

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

Prompt tokenized(const GivenPrompt& given, const TextModel& model, bool use_template) {
  const auto& [prompt, place, own_inputs] = given;
  if (prompt.is_string() && !(use_template && model.chat)) {
    return {prompt, model.tokenizer.encode(prompt.get<std::string>(), true)};
  }
  const ordered_json messages =
      prompt.is_array() ? prompt : ordered_json::array({{{"role", "user"}, {"content", prompt}}});
  ordered_json inputs = model.inputs;
  if (own_inputs.is_object()) {
    inputs = inputs.is_object() ? inputs : ordered_json::object();
    inputs.update(own_inputs);
  }
  const std::string text = model.render(messages, true, place, own_inputs);
  return {prompt, model.tokenizer.encode(text, false), std::move(inputs)};
}

GivenPrompt given_prompt(const ordered_json& row, const std::string& place) {
  return {prompt_of_row(row, place), place,
          row.is_object() ? template_inputs(row, place) : ordered_json()};
}

std::vector<GivenPrompt> read_array(const std::string& content, const fs::path& path) {
  std::vector<GivenPrompt> prompts;
  for (const ordered_json& row : parse_ordered_json(content, path.string())) {
    const std::string place = fmt::format("{}: row {}", path.string(), prompts.size());
    prompts.push_back(given_prompt(row, place));
  }
  return prompts;
}

GivenPrompt prompt_of_line(const std::string& line, const std::string& place) {
  return given_prompt(parse_ordered_json(line, place), place);
}

}  // namespace

std::vector<GivenPrompt> read_prompt_file(const fs::path& path) {
  const std::string content = read_file(path);
  const std::size_t start = content.find_first_not_of(" \t\r\n");
  if (path.extension() == ".json" && start != std::string::npos && content[start] == '[') {
    return read_array(content, path);
  }
  std::vector<GivenPrompt> prompts;
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
    prompts.push_back(path.extension() == ".txt" ? GivenPrompt{line, place}
                                                 : prompt_of_line(line, place));
  }
  return prompts;
}

std::vector<GivenPrompt> collect_prompts(const std::vector<std::string>& texts,
                                         const fs::path& file, std::istream& standard_input) {
  std::vector<GivenPrompt> prompts;
  for (const std::string& text : texts) {
    prompts.push_back({text, fmt::format("--prompt '{}'", text)});
  }
  if (!file.empty()) {
    std::ranges::move(read_prompt_file(file), std::back_inserter(prompts));
  }
  if (prompts.empty()) {
    for (const std::string& line : read_lines(standard_input, "standard input")) {
      prompts.push_back({line, fmt::format("standard input, line {}", prompts.size() + 1)});
    }
  }
  if (prompts.empty()) {
    user_error("there is no prompt: give --prompt, --prompts FILE, or lines on standard input");
  }
  return prompts;
}

std::vector<Prompt> tokenize_prompts(const std::vector<GivenPrompt>& prompts,
                                     const TextModel& model, bool use_template) {
  std::vector<Prompt> all;
  for (const GivenPrompt& given : prompts) {
    all.push_back(tokenized(given, model, use_template));
    if (all.back().tokens.empty()) {
      user_error("{} is empty, and the tokenizer adds no BOS to start from", given.place);
    }
  }
  return all;
}

}  // namespace lmpo
