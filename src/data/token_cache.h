// Tokenized data kept in files, so that a second start finds it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "data/dataset.h"

namespace lmpo {

// One file, FOLDER/KEY.tokens, all numbers little-endian:
//   magic     16 bytes, "lmpo tokens 1\n" and zeros
//   tokens    the ids of all sequences, 4 bytes each, sequence after sequence
//   trees     for each tree: row (8), number of sequences (4), desirable (4)
//   sequences for each sequence: number of tokens (4), scored_begin (4)
//   drops     for each: row (8), reason (8)
//   facts     JSON: the key and the counts of Dataset
//   footer    how many tokens, trees, sequences, drops and bytes of facts (8 each), the 16 bytes of
//             XXH3 (as 32 digits) over everything before them, and the magic again
//
// The key stands for all that the tokens depend on. A file that is cut short, altered, of another
// version or of another key is not used. Not thread-safe; several programs may share a folder,
// since files appear whole.
class TokenCache {
 public:
  // An empty folder keeps nothing.
  explicit TokenCache(fs::path folder) : folder_(std::move(folder)) {}

  bool keeps() const { return !folder_.empty(); }

  // Hands trees to the sink and returns the rest of the dataset.
  using Make = std::function<Dataset(const TreeSink& sink)>;
  // What was kept under the key, its tokens mapped from the file; or what `make` makes, which is
  // then kept. Where there is no room for the file, says so and keeps the trees in memory: `make`
  // is called once more then.
  Dataset get(const std::string& key, const Make& make) const;

  // What is kept under the key, if anything. Says in the log why a file there is not used.
  std::optional<Dataset> find(const std::string& key) const;

  fs::path path(const std::string& key) const { return folder_ / (key + ".tokens"); }

 private:
  fs::path folder_;
};

// Throws UserError, saying why, for a file that is not what was written under the key.
Dataset read_token_file(const fs::path& path, const std::string& key);

}  // namespace lmpo
