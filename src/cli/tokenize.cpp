// lmpo tokenize: text to ids and back, one JSON value a line.
#include <iostream>

#include "base/line_input.h"
#include "base/standard_streams.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "text/token_lines.h"

namespace lmpo {
namespace {

struct TokenizeOptions {
  fs::path model;
  TokenLineOptions lines;
  TemplateOptions template_options;
  std::int64_t threads = 0;
};

// Enough for all threads, little enough to keep in memory.
constexpr std::size_t kLinesAtOnce = 1024;

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
  set.add("decode", options.lines.decode, "decode instead: lines hold lists of ids");
  set.add("add_generation_prompt", options.lines.add_generation_prompt,
          "add the generation prompt (the assistant's header) after the messages");
  set.add("add_special_tokens", options.lines.add_special_tokens,
          "let the tokenizer add special tokens such as BOS to strings");
  set.add("split_special_tokens", options.lines.split_special_tokens,
          "tokenize special tokens in strings as ordinary text");
  set.add("skip_special_tokens", options.lines.skip_special_tokens,
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
      line = token_line(line, fmt::format("standard input, line {}", number + i + 1), model,
                        options.lines);
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

constinit const CommandCode kTokenizeCommand = command<TokenizeOptions>(
    "Reads one JSON value per line from standard input, a string, a list of chat messages, or an "
    "object with messages, tools and chat_template_kwargs, and writes one object per line with its "
    "text and ids.");

}  // namespace lmpo
