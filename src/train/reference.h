// Log-probabilities under the frozen reference model: computed once, before training, by the
// forward pass that training uses, and kept on disk for later runs.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "ops/device.h"
#include "train/batch_runner.h"

namespace lmpo {

struct ReferenceOptions {
  fs::path model;  // the reference's folder
  Dtype storage = Dtype::f32;
  std::shared_ptr<Device> device = make_cpu_device();
  Dtype compute = Dtype::f32;  // as in Device::make_ops
  fs::path cache;              // folder of kept scores, made when needed; empty: nothing is kept
  bool bar = false;
};

// Sets reference_logps of every tree. `packs` hold each of the trees once: they are scored as they
// will be in training, so that the policy's own scores at step 0 are the same to the last bit.
//
// Kept in cache/reference-KEY.json. The key is made of the reference's files, the tokens (and so of
// tokenizer, template, data and truncation), the packs, storage and compute type, device and
// threads; a file that is torn, altered or belongs to another key is not used but written anew.
// UserError for a model that does not fit the tokens. `what` names the data in messages.
void add_reference_logps(std::vector<Tree>& trees, const TreePacks& packs,
                         const ReferenceOptions& options, std::string_view what);

}  // namespace lmpo
