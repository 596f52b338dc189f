// TensorBoard's event files: scalars and texts of a run, written so that TensorBoard can follow it.
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

// Lines that Markdown shows as they are, whatever stands in them.
std::string literal_markdown(std::string_view text);

// Not thread-safe.
class EventFile {
 public:
  // A new file in the folder, which is made where it is not there, named
  // events.out.tfevents.SECONDS.HOST.PID.N so that TensorBoard reads it after those that lie there.
  // What they hold for steps from `first_step` on is void: TensorBoard forgets it. Nothing is
  // written before the first call below.
  EventFile(const fs::path& folder, std::int64_t first_step);

  // Every number of the entry but its step, by event_tag; what a number must not be compared with
  // is TensorBoard's description of its tag. On the disk, or rather in the system's hands, on
  // return. MachineError leaves the file as it was.
  void scalars(std::int64_t step, const json& entry);
  // Text in Markdown.
  void text(std::int64_t step, std::string_view tag, std::string_view markdown);

  const fs::path& path() const { return path_; }

 private:
  void append(std::string_view records);

  fs::path path_;
  std::string beginning_;            // records that are yet to be written before all others
  std::set<std::string> described_;  // tags whose description is in the file
};

// The newest folder of `parent` that has event files.
std::optional<fs::path> newest_event_folder(const fs::path& parent);
// PARENT/Nov26_14-05-59_HOST, as transformers names a run's folder.
fs::path new_event_folder(const fs::path& parent);
// Deletes the event files in the folders of `parent`, and what is empty then.
void remove_event_files(const fs::path& parent);

}  // namespace lmpo
