#include "data/load_rows.h"

#include <fmt/format.h>

#include "base/cache_folder.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/path_kind.h"
#include "base/progress.h"
#include "data/token_cache.h"
#include "text/template_date.h"

namespace lmpo {
namespace {

// Below this, tokenizing takes no longer than finding out that it need not be done.
constexpr std::uintmax_t kSmallData = 4 << 20;  // bytes

template <typename T>
void add_optional(Hash& hash, const std::optional<T>& value) {
  hash.add(static_cast<std::uint64_t>(value.has_value()));
  hash.add(value ? static_cast<std::uint64_t>(*value) : 0);
}

void add_options(Hash& hash, const DataOptions& options) {
  hash.add(static_cast<std::uint64_t>(options.kind));
  hash.add(static_cast<std::uint64_t>(options.sft_target));
  hash.add(static_cast<std::uint64_t>(options.boundary));
  hash.add(static_cast<std::uint64_t>(options.insert_empty_system));
  hash.add(static_cast<std::uint64_t>(options.split_special_tokens));
  hash.add(options.chat_template_kwargs.dump());
  add_optional(hash, options.max_length);
  add_optional(hash, options.max_prompt_length);
  add_optional(hash, options.truncation_mode);
}

void add_text(Hash& hash, const TextOptions& text) {
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "tekken.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"}) {
    if (const fs::path file = text.folder / name; fs::is_regular_file(file)) {
      hash.add_file(file);
    }
  }
  if (text.template_text) {
    hash.add(*text.template_text);
  }
  if (template_writes_date(text)) {
    hash.add(text.date.empty() ? today() : text.date);
  }
}

// Everything the tokens depend on; the program itself is part of it.
std::string token_key(const std::vector<SourceFiles>& sources, const TextOptions& text,
                      const DataOptions& options) {
  Hash hash;
  hash.add_file("/proc/self/exe");
  add_text(hash, text);
  add_options(hash, options);
  for (const auto& [source, files] : sources) {
    hash.add(fmt::format("{} {} {} {}", source.weight, source.split, source.most_rows,
                         source.only_columns));
    for (const auto& [column, key] : source.columns) {
      hash.add(column);
      hash.add(key);
    }
    for (const fs::path& file : files) {
      hash.add_file(file);
    }
  }
  return hash.text();
}

std::uintmax_t size_of(const std::vector<SourceFiles>& sources) {
  std::uintmax_t total = 0;
  for (const SourceFiles& source : sources) {
    for (const fs::path& file : source.files) {
      std::error_code error;
      const std::uintmax_t size = fs::file_size(file, error);
      total += error ? 0 : size;
    }
  }
  return total;
}

// Where tokens are kept; "" for nowhere.
fs::path cache_folder(const std::string& token_cache, const std::vector<SourceFiles>& sources) {
  if (token_cache == "none") {
    return {};
  }
  if (token_cache != "auto") {
    return token_cache;
  }
  return size_of(sources) < kSmallData ? fs::path() : default_cache_folder();
}

}  // namespace

const char* name_of(DataPurpose purpose) {
  return purpose == DataPurpose::training ? "train data" : "evaluation data";
}

Dataset load_rows(const std::vector<SourceFiles>& sources, DataPurpose purpose, LazyText& text,
                  const LoadRowsOptions& options) {
  const TokenCache cache(cache_folder(options.token_cache, sources));
  const std::string key = cache.keeps() ? token_key(sources, text.options(), options.data) : "";
  if (cache.keeps() && is_file(cache.path(key))) {
    log_info("tokens of an earlier start: {}", cache.path(key).string());
  }
  Dataset dataset = cache.get(key, [&](const TreeSink& sink) {
    const TextModel& model = text.get();
    Progress progress({.what = fmt::format("reading {}", name_of(purpose)),
                       .unit = "rows",
                       .bar = options.bar,
                       .delay = kBarDelay});
    return load_dataset(sources, model.tokenizer, model.chat_template(), options.data,
                        [&](Tree&& tree) {
                          sink(std::move(tree));
                          progress.step(1, 0);
                        });
  });
  dataset.sources = sources;
  return dataset;
}

}  // namespace lmpo
