// Which folders a person means by names of runs, and what the runs are called.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "report/run_folder.h"

namespace lmpo {
namespace {

constexpr int kMostParts = 8;  // of a path in a name
constexpr int kDeepest = 3;    // folders between the one that was named and a run in it

struct Found {
  fs::path folder;
  std::string label;  // empty: called by its folder
};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "run-2" before "run-10".
bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) && is_digit(b[0])) {
      const auto number_in = [](std::string_view text) {
        const std::size_t begin = std::min(text.find_first_not_of('0'), text.size());
        std::size_t end = begin;
        while (end < text.size() && is_digit(text[end])) {
          ++end;
        }
        return std::pair(text.substr(begin, end - begin), end);
      };
      const auto [first, first_end] = number_in(a);
      const auto [second, second_end] = number_in(b);
      if (first != second) {
        return std::pair(first.size(), first) < std::pair(second.size(), second);
      }
      a.remove_prefix(first_end);
      b.remove_prefix(second_end);
    } else if (a[0] != b[0]) {
      return a[0] < b[0];
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

void sort_naturally(std::vector<fs::path>& paths) {
  std::ranges::sort(paths, [](const fs::path& a, const fs::path& b) {
    return natural_less(a.string(), b.string());
  });
}

// The run that a folder is, or those that it holds.
void collect(const fs::path& folder, int depth, std::vector<fs::path>& runs) {
  if (is_run_folder(folder)) {
    runs.push_back(folder);
    return;
  }
  std::vector<fs::path> inner;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (is_folder(at->path()) && !at->is_symlink(error)) {
      inner.push_back(at->path());
    }
  }
  sort_naturally(inner);
  for (const fs::path& each : inner) {
    if (depth < kDeepest) {
      collect(each, depth + 1, runs);
    }
  }
}

std::vector<fs::path> matches_of(const std::string& pattern) {
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      if (is_folder(found.gl_pathv[i])) {
        paths.emplace_back(found.gl_pathv[i]);
      }
    }
  }
  ::globfree(&found);
  sort_naturally(paths);
  return paths;
}

std::vector<Found> find_runs(const std::string& name) {
  std::string label;
  std::string place = name;
  const std::size_t equals = name.find('=');
  if (equals != std::string::npos && equals > 0 && !fs::exists(name)) {
    label = name.substr(0, equals);
    place = name.substr(equals + 1);
  }
  const bool is_pattern = !fs::exists(place) && place.find_first_of("*?[") != std::string::npos;
  if (!is_pattern && !is_folder(place)) {
    user_error("{}: {}; {}", place,
               fs::exists(place) ? "is a file, not a run" : "there is no such folder",
               kExpectedRun);
  }
  std::vector<fs::path> folders;
  for (const fs::path& each : is_pattern ? matches_of(place) : std::vector<fs::path>{place}) {
    collect(each, 0, folders);
  }
  if (folders.empty()) {
    user_error("{}: there is no run in {}; {}", place,
               is_pattern ? "what the pattern matches" : "the folder", kExpectedRun);
  }
  std::vector<Found> found;
  for (const fs::path& folder : folders) {
    const bool several = folders.size() > 1 && !label.empty();
    found.push_back({folder, several ? label + "/" + folder.filename().string() : label});
  }
  return found;
}

// The last `parts` names of a path: "b/c" of "a/b/c" for 2.
std::string tail(const fs::path& path, std::size_t parts) {
  std::vector<std::string> names;
  for (const fs::path& part : path) {
    if (!part.empty() && part != "/") {
      names.push_back(part.string());
    }
  }
  std::string text;
  for (std::size_t i = names.size() - std::min(parts, names.size()); i < names.size(); ++i) {
    text += (text.empty() ? "" : "/") + names[i];
  }
  return text.empty() ? "/" : text;
}

// "a/run", "b/run" are "a" and "b".
void drop_common_end(std::vector<std::string>& names, std::span<const std::string> labels) {
  if (names.size() < 2) {
    return;
  }
  const std::size_t slash = names[0].rfind('/');
  const std::string end = slash == std::string::npos ? "" : names[0].substr(slash);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (end.empty() || !labels[i].empty() || !names[i].ends_with(end) ||
        names[i].size() == end.size()) {
      return;
    }
  }
  for (std::string& name : names) {
    name.resize(name.size() - end.size());
  }
}

}  // namespace

std::vector<std::string> distinct_names(std::span<const fs::path> folders,
                                        std::span<const std::string> labels) {
  std::vector<std::size_t> parts(folders.size(), 1);
  std::vector<std::string> names(folders.size());
  for (int round = 0; round < kMostParts; ++round) {
    for (std::size_t i = 0; i < folders.size(); ++i) {
      names[i] = labels[i].empty() ? tail(folders[i], parts[i]) : labels[i];
    }
    for (std::size_t i = 0; i < folders.size(); ++i) {
      parts[i] += std::ranges::count(names, names[i]) > 1 ? 1 : 0;
    }
  }
  drop_common_end(names, labels);
  std::set<std::string> taken;
  for (std::string& name : names) {
    const std::string wished = name;
    for (int number = 2; !taken.insert(name).second; ++number) {
      name = fmt::format("{} ({})", wished, number);
    }
  }
  return names;
}

std::vector<Run> read_runs(std::span<const std::string> names) {
  std::vector<Found> all;
  std::vector<fs::path> folders;
  std::vector<std::string> labels;
  for (const std::string& name : names) {
    for (Found& found : find_runs(name)) {
      const fs::path folder = fs::canonical(found.folder);
      if (std::ranges::find(folders, folder) == folders.end()) {
        folders.push_back(folder);
        labels.push_back(found.label);
        all.push_back(std::move(found));
      }
    }
  }
  const std::vector<std::string> distinct = distinct_names(folders, labels);
  std::vector<Run> runs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    runs.push_back(read_run_folder(all[i].folder));
    runs.back().name = distinct[i];
  }
  return runs;
}

}  // namespace lmpo
