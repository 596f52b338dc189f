// Options and steps that several commands share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "bench/step_plan.h"
#include "generate/sampling.h"
#include "model/loaded_model.h"
#include "recipe/option_set.h"
#include "recipe/source_option.h"
#include "tensor/dtype.h"
#include "train/packs.h"

namespace lmpo {

void add_model_option(OptionSet& set, fs::path& model);
// The folder of a model, or its config.json alone.
void add_model_or_config_option(OptionSet& set, fs::path& model);
// Required, unless help shows a default.
void add_data_option(OptionSet& set, std::vector<DataSource>& data,
                     const std::string& default_text = "");
// The type of weights. `automatic` says what auto means; "": there is no auto.
void add_dtype_option(OptionSet& set, std::string& dtype, std::string_view automatic = "");
// What a training step keeps and recomputes.
void add_step_options(OptionSet& set, StepWay& way);
void add_device_option(OptionSet& set, std::string& device);
// See compute_type of ops/device.h.
void add_compute_option(OptionSet& set, std::string& compute);
// The type of weights for answers, and what it means: "auto" is none, as in the checkpoint.
void add_weights_option(OptionSet& set, std::string& dtype);
std::optional<Dtype> weights_type(std::string_view dtype);
// The size of micro-batches: at most limits.micro_batch of `items` ("pairs") and limits.max_tokens tokens.
void add_pack_options(OptionSet& set, PackLimits& limits, std::string_view items);
// 0 means all processors.
void add_threads_option(OptionSet& set, std::int64_t& threads);
void apply_threads(std::int64_t threads);

// Where answers are computed, and in which types.
struct MachineOptions {
  std::string device = "auto";
  std::string dtype = "auto";
  std::string compute = "auto";
  std::int64_t threads = 0;
};
void add_machine_options(OptionSet& set, MachineOptions& options);
struct Machine {
  std::shared_ptr<Device> device;
  LoadedModelOptions loading;
};
// Also sets the number of threads.
Machine open_machine(const MachineOptions& options);

// top_k, top_p and seed, for commands that draw tokens.
void add_sampling_options(OptionSet& set, SamplingOptions& sampling, std::int64_t& seed);

// What a command gives a chat template beside the messages.
struct TemplateOptions {
  ordered_json kwargs = nullptr;
  std::string tools;  // a file, or JSON
};
void add_template_options(OptionSet& set, TemplateOptions& options);
// As text/template_inputs.h has them. UserError for tools that are not.
ordered_json inputs_of(const TemplateOptions& options);

// UserError if the folder of the file to write does not exist. Does nothing if no file is named.
void require_folder_for(std::string_view option, const fs::path& file);
// Writes JSON Lines to the file, or if no file is named, to standard output.
void write_lines(const fs::path& output, const std::string& lines);

}  // namespace lmpo
