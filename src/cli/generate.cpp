// lmpo generate: prompts in, answers out, one JSON object a line.
#include <iostream>
#include <map>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "generate/generator.h"

namespace lmpo {
namespace {

struct GenerateOptions {
  fs::path model;
  std::vector<std::string> prompt;
  fs::path prompts;
  bool chat_template = true;
  std::int64_t seed = 42;
  std::string device = "auto";
  std::int64_t threads = 0;
  GenerationOptions generation;
};

// A prompt as it was given: text, or chat messages.
struct Prompt {
  ordered_json shown;
  std::vector<TokenId> tokens;
};

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

std::vector<ordered_json> read_prompt_file(const fs::path& path) {
  const std::string content = read_file(path);
  std::vector<ordered_json> prompts;
  const std::size_t start = content.find_first_not_of(" \t\r\n");
  const auto add = [&](std::string_view text, const std::string& place) {
    parse_json(text, place);  // for its error message
    prompts.push_back(prompt_of_row(ordered_json::parse(text), place));
  };
  if (path.extension() == ".json" && start != std::string::npos && content[start] == '[') {
    parse_json(content, path.string());
    for (const ordered_json& row : ordered_json::parse(content)) {
      prompts.push_back(
          prompt_of_row(row, fmt::format("{}: row {}", path.string(), prompts.size())));
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
    if (path.extension() == ".txt") {
      prompts.emplace_back(line);
    } else {
      add(line, fmt::format("{}:{}", path.string(), number));
    }
  }
  return prompts;
}

std::vector<ordered_json> collect_prompts(const GenerateOptions& options) {
  std::vector<ordered_json> prompts(options.prompt.begin(), options.prompt.end());
  if (!options.prompts.empty()) {
    for (ordered_json& prompt : read_prompt_file(options.prompts)) {
      prompts.push_back(std::move(prompt));
    }
  }
  if (prompts.empty()) {
    for (const std::string& line : read_standard_input()) {
      prompts.emplace_back(line);
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

// Writes completions in the order of the prompts, each as soon as those before it are out.
class OrderedWriter {
 public:
  OrderedWriter(const std::vector<Prompt>& prompts, std::int64_t samples,
                const Tokenizer& tokenizer)
      : prompts_(prompts), samples_(samples), tokenizer_(tokenizer) {}

  void add(const Completion& completion) {
    waiting_[completion.prompt * samples_ + completion.sample] = completion;
    for (auto first = waiting_.find(next_); first != waiting_.end(); first = waiting_.find(next_)) {
      write(first->second);
      waiting_.erase(first);
      ++next_;
    }
  }

 private:
  void write(const Completion& completion) {
    const Prompt& prompt = prompts_[static_cast<std::size_t>(completion.prompt)];
    ordered_json line = {{"index", completion.prompt},
                         {"prompt", prompt.shown},
                         {"output", tokenizer_.decode(completion.tokens, true)},
                         {"prompt_tokens", prompt.tokens.size()},
                         {"output_tokens", completion.tokens.size()},
                         {"finish_reason", completion.stopped ? "stop" : "length"}};
    if (samples_ > 1) {
      line["sample"] = completion.sample;
    }
    std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }

  const std::vector<Prompt>& prompts_;
  std::int64_t samples_;
  const Tokenizer& tokenizer_;
  std::map<std::int64_t, Completion> waiting_;
  std::int64_t next_ = 0;
};

void declare(OptionSet& set, GenerateOptions& options) {
  SamplingOptions& sampling = options.generation.sampling;
  sampling.temperature = 0;
  set.group("Model and prompts");
  add_model_option(set, options.model);
  set.add("prompt", options.prompt, "a prompt; may be repeated",
          {.value_name = "TEXT", .verbatim = true});
  set.add("prompts", options.prompts,
          "file of prompts: .txt lines, or JSON or JSONL of strings, messages or rows",
          {.value_name = "FILE"});
  set.add("chat_template", options.chat_template,
          "show a text prompt to the model as a user's turn, where it has a template");
  set.group("Decoding");
  set.add("max_new_tokens", options.generation.max_new_tokens, "longest answer",
          {.range = at_least(1)});
  set.add("num_return_sequences", options.generation.samples,
          "answers to each prompt, which is computed once for them",
          {.range = within(1, 1'000'000), .synonyms = {"samples"}});
  set.add("temperature", sampling.temperature, "0 takes the likeliest token",
          {.range = at_least(0)});
  set.add("top_k", sampling.top_k, "draw among the likeliest N; 0: all", {.range = at_least(0)});
  set.add("top_p", sampling.top_p, "draw among the likeliest tokens of this mass",
          {.range = within(0, 1)});
  set.add("seed", options.seed, "of the random numbers", {.range = at_least(0), .letter = 's'});
  set.group("Speed");
  set.add("batch_size", options.generation.batch_size, "sequences that decode at once",
          {.range = within(1, 4096)});
  add_device_option(set, options.device);
  add_threads_option(set, options.threads);
  set.section("Examples",
              "  lmpo generate --model DIR --prompt \"Why is the sky blue?\" --max_new_tokens 200\n"
              "  lmpo generate -m DIR --prompts prompts.jsonl --temperature 0.7 --top_p 0.9 > "
              "answers.jsonl\n"
              "  lmpo generate -m DIR --prompts prompts.jsonl --samples 5 --temperature 0.8\n");
}

}  // namespace

int run_generate(const std::vector<std::string>& arguments) {
  GenerateOptions options;
  OptionSet set("lmpo generate",
                "Answers prompts; writes one JSON object a line, in the order of the prompts.");
  declare(set, options);
  if (!set.parse(arguments)) {
    return 0;
  }
  apply_threads(options.threads);
  const TextModel model = TextModel::load(options.model);
  std::vector<Prompt> prompts;
  std::vector<std::vector<TokenId>> tokens;
  for (const ordered_json& shown : collect_prompts(options)) {
    const std::string place = fmt::format("prompt {}", prompts.size());
    prompts.push_back({shown, prompt_tokens(shown, place, model, options.chat_template)});
    if (prompts.back().tokens.empty()) {
      user_error("{} is empty, and the tokenizer adds no BOS to start from", place);
    }
    tokens.push_back(prompts.back().tokens);
  }
  Generator generator(options.model, open_device(options.device));
  check_tokenizer_fits(generator.config(), model.tokenizer.id_limit(), options.model);
  for (const std::int64_t id : read_stop_ids(options.model, generator.config())) {
    options.generation.stop_ids.push_back(static_cast<TokenId>(id));
  }
  options.generation.seed = static_cast<std::uint64_t>(options.seed);
  OrderedWriter writer(prompts, options.generation.samples, model.tokenizer);
  generator.generate(tokens, options.generation,
                     [&](const Completion& completion) { writer.add(completion); });
  return 0;
}

}  // namespace lmpo
