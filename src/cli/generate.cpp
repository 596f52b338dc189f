// lmpo generate: prompts in, answers out, as JSON Lines.
#include <iostream>

#include "base/printable_json.h"
#include "base/standard_streams.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "generate/answers.h"
#include "model/loaded_model.h"
#include "model/model_folder.h"

namespace lmpo {
namespace {

struct GenerateOptions {
  fs::path model;
  std::vector<std::string> prompts;
  fs::path prompt_file;
  bool chat_template = true;
  TemplateOptions template_options;
  fs::path output;
  std::int64_t seed = 42;
  MachineOptions machine;
  GenerationOptions generation;
};

// One line an answer, on standard output.
void print_answers(Generator& generator, const std::vector<Prompt>& prompts,
                   const GenerationOptions& options, const Tokenizer& tokenizer) {
  generate_in_order(generator, prompts, options, [&](const Completion& completion) {
    const Prompt& prompt = prompts[static_cast<std::size_t>(completion.prompt)];
    std::cout << printable_json(answer_line(completion, prompt, options.samples > 1, tokenizer))
              << std::endl;
    require_reader();
  });
}

void declare_decoding(OptionSet& set, GenerateOptions& options) {
  SamplingOptions& sampling = options.generation.sampling;
  options.generation.temperatures = {0};
  set.group("Decoding");
  set.add("max_new_tokens", options.generation.max_new_tokens, "maximum tokens of an answer",
          {.range = at_least(1)});
  set.add("num_return_sequences", options.generation.samples,
          "answers per prompt; the prompt is computed once for all of them",
          {.range = within(1, 1'000'000),
           .synonyms = {"samples"},
           .default_text = "one per temperature"});
  set.add("temperature", options.generation.temperatures,
          "sampling temperature; 0: take the likeliest token; several: a prompt's answers use "
          "them in turn",
          {.range = at_least(0)});
  add_sampling_options(set, sampling, options.seed);
  set.add("stop", options.generation.stop_strings,
          "end an answer before this text; may be repeated",
          {.value_name = "TEXT", .verbatim = true});
}

void declare(OptionSet& set, GenerateOptions& options) {
  set.group("Model and prompts");
  add_model_option(set, options.model);
  set.add("prompt", options.prompts, "a prompt; may be repeated",
          {.value_name = "TEXT", .verbatim = true});
  set.add("prompts", options.prompt_file,
          "file of prompts: lines of a .txt file, or JSON or JSONL with strings, messages or "
          "rows (which may have tools and chat_template_kwargs)",
          {.value_name = "FILE"});
  set.add("chat_template", options.chat_template,
          "show a text prompt to the model as a user's turn, where it has a template");
  add_template_options(set, options.template_options);
  set.add("output", options.output,
          "file to write, one line per prompt with all its responses; run the same command "
          "again to resume. By default standard output, one line per answer",
          {.value_name = "FILE.jsonl"});
  declare_decoding(set, options);
  set.group("Speed");
  set.add("batch_size", options.generation.batch_size, "sequences decoded at the same time",
          {.range = within(1, 4096)});
  add_machine_options(set, options.machine);
  set.section("Examples",
              "  lmpo generate --model DIR --prompt \"Why is the sky blue?\" --max_new_tokens 200\n"
              "  lmpo generate -m DIR --prompts prompts.jsonl --temperature 0.7 --top_p 0.9 > "
              "answers.jsonl\n"
              "  lmpo generate -m DIR --prompts prompts.jsonl --samples 5 --temperature 0.8 "
              "--output samples.jsonl\n"
              "  lmpo generate -m DIR --prompt \"2+2?\" --chat_template_kwargs "
              "'{\"enable_thinking\": false}'\n");
  set.check([&] {
    const auto temperatures = std::ssize(options.generation.temperatures);
    if (temperatures == 0) {
      set.reject("temperature", "one or more numbers were expected");
    }
    if (!set.given("num_return_sequences")) {
      options.generation.samples = temperatures;
    }
    if (options.generation.samples < temperatures) {
      set.reject("num_return_sequences",
                 fmt::format("{} answers for {} temperatures: some would not be used",
                             options.generation.samples, temperatures));
    }
  });
}

int run(GenerateOptions options) {
  const auto [device, loading] = open_machine(options.machine);
  require_folder_for("output", options.output);
  TextModel model = TextModel::load(options.model);
  model.set_inputs(inputs_of(options.template_options));
  const std::vector<Prompt> prompts =
      tokenize_prompts(collect_prompts(options.prompts, options.prompt_file, std::cin), model,
                       options.chat_template);
  Generator generator(options.model, device, loading);
  check_tokenizer_fits(generator.config(), model.tokenizer.id_limit(), options.model);
  GenerationOptions& generation = options.generation;
  generation.stop_ids = stop_tokens(options.model, generator.config());
  generation.tokenizer = &model.tokenizer;
  generation.seed = static_cast<std::uint64_t>(options.seed);
  if (options.output.empty()) {
    print_answers(generator, prompts, generation, model.tokenizer);
  } else {
    SampleFile file(options.output, answer_settings({.version = LMPO_VERSION,
                                                     .model = options.model,
                                                     .chat_template = options.chat_template,
                                                     .dtype = options.machine.dtype,
                                                     .compute = options.machine.compute},
                                                    prompts, generation));
    save_samples(file, generator, prompts, generation, model.tokenizer);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kGenerateCommand =
    command<GenerateOptions>("Answers prompts; writes JSON Lines in the order of the prompts.");

}  // namespace lmpo
