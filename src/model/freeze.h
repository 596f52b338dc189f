// Which parameters a run leaves as they are.
//
// A pattern is a shell glob (fnmatch) over the whole of a tensor's name in the checkpoint: `*`
// matches any characters, dots too, `?` one, `[0-7]` one of a set. "model.layers.[0-7].*" are the
// first eight layers, "*.mlp.*" all MLPs. A tied head freezes with the embedding, which it is.
#pragma once

#include <string>
#include <vector>

#include "model/config.h"

namespace lmpo {

using FreezePatterns = std::vector<std::string>;

// Whether any of them matches the name.
bool is_frozen(const std::string& name, const FreezePatterns& patterns);

// UserError for a pattern that matches no tensor, for patterns that freeze a part of what is one
// matrix in memory (q_proj without k_proj and v_proj), and where nothing would train.
void check_freeze(const ModelConfig& config, const FreezePatterns& patterns);

}  // namespace lmpo
