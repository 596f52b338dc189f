#include "generate/answers.h"

#include <map>

#include "base/hash.h"
#include "base/log.h"
#include "base/threads.h"
#include "model/model_folder.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

// JSON has no invalid UTF-8, which an answer that was cut short may end with.
std::string to_line(const ordered_json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char* finish_reason(const Completion& completion) {
  return completion.stopped ? "stop" : "length";
}

ordered_json empty_samples_line(std::int64_t index, const Prompt& prompt) {
  const ordered_json list = ordered_json::array();
  ordered_json line = {{"index", index},
                       {"prompt", prompt.shown},
                       {"responses", list},
                       {"temperatures", list},
                       {"prompt_tokens", prompt.tokens.size()},
                       {"output_tokens", list},
                       {"finish_reasons", list}};
  add_template_inputs(line, prompt.inputs);
  return line;
}

void add_sample(ordered_json& line, const Completion& completion, double temperature,
                const Tokenizer& tokenizer) {
  line["responses"].push_back(tokenizer.decode(completion.tokens, true));
  line["temperatures"].push_back(temperature);
  line["output_tokens"].push_back(completion.tokens.size());
  line["finish_reasons"].push_back(finish_reason(completion));
}

}  // namespace

void generate_in_order(Generator& generator, const std::vector<Prompt>& prompts,
                       const GenerationOptions& options, const TakeCompletion& take) {
  PromptTokens tokens;
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

std::string answer_line(const Completion& completion, const Prompt& prompt, bool one_of_many,
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
  add_template_inputs(line, prompt.inputs);
  return to_line(line);
}

ordered_json answer_settings(const AnswerSource& source, const std::vector<Prompt>& prompts,
                             const GenerationOptions& options) {
  Hash model;
  add_model_files(model, source.model);
  Hash tokens;
  for (const Prompt& prompt : prompts) {
    tokens.add(to_line(prompt.shown));
    tokens.add(prompt.tokens.data(), prompt.tokens.size() * sizeof(TokenId));
  }
  ordered_json settings = {{"lmpo", source.version},
                           {"model", source.model.string()},
                           {"model_fingerprint", model.text()},
                           {"prompts", prompts.size()},
                           {"prompts_fingerprint", tokens.text()},
                           {"chat_template", source.chat_template},
                           {"max_new_tokens", options.max_new_tokens},
                           {"num_return_sequences", options.samples},
                           {"temperature", options.temperatures},
                           {"top_k", options.sampling.top_k},
                           {"top_p", options.sampling.top_p},
                           {"stop_ids", options.stop_ids},
                           {"seed", options.seed},
                           {"batch_size", options.batch_size},
                           {"threads", threads()}};
  if (source.compute != "auto") {  // older files, which lack this option, can still be resumed
    settings["compute"] = source.compute;
  }
  return settings;
}

void save_samples(SampleFile& file, Generator& generator, const std::vector<Prompt>& prompts,
                  GenerationOptions options, const Tokenizer& tokenizer) {
  options.first_prompt = file.done();
  if (file.done() > 0) {
    log_info("{} of {} prompts already have their answers", file.done(), prompts.size());
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

}  // namespace lmpo
