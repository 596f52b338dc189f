// The answers of a judge, kept in a file as they come, so that none is asked, and paid, twice.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/json.h"

namespace lmpo {

// Thread-safe.
class AnswerStore {
 public:
  // Reads FILE.jsonl where there is one, and cuts off a torn last line. UserError where another program
  // is writing it, or where it is not such a file.
  explicit AnswerStore(fs::path file);

  // The same question to the same judge has the same key.
  static std::string key_of(std::string_view judge, const ordered_json& question);

  std::optional<ordered_json> find(const std::string& key) const;
  // Writes it at once. MachineError where the disk is full: what was written before stays.
  void add(const std::string& key, const ordered_json& answer);

  const fs::path& file() const { return file_; }
  std::int64_t size() const;

 private:
  void read();

  fs::path file_;
  std::optional<FileLock> lock_;
  std::map<std::string, ordered_json> answers_;
  mutable std::mutex mutex_;
};

}  // namespace lmpo
