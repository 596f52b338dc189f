// Any bytes as the README.md of a dataset folder: refused with a UserError, or splits whose files
// are in the folder. The bytes after the first zero byte are the name of the configuration.
#include "data/dataset_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"

namespace {

// A folder with files, and a file beside it that a pattern with '..' could reach.
struct Folder {
  lmpo::fs::path path =
      lmpo::fs::temp_directory_path() / ("lmpo_fuzz_" + std::to_string(::getpid()));
  lmpo::fs::path beside = path.string() + ".jsonl";

  Folder() {
    lmpo::set_log_level(lmpo::LogLevel::error);
    std::ofstream(beside) << "{}\n";
    for (const char* file : {"a.jsonl", "test/b.json", "data/train-00000-of-00001.parquet"}) {
      lmpo::fs::create_directories((path / file).parent_path());
      std::ofstream(path / file) << "{}\n";
    }
  }
  ~Folder() {
    std::error_code ignored;
    lmpo::fs::remove_all(path, ignored);
    lmpo::fs::remove(beside, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder made;
  const lmpo::fs::path& folder = made.path;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  std::ofstream(folder / "README.md", std::ios::binary) << "---\n" << input.substr(0, end);
  try {
    const std::string config(input.substr(std::min(end + 1, size)));
    for (const auto& [split, files] : lmpo::read_splits(folder, config)) {
      LMPO_CHECK(!files.empty());
      for (const lmpo::fs::path& file : files) {
        LMPO_CHECK(file.lexically_normal().string().starts_with(folder.string() + "/"));
        LMPO_CHECK(lmpo::fs::is_regular_file(file));
      }
    }
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
