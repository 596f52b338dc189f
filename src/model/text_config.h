// config.json of a multimodal model as that of its language model.
#pragma once

#include <string>

#include "base/json.h"

namespace lmpo {

// `content` itself, unless it describes images or speech beside the text: then text_config, with the
// model's ids and types, as transformers writes a language model of its own. What lmpo writes is
// that language model. UserError for a multimodal model whose language model lmpo does not read.
ordered_json language_model_config(const ordered_json& content, const std::string& source);

}  // namespace lmpo
