#include "evaluate/task_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/path_kind.h"
#include "base/utf8.h"
#include "data/dataset_folder.h"
#include "data/reader.h"

namespace lmpo {
namespace {

constexpr std::array<std::string_view, 3> kEndings = {".jsonl", ".json", ".parquet"};

std::vector<fs::path> files_of_folder(const TaskData& data, const std::string& split,
                                      const fs::path& folder) {
  return choose_split(read_splits(folder, data.config), split, DataPurpose::evaluation, folder);
}

// Empty where the place does not have it.
std::vector<fs::path> files_at(const TaskInfo& task, const std::string& split,
                               const fs::path& place) {
  if (is_file(place)) {
    const bool meant = task.data.dataset.empty() || place.stem() == task.name + "_" + split;
    return meant ? std::vector{place} : std::vector<fs::path>();
  }
  if (task.data.dataset.empty()) {
    return {};
  }
  for (const fs::path& folder :
       {place / task.data.dataset, place / fs::path(task.data.dataset).filename()}) {
    if (is_folder(folder)) {
      return files_of_folder(task.data, split, folder);
    }
  }
  for (const std::string_view ending : kEndings) {
    if (fs::path file = place / fmt::format("{}_{}{}", task.name, split, ending); is_file(file)) {
      return {std::move(file)};
    }
  }
  return {};
}

[[noreturn]] void refuse_missing(const TaskInfo& task, const std::string& split,
                                 const std::vector<fs::path>& places) {
  const std::string& dataset = task.data.dataset;
  if (dataset.empty()) {
    user_error("{}: give its file with --data FILE", task.name);
  }
  std::vector<std::string> looked;
  for (const fs::path& place : places) {
    looked.push_back(place.string());
  }
  looked.push_back(hub_cache_folder().string());
  const std::string name = fs::path(dataset).filename();
  user_error(
      "{}: its data, the split '{}' of {}{}, was not found in {}. Download it with hf download {} "
      "--repo-type dataset --local-dir DATA/{}, then use --data DATA; or put the rows into a file "
      "{}_{}.jsonl in the folder of --data",
      task.name, split, dataset,
      task.data.config.empty() ? "" : fmt::format(" (configuration {})", task.data.config),
      fmt::join(looked, ", "), dataset, name, task.name, split);
}

std::vector<fs::path> find_files(const TaskInfo& task, const std::string& split,
                                 const std::vector<fs::path>& places) {
  for (const fs::path& place : places) {
    if (!is_there(place)) {
      user_error("--data {}: there is no such file or folder", place.string());
    }
    if (std::vector<fs::path> files = files_at(task, split, place); !files.empty()) {
      return files;
    }
  }
  if (!task.data.dataset.empty()) {
    if (const fs::path folder = find_in_hub_cache("datasets", task.data.dataset); !folder.empty()) {
      return files_of_folder(task.data, split, folder);
    }
  }
  refuse_missing(task, split, places);
}

Document text_document(const fs::path& file) {
  std::string text = read_file(file);
  if (!is_valid_utf8(text)) {
    user_error("{}: the text is not valid UTF-8", file.string());
  }
  return {{{"text", std::move(text)}}, file.string()};
}

}  // namespace

std::vector<Document> read_documents(const TaskInfo& task, const std::string& split,
                                     const std::vector<fs::path>& places) {
  std::vector<Document> documents;
  for (const fs::path& file : find_files(task, split, places)) {
    if (task.whole_text && file.extension() == ".txt") {
      documents.push_back(text_document(file));
      continue;
    }
    read_rows(file, task.data.columns, [&](SourceRow&& row) {
      if (!row.valid_utf8) {
        user_error("{}: the row is not valid UTF-8", row.location);
      }
      documents.emplace_back(std::move(row.value), std::move(row.location));
    });
  }
  if (documents.empty()) {
    user_error("{}: the split '{}' of its data has no rows", task.name, split);
  }
  return documents;
}

}  // namespace lmpo
