#include "generate/sample_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/path_kind.h"

namespace lmpo {
namespace {

// What may change when a run resumes: no answer depends on it, but for rounding.
constexpr std::array<std::string_view, 4> kFreeSettings = {"lmpo", "model", "batch_size",
                                                           "threads"};

}  // namespace

fs::path SampleFile::settings_path(const fs::path& file) {
  fs::path result = file;
  result += ".settings.json";
  return result;
}

SampleFile::SampleFile(fs::path path, ordered_json settings)
    : path_(std::move(path)), settings_(std::move(settings)) {
  if (is_stream(path_)) {
    stream_.emplace(path_);
    return;
  }
  if (!fs::exists(path_)) {
    return;
  }
  lock_.emplace(path_);
  compare_settings();
  read_lines();
}

void SampleFile::compare_settings() const {
  const fs::path beside = settings_path(path_);
  if (!fs::exists(beside)) {
    user_error(
        "cannot resume {}: the settings it was made with are unknown, because {} is missing. "
        "Choose "
        "another name, or remove the file",
        path_.string(), beside.string());
  }
  const json before = read_json(beside);
  for (const auto& [key, value] : settings_.items()) {
    const bool free = std::ranges::find(kFreeSettings, key) != kFreeSettings.end();
    const json was = before.is_object() ? before.value(key, json()) : json();
    if (!free && was != json(value)) {
      user_error(
          "cannot resume {}: started with {} {} ({}), now {}. Use the old value, or choose another "
          "name",
          path_.string(), key, was.dump(), beside.string(), value.dump());
    }
  }
}

void SampleFile::read_lines() {
  const MappedFile file(path_);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', whole_bytes_)) {
    const std::string place = fmt::format("{}:{}", path_.string(), done_ + 1);
    const json line = parse_json(text.substr(whole_bytes_, end - whole_bytes_), place);
    if (const auto index = required<std::int64_t>(line, "index", place); index != done_) {
      user_error("{}: expected the answers to prompt {}, found those to prompt {}", place, done_,
                 index);
    }
    ++done_;
    whole_bytes_ = end + 1;
  }
}

void SampleFile::begin() {
  if (!lock_) {
    if (fs::exists(path_)) {
      user_error("{}: another program created the file in the meantime", path_.string());
    }
    write_file_atomically(settings_path(path_), settings_.dump(2) + "\n");
    write_file_atomically(path_, "");
    lock_.emplace(path_);
  }
  if (fs::file_size(path_) > whole_bytes_) {
    log_info("{}: the answers to prompt {} were cut short and are generated again", path_.string(),
             done_);
    fs::resize_file(path_, whole_bytes_);
  }
}

void SampleFile::append(std::string_view line) {
  if (stream_) {
    stream_->write(std::string(line) + '\n');
  } else {
    if (!std::exchange(begun_, true)) {
      begin();
    }
    append_line(path_, line);
  }
  ++done_;
}

}  // namespace lmpo
