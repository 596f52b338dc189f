// A cache of tokenized data, so that a second start need not tokenize again.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "data/dataset.h"

namespace lmpo {

// One file, FOLDER/KEY.tokens, all numbers little-endian:
//   magic     16 bytes, "lmpo tokens 2\n" and zeros
//   tokens    the ids of all sequences, 4 bytes each, sequence after sequence
//   trees     for each tree: row (8), number of sequences (4), desirable (4)
//   sequences for each sequence: number of tokens (4), scored_begin (4), number of gaps (4)
//   gaps      of all sequences, for each: begin (4), end (4)
//   drops     for each: row (8), reason (8)
//   facts     JSON: the key and the counts of Dataset
//   footer    the numbers of tokens, trees, sequences, gaps, drops and bytes of facts (8 each), XXH3-128
//             as 32 hexadecimal digits over everything before the footer, and the magic again
//
// The key must stand for everything that the tokens depend on. A file that is incomplete or
// altered, or has another version or key, is not used. Not thread-safe; several programs may share
// a folder, since files appear whole.
class TokenCache {
 public:
  // With an empty folder nothing is cached.
  explicit TokenCache(fs::path folder) : folder_(std::move(folder)) {}

  bool keeps() const { return !folder_.empty(); }

  // Passes trees to the sink and returns the dataset without them.
  using Make = std::function<Dataset(const TreeSink& sink)>;
  // The dataset cached under the key, its tokens mapped from the file; else what `make` returns,
  // which is then cached. If the file cannot be written, logs a warning, calls `make` again and
  // keeps the trees in memory.
  Dataset get(const std::string& key, const Make& make) const;

  // The dataset cached under the key, if any. Logs why an existing file is not used.
  std::optional<Dataset> find(const std::string& key) const;

  fs::path path(const std::string& key) const { return folder_ / (key + ".tokens"); }

 private:
  fs::path folder_;
};

// Throws UserError with the reason if the file is not valid for this key.
Dataset read_token_file(const fs::path& path, const std::string& key);

}  // namespace lmpo
