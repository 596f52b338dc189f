// Log-probabilities under the frozen reference model: computed once, before training, by the same
// forward pass as in training, and cached on disk for later runs.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "ops/device.h"
#include "train/packs.h"

namespace lmpo {

struct ReferenceOptions {
  fs::path model;  // the reference's folder
  Dtype storage = Dtype::f32;
  std::shared_ptr<Device> device = make_cpu_device();
  Dtype compute = Dtype::f32;  // as in Device::make_ops
  fs::path cache;              // the cache's folder, created when needed; empty: no cache
  bool bar = false;
};

// Sets reference_logps of every tree. `packs` hold each tree once and are cut as in training, so that
// the policy's own scores at step 0 are the same to the last bit. `what` names the data in messages.
//
// Cached in cache/reference-KEY.json. The key depends on the reference's files, the tokens (and so on
// tokenizer, template, data and truncation), the packs, storage and compute type, device and
// threads. A file that is torn, changed or of another key is not used but written again.
// UserError if the reference's vocabulary lacks a token of the data.
void add_reference_logps(std::vector<Tree>& trees, const std::vector<Trees>& packs,
                         const ReferenceOptions& options, std::string_view what);

}  // namespace lmpo
