// The normalizer "Precompiled" of tokenizer.json: sentencepiece's table of replacements.
#pragma once

#include "text/json_part.h"
#include "text/normalizer.h"

namespace lmpo {

// UserError for a table that is damaged, at the latest where a text meets the damage.
Normalizer read_precompiled(const JsonPart& part);

}  // namespace lmpo
