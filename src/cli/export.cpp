// lmpo export: a checkpoint in another format or type.
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/folder_options.h"
#include "convert/gguf_model.h"
#include "convert/merge.h"
#include "convert/stored_model.h"
#include "train/card/model_card.h"

namespace lmpo {
namespace {

struct ExportOptions {
  fs::path model;
  std::string format;
  std::string type = "f16";
  FolderOptions folder;
};

GgufType gguf_type(const std::string& name) {
  return name == "f32"    ? GgufType::f32
         : name == "f16"  ? GgufType::f16
         : name == "bf16" ? GgufType::bf16
                          : GgufType::q8_0;
}

void check_export(const OptionSet& set, const ExportOptions& options) {
  const bool gguf = options.format == "gguf";
  const char* const of_gguf =
      "is for GGUF files (an output that ends in .gguf); a model folder takes --dtype";
  const char* const of_safetensors =
      "is for model folders; the output is a GGUF file, which takes --type";
  if (!gguf && set.given("type")) {
    set.reject("type", of_gguf);
  }
  for (const char* name : {"dtype", "max_shard_size"}) {
    if (gguf && set.given(name)) {
      set.reject(name, of_safetensors);
    }
  }
}

void declare(OptionSet& set, ExportOptions& options) {
  add_model_option(set, options.model);
  set.add("format", options.format, "what to write",
          {.choices = {"gguf", "safetensors"},
           .default_text = "gguf if the output ends in .gguf, else safetensors"});
  set.add("type", options.type, "gguf: type of the matrices; vectors are always float32",
          {.choices = {"f32", "f16", "bf16", "q8_0"}});
  set.add("output", options.folder.output, "the file (gguf) or folder (safetensors) to write",
          {.value_name = "OUT", .letter = 'o', .required = true});
  add_folder_options(set, options.folder);
  set.section("Examples",
              "  lmpo export out --type q8_0 --output model-q8_0.gguf\n"
              "  lmpo export -m out --dtype bfloat16 --output out-bf16      a model folder\n");
}

int run(ExportOptions options, const OptionSet& set) {
  if (options.format.empty()) {
    options.format = options.folder.output.extension() == ".gguf" ? "gguf" : "safetensors";
  }
  check_export(set, options);
  prepare_output(set, options.folder);

  const StoredModel model(options.model);
  if (options.format == "gguf") {
    write_gguf_model(options.folder.output, model.folder, model.config, model.checkpoint,
                     gguf_type(options.type));
  } else {
    write_weighted_sum(options.folder.output, model.config, {{&model.checkpoint, 1}},
                       options.folder.storage(), model.folder, options.folder.shard_bytes());
    write_card(options.folder.output,
               combined_card(options.folder.output, {{{model.folder, 1}}, LMPO_VERSION}));
  }
  log_info("{}: written", options.folder.output.string());
  return 0;
}

}  // namespace

constinit const CommandCode kExportCommand = command<ExportOptions>(
    "Writes a checkpoint as a GGUF file for llama.cpp, or as a model folder with another type or "
    "size of weight files.");

}  // namespace lmpo
