#include "generate/answers.h"

#include <map>

#include "base/hash.h"
#include "base/log.h"
#include "base/threads.h"
#include "model/model_folder.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

const char* finish_reason(const Completion& completion) {
  return completion.stopped ? "stop" : "length";
}

std::string text_of(const Completion& completion, const Tokenizer& tokenizer) {
  return completion.text ? *completion.text : tokenizer.decode(completion.tokens, true);
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
  line["responses"].push_back(text_of(completion, tokenizer));
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
                       {"output", text_of(completion, tokenizer)},
                       {"prompt_tokens", prompt.tokens.size()},
                       {"output_tokens", completion.tokens.size()},
                       {"finish_reason", finish_reason(completion)}};
  if (one_of_many) {
    line["sample"] = completion.sample;
  }
  add_template_inputs(line, prompt.inputs);
  return json_line(line);
}

ordered_json answer_settings(const AnswerSource& source, const std::vector<Prompt>& prompts,
                             const GenerationOptions& options) {
  Hash model;
  add_model_files(model, source.model);
  Hash tokens;
  for (const Prompt& prompt : prompts) {
    tokens.add(json_line(prompt.shown));
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
  // Those that older files lack stand there only where they are used, so that such files can be
  // resumed.
  const SamplingOptions usual;
  const SamplingOptions& sampling = options.sampling;
  const auto add_used = [&](const char* name, const auto& value, const auto& unused) {
    if (value != unused) {
      settings[name] = value;
    }
  };
  add_used("min_p", sampling.min_p, usual.min_p);
  add_used("typical_p", sampling.typical_p, usual.typical_p);
  add_used("repetition_penalty", sampling.repetition_penalty, usual.repetition_penalty);
  add_used("presence_penalty", sampling.presence_penalty, usual.presence_penalty);
  add_used("frequency_penalty", sampling.frequency_penalty, usual.frequency_penalty);
  add_used("stop", options.stop_strings, std::vector<std::string>());
  add_used("dtype", source.dtype, std::string("auto"));
  add_used("compute", source.compute, std::string("auto"));
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
      file.append(json_line(line));
    }
  });
  log_info("{} prompts have their answers", file.done());
}

}  // namespace lmpo
