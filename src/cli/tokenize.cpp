// lmpo tokenize: text to ids and back, one JSON value a line.
#include <fmt/ranges.h>

#include <iostream>

#include "base/error.h"
#include "base/line_input.h"
#include "base/printable_json.h"
#include "base/standard_streams.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "text/template_inputs.h"
#include "text/text_model.h"

namespace lmpo {
namespace {

struct TokenizeOptions {
  fs::path model;
  bool decode = false;
  bool add_generation_prompt = false;
  bool add_special_tokens = true;
  bool split_special_tokens = false;
  bool skip_special_tokens = false;
  TemplateOptions template_options;
  std::int64_t threads = 0;
};

// Enough for all threads, little enough to keep in memory.
constexpr std::size_t kLinesAtOnce = 1024;

// A line of output.
std::string result(const std::string& text, const std::vector<TokenId>& ids) {
  return fmt::format(
      "{{\"text\":{},\"ids\":[{}]}}\n",
      printable_json(json(text).dump(-1, ' ', false, json::error_handler_t::replace)),
      fmt::join(ids, ","));
}

std::string decode_line(const json& value, const std::string& place, const TextModel& model,
                        bool skip_special) {
  std::vector<TokenId> ids;
  for (const json& id : value.is_array() ? value : json::array({value})) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() >= model.tokenizer.id_limit()) {
      user_error("{}: a list of token ids from 0 to {} was expected", place,
                 model.tokenizer.id_limit() - 1);
    }
    ids.push_back(id.get<TokenId>());
  }
  return result(model.tokenizer.decode(ids, skip_special), ids);
}

std::string encode_line(const std::string& line, const std::string& place, const TextModel& model,
                        const TokenizeOptions& options) {
  const json value = parse_json(line, place);
  if (options.decode) {
    return decode_line(value, place, model, options.skip_special_tokens);
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return result(text, model.tokenizer.encode(text, options.add_special_tokens,
                                               options.split_special_tokens ? SpecialText::text
                                                                            : SpecialText::tokens));
  }
  if (!value.is_array() && !(value.is_object() && value.contains("messages"))) {
    user_error("{}: a string, a list of chat messages, or an object with 'messages' was expected",
               place);
  }
  // The template writes its own special tokens.
  const ordered_json row = ordered_json::parse(line);
  const std::string text = row.is_array()
                               ? model.render(row, options.add_generation_prompt, place)
                               : model.render(row["messages"], options.add_generation_prompt, place,
                                              template_inputs(row, place));
  return result(text, model.tokenizer.encode(text, false));
}

// The object of a line as text; "" for a blank line.
std::string answer(const std::string& line, std::int64_t number, const TextModel& model,
                   const TokenizeOptions& options) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) {
    return "";
  }
  return encode_line(line, fmt::format("standard input, line {}", number), model, options);
}

// Lines that are there already, at least one: who writes a line and waits gets its answer.
std::vector<std::string> next_lines(LineInput& input) {
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < kLinesAtOnce && (lines.empty() || std::cin.rdbuf()->in_avail() > 0) &&
         input.read(line)) {
    lines.push_back(line);
  }
  return lines;
}

void declare(OptionSet& set, TokenizeOptions& options) {
  add_model_option(set, options.model);
  set.add("decode", options.decode, "decode instead: lines hold lists of ids");
  set.add("add_generation_prompt", options.add_generation_prompt,
          "add the generation prompt (the assistant's header) after the messages");
  set.add("add_special_tokens", options.add_special_tokens,
          "let the tokenizer add special tokens such as BOS to strings");
  set.add("split_special_tokens", options.split_special_tokens,
          "tokenize special tokens in strings as ordinary text");
  set.add("skip_special_tokens", options.skip_special_tokens,
          "remove special tokens from decoded text");
  add_template_options(set, options.template_options);
  add_threads_option(set, options.threads);
  set.section("Examples",
              "  echo '\"Hello world\"' | lmpo tokenize --model DIR\n"
              "  echo '[{\"role\": \"user\", \"content\": \"Hi\"}]' | lmpo tokenize -m DIR "
              "--add_generation_prompt\n"
              "  echo '[1, 2, 3]' | lmpo tokenize --model DIR --decode\n");
}

int run(const TokenizeOptions& options) {
  apply_threads(options.threads);
  // What is waiting to be read can be asked for only without C's own buffer.
  std::ios::sync_with_stdio(false);
  TextModel model = TextModel::load(options.model);
  model.set_inputs(inputs_of(options.template_options));
  std::int64_t number = 0;
  LineInput input(std::cin, "standard input");
  for (auto lines = next_lines(input); !lines.empty(); lines = next_lines(input)) {
    const auto count = static_cast<std::int64_t>(lines.size());
    parallel_each(count, [&](std::int64_t i) {
      std::string& line = lines[static_cast<std::size_t>(i)];
      line = answer(line, number + i + 1, model, options);
    });
    number += count;
    for (const std::string& line : lines) {
      std::cout << line;
    }
    require_reader();
  }
  return 0;
}

}  // namespace

constinit const CommandCode kTokenizeCommand = command<declare, run>(
    "Reads one JSON value per line from standard input, a string, a list of chat messages, or an "
    "object with messages, tools and chat_template_kwargs, and writes one object per line with its "
    "text and ids.");

}  // namespace lmpo
