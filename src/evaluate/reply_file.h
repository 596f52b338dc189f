// The model's replies on disk: a run that ended early goes on where it was.
//
// A line a reply, {"key": ..., "logp": ..., "greedy": ...} or {"key": ..., "text": ...}. The key
// stands for everything that decides the reply: the model's files, how it computes, the tokens. So
// replies of other tasks and models may be in the same file.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/file.h"
#include "base/file_lock.h"
#include "evaluate/task.h"

namespace lmpo {

// Not thread-safe.
class ReplyFile {
 public:
  // Reads what is there; a torn last line is cut off, other lines that are no replies are a warning
  // and count as absent. Without a path nothing is kept on disk. UserError where another program
  // writes to the file.
  explicit ReplyFile(fs::path path);

  // None where it is still to be computed.
  const Reply* find(const std::string& key) const;
  // MachineError where there is no room: what was written stays usable.
  void add(const std::string& key, Reply reply);

 private:
  void read();

  fs::path path_;
  std::optional<FileLock> lock_;
  std::unordered_map<std::string, Reply> replies_;
};

}  // namespace lmpo
