#include "cli/common_options.h"

#include <cstdio>

#include "base/error.h"
#include "base/printable_json.h"
#include "base/threads.h"
#include "model/family.h"
#include "recipe/train_recipe.h"
#include "text/template_inputs.h"

namespace lmpo {

void add_model_option(OptionSet& set, fs::path& model) {
  set.add_named_or_positional(
      "model_name_or_path", model,
      fmt::format("folder of a Hugging Face checkpoint; model_type of its config.json: {}",
                  family_names()),
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
}

void add_model_or_config_option(OptionSet& set, fs::path& model) {
  set.add_named_or_positional(
      "model_name_or_path", model, "folder of the model, or its config.json alone",
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
}

void add_data_option(OptionSet& set, std::vector<DataSource>& data,
                     const std::string& default_text) {
  set.add("dataset", data,
          "preference rows: JSON, JSONL (also compressed with gzip or zstd) or Parquet files, "
          "patterns with *, or dataset folders",
          {.value_name = "DATA",
           .synonyms = {"data"},
           .old_names = {"dataset_name"},
           .default_text = default_text,
           .required = default_text.empty(),
           .structured = true});
}

void add_dtype_option(OptionSet& set, std::string& dtype, std::string_view automatic) {
  std::vector<std::string> types = {"float32", "bfloat16", "float16"};
  std::string help = "type of the weights";
  if (!automatic.empty()) {
    types.insert(types.begin(), "auto");
    help += fmt::format("; auto: {}", automatic);
  }
  set.add("dtype", dtype, help, {.choices = types, .old_names = {"torch_dtype"}});
}

void add_step_options(OptionSet& set, StepWay& way) {
  set.add("recompute", way.recompute, "activations to recompute in the backward pass",
          {.choices = {"none", "mlp", "layers"}, .flags = {{"gradient_checkpointing", "layers"}}});
  set.add("optim", way.optim,
          "AdamW, with moments in 32 or 8 bits; paged: moments outside device memory",
          {.choices = {"adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"}});
  set.add("paged_master", way.paged_master,
          "on a GPU: keep the part of the float32 master weights that 16-bit weights lack in "
          "host memory");
}

void add_device_option(OptionSet& set, std::string& device) {
  set.add("device", device,
          "device to run on: cpu, cuda, or cuda:N for one of several GPUs; auto: a GPU if there "
          "is one and lmpo was built for it");
}

void add_compute_option(OptionSet& set, std::string& compute) {
  set.add("compute", compute,
          "type that inputs of matrix products are rounded to; bfloat16 on a CPU needs AVX-512; "
          "auto: bfloat16 on a GPU, float32 on a CPU",
          {.choices = {"auto", "float32", "bfloat16"}});
}

void add_weights_option(OptionSet& set, std::string& dtype) {
  set.add("dtype", dtype,
          "type of the weights in memory; int8: a quarter of float32, matrices rounded to 8 bits "
          "with a scale for each row, on a CPU; auto: as in the checkpoint",
          {.choices = {"auto", "float32", "bfloat16", "float16", "int8"},
           .old_names = {"torch_dtype"}});
}

std::optional<Dtype> weights_type(std::string_view dtype) {
  if (dtype == "auto") {
    return std::nullopt;
  }
  return dtype == "int8" ? Dtype::i8 : parse_dtype(dtype);
}

void add_pack_options(OptionSet& set, PackLimits& limits, std::string_view items) {
  set.add("per_device_eval_batch_size", limits.micro_batch,
          fmt::format("micro-batch size in {}", items), {.range = at_least(1)});
  set.add("max_pack_tokens", limits.max_tokens, "maximum input tokens per micro-batch; 0: no limit",
          {.range = at_least(0)});
}

void add_threads_option(OptionSet& set, std::int64_t& threads) {
  set.add("threads", threads, "threads to use; 0: one per processor",
          {.range = within(0, 1024), .letter = 't'});
}

void apply_threads(std::int64_t threads) {
  set_threads(threads == 0 ? available_threads() : static_cast<int>(threads));
}

void add_machine_options(OptionSet& set, MachineOptions& options) {
  add_device_option(set, options.device);
  add_weights_option(set, options.dtype);
  add_compute_option(set, options.compute);
  add_threads_option(set, options.threads);
}

Machine open_machine(const MachineOptions& options) {
  apply_threads(options.threads);
  std::shared_ptr<Device> device = open_device(options.device);
  const Dtype compute = compute_type(*device, options.compute);
  return {.device = std::move(device),
          .loading = {.storage = weights_type(options.dtype), .compute = compute}};
}

void add_sampling_options(OptionSet& set, SamplingOptions& sampling, std::int64_t& seed) {
  set.add("top_k", sampling.top_k, "sample from the N likeliest tokens; 0: all",
          {.range = at_least(0)});
  set.add("top_p", sampling.top_p, "sample from the likeliest tokens of this total probability",
          {.range = within(0, 1)});
  set.add("min_p", sampling.min_p,
          "sample from tokens at least this part as likely as the likeliest",
          {.range = within(0, 1)});
  set.add("typical_p", sampling.typical_p,
          "sample from the most typical tokens of this total probability", {.range = within(0, 1)});
  set.add("repetition_penalty", sampling.repetition_penalty,
          "divide positive and multiply negative logits of tokens in prompt and answer by this",
          {.range = kPositive});
  set.add("presence_penalty", sampling.presence_penalty,
          "subtract this from the logits of tokens that the answer has already");
  set.add("frequency_penalty", sampling.frequency_penalty,
          "subtract this from a token's logit each time the answer has it already");
  set.add("seed", seed, "seed of the random numbers", {.range = at_least(0), .letter = 's'});
}

void add_template_options(OptionSet& set, TemplateOptions& options) {
  add_template_kwargs(set, options.kwargs);
  set.add("tools", options.tools,
          "tools for the chat template: a JSON file with a list of their schemas, as transformers "
          "takes them; or the list itself; a row's own tools replace them",
          {.value_name = "FILE", .verbatim = true});
}

ordered_json inputs_of(const TemplateOptions& options) {
  ordered_json inputs = options.kwargs;
  if (!options.tools.empty()) {
    const bool is_list = options.tools.find_first_not_of(" \t\n") == options.tools.find('[');
    ordered_json tools = read_tools(is_list ? options.tools : read_file(options.tools),
                                    is_list ? "--tools" : options.tools);
    if (!tools.is_null()) {
      inputs["tools"] = std::move(tools);
    }
  }
  return inputs;
}

void require_folder_for(std::string_view option, const fs::path& file) {
  if (const fs::path folder = file.parent_path(); !folder.empty() && !fs::is_directory(folder)) {
    user_error("--{} {}: there is no folder {}; make it first", option, file.string(),
               folder.string());
  }
}

void write_lines(const fs::path& output, const std::string& lines) {
  if (output.empty()) {
    const std::string text = printable_json(lines);
    std::fwrite(text.data(), 1, text.size(), stdout);  // main() sees whether all was written
  } else {
    write_file_atomically(output, lines);
  }
}

}  // namespace lmpo
