// TensorBoard's event files: the scalars and texts of a run, which TensorBoard shows while it runs.
//
//   file     records, one after another
//   record   length of the payload (8 bytes), masked CRC32C of these 8 bytes (4), payload, masked
//            CRC32C of the payload (4); numbers little-endian (TensorFlow's TFRecord)
//   payload  an Event in protobuf's wire format (tensorflow/core/util/event.proto); that of the
//            first record is the file's version, "brain.Event:2"
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/json.h"

namespace lmpo {

// The tag that transformers gives a metric: eval_x is eval/x, test_x is test/x, and x is train/x.
std::string event_tag(std::string_view metric);

// Text as a Markdown code block, which shows it unchanged.
std::string literal_markdown(std::string_view text);

// Not thread-safe.
class EventFile {
 public:
  // A new file in the folder, named events.out.tfevents.SECONDS.HOST.PID.N so that TensorBoard reads
  // it after the files that are there already. It makes TensorBoard forget what they hold for steps
  // from `first_step` on. The first call below writes the file, and creates the folder if needed.
  EventFile(const fs::path& folder, std::int64_t first_step);

  // Writes every number of the entry except its step, under event_tag. Tags whose values must not be
  // compared across runs get a description that says so. The system has the bytes on return.
  // MachineError leaves the file as it was.
  void scalars(std::int64_t step, const json& entry);
  // Writes a text in Markdown. Errors as above.
  void text(std::int64_t step, std::string_view tag, std::string_view markdown);

  const fs::path& path() const { return path_; }

 private:
  void append(std::string_view records);

  fs::path path_;
  std::string beginning_;            // records to write before all others
  std::set<std::string> described_;  // tags whose description is in the file
};

// The folder in `parent` with the newest event file.
std::optional<fs::path> newest_event_folder(const fs::path& parent);
// PARENT/Nov26_14-05-59_HOST, as transformers names a run's folder.
fs::path new_event_folder(const fs::path& parent);
// Deletes the event files in the folders of `parent`, then the folders that are empty.
void remove_event_files(const fs::path& parent);

}  // namespace lmpo
