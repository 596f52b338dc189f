// lmpo generate: prompts in, answers out, as JSON Lines.
#include <algorithm>
#include <iostream>
#include <map>

#include "base/error.h"
#include "base/printable_json.h"
#include "base/standard_streams.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/prompts.h"
#include "cli/sample_file.h"
#include "generate/generator.h"
#include "generate/loaded_model.h"

namespace lmpo {
namespace {

struct GenerateOptions {
  fs::path model;
  PromptSources prompts;
  bool chat_template = true;
  fs::path output;
  std::int64_t seed = 42;
  std::string device = "auto";
  std::string compute = "auto";
  std::int64_t threads = 0;
  GenerationOptions generation;
};

using Take = std::function<void(const Completion&)>;

// Generates and hands completions on in the order of the prompts and their samples, each as soon as
// those before it are there.
void generate_in_order(Generator& generator, const std::vector<Prompt>& prompts,
                       const GenerationOptions& options, const Take& take) {
  std::vector<std::vector<TokenId>> tokens;
  for (const Prompt& prompt : prompts) {
    tokens.push_back(prompt.tokens);
  }
  std::map<std::int64_t, Completion> waiting;
  std::int64_t next = options.first_prompt * options.samples;
  generator.generate(tokens, options, [&](const Completion& completion) {
    waiting[completion.prompt * options.samples + completion.sample] = completion;
    for (auto first = waiting.find(next); first != waiting.end(); first = waiting.find(next)) {
      take(first->second);
      waiting.erase(first);
      ++next;
    }
  });
}

// JSON has no invalid UTF-8, which an answer that was cut short may end with.
std::string to_line(const ordered_json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char* finish_reason(const Completion& completion) {
  return completion.stopped ? "stop" : "length";
}

ordered_json answer_line(const Completion& completion, const Prompt& prompt, bool one_of_many,
                         const Tokenizer& tokenizer) {
  ordered_json line = {{"index", completion.prompt},
                       {"prompt", prompt.shown},
                       {"output", tokenizer.decode(completion.tokens, true)},
                       {"prompt_tokens", prompt.tokens.size()},
                       {"output_tokens", completion.tokens.size()},
                       {"finish_reason", finish_reason(completion)}};
  if (one_of_many) {
    line["sample"] = completion.sample;
  }
  return line;
}

ordered_json empty_samples_line(std::int64_t index, const Prompt& prompt) {
  const ordered_json list = ordered_json::array();
  return {{"index", index},
          {"prompt", prompt.shown},
          {"responses", list},
          {"temperatures", list},
          {"prompt_tokens", prompt.tokens.size()},
          {"output_tokens", list},
          {"finish_reasons", list}};
}

void add_sample(ordered_json& line, const Completion& completion, double temperature,
                const Tokenizer& tokenizer) {
  line["responses"].push_back(tokenizer.decode(completion.tokens, true));
  line["temperatures"].push_back(temperature);
  line["output_tokens"].push_back(completion.tokens.size());
  line["finish_reasons"].push_back(finish_reason(completion));
}

// Everything that decides the answers; fingerprints stand for what is too long to be shown.
ordered_json settings_of(const GenerateOptions& options, const std::vector<Prompt>& prompts) {
  Hash model;
  add_model_files(model, options.model);
  Hash tokens;
  for (const Prompt& prompt : prompts) {
    tokens.add(to_line(prompt.shown));
    tokens.add(prompt.tokens.data(), prompt.tokens.size() * sizeof(TokenId));
  }
  const GenerationOptions& generation = options.generation;
  ordered_json settings = {{"lmpo", LMPO_VERSION},
                           {"model", options.model.string()},
                           {"model_fingerprint", model.text()},
                           {"prompts", prompts.size()},
                           {"prompts_fingerprint", tokens.text()},
                           {"chat_template", options.chat_template},
                           {"max_new_tokens", generation.max_new_tokens},
                           {"num_return_sequences", generation.samples},
                           {"temperature", generation.temperatures},
                           {"top_k", generation.sampling.top_k},
                           {"top_p", generation.sampling.top_p},
                           {"stop_ids", generation.stop_ids},
                           {"seed", options.seed},
                           {"batch_size", generation.batch_size},
                           {"threads", threads()}};
  if (options.compute != "auto") {  // so that files of before this option are continued
    settings["compute"] = options.compute;
  }
  return settings;
}

// One line an answer, on standard output.
void print_answers(Generator& generator, const std::vector<Prompt>& prompts,
                   const GenerationOptions& options, const Tokenizer& tokenizer) {
  generate_in_order(generator, prompts, options, [&](const Completion& completion) {
    const Prompt& prompt = prompts[static_cast<std::size_t>(completion.prompt)];
    const auto line = answer_line(completion, prompt, options.samples > 1, tokenizer);
    std::cout << printable_json(to_line(line)) << std::endl;
    require_reader();
  });
}

// One line a prompt, in a file that an earlier run may have begun.
void save_samples(SampleFile& file, Generator& generator, const std::vector<Prompt>& prompts,
                  GenerationOptions options, const Tokenizer& tokenizer) {
  options.first_prompt = file.done();
  if (file.done() > 0) {
    log_info("{} of {} prompts have their answers already", file.done(), prompts.size());
  }
  ordered_json line;
  generate_in_order(generator, prompts, options, [&](const Completion& completion) {
    if (completion.sample == 0) {
      line = empty_samples_line(completion.prompt,
                                prompts[static_cast<std::size_t>(completion.prompt)]);
    }
    const double temperature = options.sampling_of(completion.sample).temperature;
    add_sample(line, completion, temperature, tokenizer);
    if (completion.sample + 1 == options.samples) {
      file.append(to_line(line));
    }
  });
  log_info("{} prompts have their answers", file.done());
}

void declare_decoding(OptionSet& set, GenerateOptions& options) {
  SamplingOptions& sampling = options.generation.sampling;
  options.generation.temperatures = {0};
  set.group("Decoding");
  set.add("max_new_tokens", options.generation.max_new_tokens, "longest answer",
          {.range = at_least(1)});
  set.add("num_return_sequences", options.generation.samples,
          "answers per prompt; the prompt itself is computed once",
          {.range = within(1, 1'000'000),
           .synonyms = {"samples"},
           .default_text = "one per temperature"});
  set.add(
      "temperature", options.generation.temperatures,
      "0 takes the likeliest token; with several values, the answers to a prompt use them in turn",
      {.range = at_least(0)});
  add_sampling_options(set, sampling, options.seed);
}

void declare(OptionSet& set, GenerateOptions& options) {
  set.group("Model and prompts");
  add_model_option(set, options.model);
  set.add("prompt", options.prompts.texts, "a prompt; may be repeated",
          {.value_name = "TEXT", .verbatim = true});
  set.add("prompts", options.prompts.file,
          "file of prompts: .txt lines, or JSON or JSONL of strings, messages or rows",
          {.value_name = "FILE"});
  set.add("chat_template", options.chat_template,
          "format a text prompt as a user's turn, if the model has a chat template");
  set.add("output", options.output,
          "file to write, one line per prompt with all its responses; the same command resumes an "
          "interrupted one. If not given: standard output, one line per answer",
          {.value_name = "FILE.jsonl"});
  declare_decoding(set, options);
  set.group("Speed");
  set.add("batch_size", options.generation.batch_size, "sequences decoded at once",
          {.range = within(1, 4096)});
  add_device_option(set, options.device);
  add_compute_option(set, options.compute);
  add_threads_option(set, options.threads);
  set.section("Examples",
              "  lmpo generate --model DIR --prompt \"Why is the sky blue?\" --max_new_tokens 200\n"
              "  lmpo generate -m DIR --prompts prompts.jsonl --temperature 0.7 --top_p 0.9 > "
              "answers.jsonl\n"
              "  lmpo generate -m DIR --prompts prompts.jsonl --samples 5 --temperature 0.8 "
              "--output samples.jsonl\n");
  set.check([&] {
    const auto temperatures = std::ssize(options.generation.temperatures);
    if (temperatures == 0) {
      set.reject("temperature", "a number was expected, or several");
    }
    if (!set.given("num_return_sequences")) {
      options.generation.samples = temperatures;
    }
    if (options.generation.samples < temperatures) {
      set.reject("num_return_sequences",
                 fmt::format("{} answers leave some of the {} temperatures without one",
                             options.generation.samples, temperatures));
    }
  });
}

int run(GenerateOptions options) {
  apply_threads(options.threads);
  require_folder_for("output", options.output);
  const TextModel model = TextModel::load(options.model);
  const std::vector<Prompt> prompts =
      collect_prompts(options.prompts, model, options.chat_template);
  const std::shared_ptr<Device> device = open_device(options.device);
  Generator generator(options.model, device, compute_type(*device, options.compute));
  check_tokenizer_fits(generator.config(), model.tokenizer.id_limit(), options.model);
  GenerationOptions& generation = options.generation;
  generation.stop_ids = stop_tokens(options.model, generator.config());
  generation.seed = static_cast<std::uint64_t>(options.seed);
  if (options.output.empty()) {
    print_answers(generator, prompts, generation, model.tokenizer);
  } else {
    SampleFile file(options.output, settings_of(options, prompts));
    save_samples(file, generator, prompts, generation, model.tokenizer);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kGenerateCommand =
    command<declare, run>("Answers prompts; writes JSON Lines in the order of the prompts.");

}  // namespace lmpo
