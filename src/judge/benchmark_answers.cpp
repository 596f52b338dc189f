#include "judge/benchmark_answers.h"

#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "data/reader.h"
#include "generate/answers.h"
#include "model/loaded_model.h"
#include "model/model_folder.h"
#include "text/chat_template.h"

namespace lmpo {
namespace {

constexpr std::int64_t kLlama3Vocabulary = 128'256;

std::optional<Dtype> storage_of(const std::string& dtype) {
  return dtype == "auto"   ? std::nullopt
         : dtype == "int8" ? std::optional(Dtype::i8)
                           : std::optional(parse_dtype(dtype));
}

std::vector<Prompt> prompts_of(std::span<const std::string> texts, const TextModel& text) {
  std::vector<GivenPrompt> given;
  for (const std::string& each : texts) {
    given.push_back({each, fmt::format("question {}", given.size())});
  }
  return tokenize_prompts(given, text, true);
}

std::vector<std::string> read_answers(const fs::path& file) {
  std::vector<std::string> answers;
  read_rows(file, [&](SourceRow&& row) {
    answers.push_back(row.value.at("responses").at(0).get<std::string>());
  });
  return answers;
}

// Python's str.isspace knows four control characters more than Unicode's White_Space.
bool is_python_space(char32_t c) {
  return is_white_space(c) || (c >= 0x1C && c <= 0x1F);
}

}  // namespace

DecodingRecipe alpaca_decoding(const fs::path& model) {
  const ModelConfig config = read_model_config(model);
  if (config.family == "llama" && config.vocab_size == kLlama3Vocabulary) {
    return {"Llama 3", 0.9, 4096};
  }
  const auto chat = ChatTemplate::load(model);
  if (config.family == "mistral" && chat && chat->text().find("[INST]") != std::string::npos) {
    return {"Mistral-Instruct", 0.5, 2048};
  }
  return {config.family == "mistral" ? "Mistral-Base" : "Mistral-Base's, for every other kind", 0.7,
          2048};
}

std::vector<std::string> benchmark_answers(const AnswerRun& run,
                                           std::span<const std::string> prompts,
                                           const fs::path& file) {
  TextModel text = TextModel::load(run.model);
  text.set_inputs(run.template_inputs);
  const ModelConfig config = read_model_config(run.model);
  check_tokenizer_fits(config, text.tokenizer.id_limit(), run.model);
  const std::vector<Prompt> tokens = prompts_of(prompts, text);
  GenerationOptions options;
  options.temperatures = {run.temperature};
  options.max_new_tokens = run.max_new_tokens;
  options.seed = static_cast<std::uint64_t>(run.seed);
  options.batch_size = run.batch_size;
  options.stop_ids = stop_tokens(run.model, config);
  options.tokenizer = &text.tokenizer;
  SampleFile samples(
      file,
      answer_settings(
          {.version = run.version, .model = run.model, .dtype = run.dtype, .compute = run.compute},
          tokens, options));
  if (samples.done() < std::ssize(prompts)) {
    const std::shared_ptr<Device> device = open_device(run.device);
    Generator generator(
        run.model, device,
        {.storage = storage_of(run.dtype), .compute = compute_type(*device, run.compute)});
    save_samples(samples, generator, tokens, options, text.tokenizer);
  }
  return read_answers(file);
}

std::string stripped(std::string_view text) {
  std::size_t begin = 0;
  while (begin < text.size() && is_python_space(first_code_point(text.substr(begin)))) {
    begin += utf8_size(text[begin]);
  }
  std::size_t end = text.size();
  while (end > begin) {
    const std::size_t last = previous_character(text, end);
    if (!is_python_space(first_code_point(text.substr(last)))) {
      break;
    }
    end = last;
  }
  return std::string(text.substr(begin, end - begin));
}

}  // namespace lmpo
