// lmpo eval: a model on tasks of the language model evaluation harness.
#include <chrono>

#include "base/cache_folder.h"
#include "base/elapsed.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "evaluate/results.h"
#include "model/model_folder.h"

namespace lmpo {
namespace {

struct EvalOptions {
  fs::path model;
  EvaluationOptions evaluation;
  std::string like;
  std::optional<bool> examples_as_turns;
  TemplateOptions template_options;
  fs::path output;
  bool log_samples = true;
  std::string device = "auto";
  std::string dtype = "auto";
  std::string compute = "auto";
  std::int64_t threads = 0;
};

void declare_prompts(OptionSet& set, EvalOptions& options) {
  EvaluationOptions& evaluation = options.evaluation;
  set.group("Prompts");
  set.add("num_fewshot", evaluation.examples, "examples before each document",
          {.range = at_least(0), .default_text = "the task's own number"});
  set.add("fewshot_seed", evaluation.example_seed,
          "seed that examples are drawn with; --like open_llm_v1 has its own");
  set.add("apply_chat_template", evaluation.style.chat_template,
          "show prompts as turns of a chat, by the model's template");
  set.add("fewshot_as_multiturn", options.examples_as_turns,
          "with the template: each example is a turn of the user and one of the assistant",
          {.default_text = "true with --apply_chat_template"});
  set.add("system_instruction", evaluation.style.system_instruction,
          "text before everything else, with the template the system's turn",
          {.value_name = "TEXT", .verbatim = true});
  add_template_options(set, options.template_options);
}

void declare(OptionSet& set, EvalOptions& options) {
  EvaluationOptions& evaluation = options.evaluation;
  set.group("Model and tasks");
  add_model_option(set, options.model);
  set.add("tasks", evaluation.tasks, "tasks or groups of tasks; lmpo help tasks lists them",
          {.value_name = "TASK", .required = true});
  set.add("data", evaluation.data,
          "where the tasks' data lies: a folder with a folder of each dataset, or with files "
          "TASK_SPLIT.jsonl; the Hugging Face Hub's cache is looked at last",
          {.value_name = "DIR"});
  set.add("like", options.like,
          "definitions of another time: open_llm_v1 is June 2023, which the first Open LLM "
          "Leaderboard used, for arc_challenge, truthfulqa_mc, winogrande and gsm8k",
          {.choices = {std::string(kOpenLlmV1)}, .default_text = "version 0.4.13"});
  set.add("limit", evaluation.limit,
          "documents of each task, from the first on; below 1: this share of them; 0: all",
          {.range = at_least(0)});
  declare_prompts(set, options);
  set.group("Results");
  set.add("output_path", options.output,
          "folder for results; run the same command again to go on where it ended. Without it "
          "only the table is printed",
          {.value_name = "DIR"});
  set.add("log_samples", options.log_samples,
          "also write every document with its prompt, replies and numbers");
  set.group("Speed");
  set.add("batch_size", evaluation.batch_size, "requests computed at the same time",
          {.range = within(1, 4096)});
  set.add("max_length", evaluation.max_length,
          "tokens that the model reads at a time; longer prompts lose their beginning",
          {.range = at_least(0), .default_text = "the model's context"});
  add_device_option(set, options.device);
  add_weights_option(set, options.dtype);
  add_compute_option(set, options.compute);
  add_threads_option(set, options.threads);
  set.section("Examples",
              "  lmpo eval -m DIR --tasks arc_challenge --num_fewshot 25 --data DATA "
              "--output_path results\n"
              "  lmpo eval -m DIR --tasks gsm8k --limit 100 --apply_chat_template --data DATA\n"
              "  lmpo eval -m DIR --tasks arc_challenge,gsm8k --like open_llm_v1 --data DATA\n");
  set.check([&] {
    if (options.examples_as_turns.value_or(false) && !options.evaluation.style.chat_template) {
      set.reject("fewshot_as_multiturn", "turns need --apply_chat_template");
    }
  });
}

// Of all that decides the model's replies.
std::string fingerprint_of(const EvalOptions& options) {
  Hash hash;
  add_model_files(hash, options.model);
  hash.add(options.dtype);
  hash.add(options.compute);
  return hash.text();
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int run(EvalOptions options) {
  apply_threads(options.threads);
  require_model_exists(options.model);
  EvaluationOptions& evaluation = options.evaluation;
  evaluation.harness = options.like == kOpenLlmV1 ? Harness::open_llm_v1 : Harness::current;
  evaluation.style.examples_as_turns = options.examples_as_turns.value_or(true);
  choose_tasks(evaluation.tasks, evaluation.harness);  // before anything is loaded
  TextModel text = TextModel::load(options.model);
  text.set_inputs(inputs_of(options.template_options));
  if (evaluation.style.chat_template && text.chat_template() == nullptr) {
    user_error("--apply_chat_template: {} has no chat template", options.model.string());
  }
  const std::shared_ptr<Device> device = open_device(options.device);
  LoadedModel model(
      options.model, device,
      {.storage = weights_type(options.dtype), .compute = compute_type(*device, options.compute)});
  check_tokenizer_fits(model.config, text.tokenizer.id_limit(), options.model);

  EvaluationFacts facts{.version = LMPO_VERSION,
                        .model = options.model,
                        .dtype = options.dtype,
                        .device = options.device,
                        .start = seconds_since_1970()};
  if (evaluation.style.chat_template) {
    facts.chat_template = text.chat_template()->text();
  }
  const SteadyClock::time_point start = SteadyClock::now();
  const fs::path folder =
      options.output.empty() ? fs::path() : results_folder(options.output, options.model);
  std::optional<ReplyFile> replies;
  const auto open_replies = [&]() -> ReplyFile& {
    if (!folder.empty()) {
      fs::create_directories(folder);
    }
    return replies.emplace(folder.empty() ? fs::path() : folder / "replies.jsonl");
  };
  const EvaluationResult result =
      evaluate(evaluation, {options.model, model, text, fingerprint_of(options)}, open_replies);
  facts.seconds = seconds_since(start);
  if (!folder.empty()) {
    write_results(folder, result, evaluation, facts, options.log_samples);
    log_info("results are in {}", folder.string());
  }
  write_lines({}, results_table(result));
  return 0;
}

}  // namespace

constinit const CommandCode kEvalCommand = command<EvalOptions>(
    "Evaluates a model on tasks as the language model evaluation harness (lm-eval) defines them: "
    "same prompts, examples and numbers.");

}  // namespace lmpo
