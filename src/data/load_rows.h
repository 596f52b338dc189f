// Data sources as tokens: from the cache of an earlier start, or through tokenizer and template.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "text/text_model.h"

namespace lmpo {

// "train data" or "evaluation data", as messages call it.
const char* name_of(DataPurpose purpose);

struct LoadRowsOptions {
  DataOptions data = {};
  // Where tokens are kept: a folder; "none"; or "auto", lmpo's cache folder if there is enough
  // data for tokenizing to take longer than looking it up.
  std::string token_cache = "auto";
  bool bar = true;  // show a moving line on a terminal
};

// The tokens depend on all files and options that are given here and on this program; a cache is
// used only where none of them changed. Throws as load_dataset and LazyText::get do.
Dataset load_rows(const std::vector<SourceFiles>& sources, DataPurpose purpose, LazyText& text,
                  const LoadRowsOptions& options);

}  // namespace lmpo
