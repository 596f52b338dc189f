// lmpo import: a GGUF file as a model folder.
#include "base/log.h"
#include "base/readable.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/folder_options.h"
#include "convert/gguf_import.h"
#include "train/card/model_card.h"

namespace lmpo {
namespace {

struct ImportOptions {
  fs::path file;
  FolderOptions folder;
};

void declare(OptionSet& set, ImportOptions& options) {
  set.add_positional("FILE", options.file,
                     "the GGUF file; of a split model any part (-00001-of-00003.gguf)",
                     {.required = true});
  set.add_positional("OUT", options.folder.output, "folder to create", {.required = true});
  add_folder_options(set, options.folder);
  set.section(
      "Types",
      "  Quantized weights become plain numbers, equal to llama.cpp's own, bit for bit. With\n"
      "  --dtype auto the folder is bfloat16 or float16 if all matrices of the file are (only\n"
      "  vectors can be rounded then), else float32 (nothing is rounded).\n"
      "  --dtype bfloat16 halves the folder; the summary counts the values that it rounds.\n");
  set.section("Examples",
              "  lmpo import SmolLM2-135M-Instruct.Q4_1.gguf smollm2\n"
              "  lmpo import model-00001-of-00003.gguf model --dtype bfloat16\n"
              "  lmpo train --model smollm2 --data pairs.jsonl --output_dir out\n"
              "  lmpo export out --type q8_0 --output out.gguf              and back again\n");
}

void show(const ImportedModel& model, const ImportOptions& options) {
  const std::string out = options.folder.output.string();
  const ModelConfig& config = model.config;
  log_info("{}: {} with {} parameters, {}, hidden size {}, {} tokens ({})", model.name,
           config.family, model.parameters, counted(config.layers, "layer"), config.hidden_size,
           model.tokens, model.tokenizer);
  log_info("tensors of the file: {}{}", type_counts(model),
           model.parts > 1 ? fmt::format(" in {} parts", model.parts) : "");
  log_info(
      "{}: weights as {} ({}); {}", out, dtype_name(model.dtype), readable_bytes(model.bytes),
      model.rounded == 0 ? "no value was rounded" : counted(model.rounded, "value") + " rounded");
  log_info("{}", model.has_template
                     ? fmt::format("next: lmpo chat --model {0}, lmpo train --model {0} --data "
                                   "pairs.jsonl --output_dir out",
                                   out)
                     : fmt::format("there is no chat template: prompts are plain text. next: lmpo "
                                   "generate --model {0} --prompt TEXT, lmpo train --model {0}",
                                   out));
}

int run(const ImportOptions& options, const OptionSet& set) {
  prepare_output(set, options.folder, "OUT");
  const ImportedModel model = import_gguf(options.file, options.folder.output,
                                          options.folder.storage(), options.folder.shard_bytes());
  write_card(options.folder.output,
             imported_card(options.folder.output, {model.name, options.file, model.license,
                                                   type_counts(model), LMPO_VERSION}));
  show(model, options);
  return 0;
}

}  // namespace

constinit const CommandCode kImportCommand = command<ImportOptions>(
    "Makes a Hugging Face model folder of a GGUF file of llama.cpp: weights, configuration, "
    "tokenizer and chat template, ready to train.");

}  // namespace lmpo
