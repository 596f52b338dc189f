// A data source as the value of an option: "pairs.jsonl", or a mapping in YAML's short form,
// "{path: DIR, split: train_prefs, weight: 0.5}".
//   path or id         a file, a folder, a pattern or the name of a dataset
//   name or config     configuration of a dataset folder
//   split              split of a dataset folder
//   data_dir           folder inside path
//   data_files         pattern or patterns of files inside path
//   columns            {COLUMN: KEY, ...}, the names of its columns as this program's keys; or a list
//                      of the columns to read, all others being dropped
//   weight or fraction so much of its rows
// and as axolotl says it, type, field_messages, field_chosen, ...: axolotl_source.h.
// A path "json" or "parquet" with data_files, TRL's way to name local files, is those files.
// "{NAME: 0.5}" with a name that is none of these is the old dialect's {path: NAME, weight: 0.5}.
#pragma once

#include "data/source.h"
#include "recipe/option_type.h"

namespace lmpo {

template <>
struct OptionType<DataSource> {
  static std::string expected(const OptionTraits&) {
    return "a path, or {path: PATH, split: NAME, weight: NUMBER, columns: {COLUMN: KEY}}";
  }
  static std::string value_name(const OptionTraits&) { return "DATA"; }
  // Throws UserError for a mapping that is not one of these.
  static std::optional<DataSource> parse(std::string_view text, const OptionTraits&);
  // A path alone as a string.
  static json show(const DataSource& source);
};

}  // namespace lmpo
