#include "parquet/parquet.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/library.h"
#include "base/names.h"
#include "base/utf8.h"
#include "parquet/arrow_values.h"
#include "parquet/plugin.h"

namespace lmpo {
namespace {

constexpr std::string_view kMagic = "PAR1";  // at both ends of a file

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The plugin's function, or why it could not be loaded.
struct Plugin {
  LmpoOpenParquet* open = nullptr;
  std::string missing;
};

// Beside the program where it was built, in lib/lmpo where it was installed.
fs::path plugin_path() {
  constexpr const char* name = "lmpo_parquet.so";
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path installed = folder.parent_path() / "lib" / "lmpo" / name;
  return fs::exists(installed) ? installed : folder / name;
}

Plugin load_plugin() {
  const fs::path path = plugin_path();
  if (!fs::exists(path)) {
    return {nullptr, fmt::format("there is no {}", path.string())};
  }
  LoadedLibrary library(path);
  auto* open = library.find<LmpoOpenParquet*>("lmpo_open_parquet");
  return {open, library.missing()};
}

// Loads the plugin once. Throws UserError if it cannot be loaded.
const Plugin& plugin_for(std::string_view source) {
  static const Plugin plugin = load_plugin();
  if (plugin.open == nullptr) {
    user_error(
        "{}: this is a Parquet file, but this build of lmpo cannot read Parquet ({}). Run ./setup "
        "in the source folder with network access: it fetches Arrow's library and builds the "
        "reader. Or convert the file to JSON Lines",
        source, plugin.missing);
  }
  return plugin;
}

std::string joined(std::span<const std::string> names) {
  constexpr std::size_t most = 20;
  std::string text;
  for (const std::string& name : names.first(std::min(names.size(), most))) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  }
  return names.size() > most ? fmt::format("{} and {} more", text, names.size() - most) : text;
}

// A batch of rows, released at the end of its life.
struct Batch {
  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() {
    if (array.release != nullptr) {
      array.release(&array);
    }
    if (schema.release != nullptr) {
      schema.release(&schema);
    }
  }
  ArrowSchema schema{};
  ArrowArray array{};
};

// An open file.
class ParquetFile {
 public:
  ParquetFile(std::span<const std::byte> bytes, std::string_view source,
              std::span<const std::string> wanted)
      : source_(source), wanted_(wanted) {
    check(plugin_for(source).open(bytes.data(), bytes.size(), &is_wanted, this, &rows_));
    if (!any_wanted_ || !twice_.empty()) {
      rows_.close(&rows_);
      refuse_columns();
    }
  }
  ~ParquetFile() { rows_.close(&rows_); }
  ParquetFile(const ParquetFile&) = delete;
  ParquetFile& operator=(const ParquetFile&) = delete;

  std::vector<std::string> unread_columns() const {
    std::vector<std::string> unread;
    std::ranges::copy_if(columns_, std::back_inserter(unread), [&](const std::string& column) {
      return std::ranges::find(wanted_, column) == wanted_.end();
    });
    return unread;
  }

  // False after the last batch.
  bool next(Batch& batch) {
    check(rows_.next(&rows_, &batch.schema, &batch.array));
    return batch.array.release != nullptr;
  }

 private:
  static bool is_wanted(void* self, const char* column) {
    auto& file = *static_cast<ParquetFile*>(self);
    const bool wanted = std::ranges::find(file.wanted_, column) != file.wanted_.end();
    if (wanted && std::ranges::find(file.columns_, column) != file.columns_.end()) {
      file.twice_ = column;
    }
    file.columns_.push_back(replace_invalid_utf8(column));
    file.any_wanted_ |= wanted;
    return wanted;
  }

  void check(const char* problem) const {
    if (problem != nullptr) {
      const std::string_view text = problem;
      user_error("{}: damaged, or not a Parquet file that can be read ({})", source_,
                 replace_invalid_utf8(text.substr(0, std::min(text.find('\n'), size_t{300}))));
    }
  }

  [[noreturn]] void refuse_columns() const {
    if (!twice_.empty()) {
      user_error("{}: two of its columns are called '{}'; rename or remove one", source_, twice_);
    }
    std::string hint;
    for (const std::string& column : columns_) {
      const std::string near = nearest_name(column, wanted_);
      if (!near.empty()) {
        hint = fmt::format(" (is '{}' meant as '{}'?)", column, near);
        break;
      }
    }
    user_error("{}: none of its columns, {}, is one that is read{}. Those are: {}", source_,
               joined(columns_), hint, joined(wanted_));
  }

  std::string_view source_;
  std::span<const std::string> wanted_;
  std::vector<std::string> columns_;
  bool any_wanted_ = false;
  std::string twice_;  // a wanted column whose name comes twice
  LmpoParquetRows rows_{};
};

}  // namespace

bool is_parquet(std::span<const std::byte> bytes) {
  return text_of(bytes).starts_with(kMagic);
}

std::int64_t read_parquet(std::span<const std::byte> bytes, std::string_view source,
                          std::span<const std::string> wanted_columns, const ParquetRow& row,
                          std::vector<std::string>* unread) {
  if (!text_of(bytes).ends_with(kMagic)) {
    user_error("{}: a Parquet file that does not end as one; is it cut short? Fetch it again",
               source);
  }
  ParquetFile file(bytes, source, wanted_columns);
  if (unread != nullptr) {
    *unread = file.unread_columns();
  }
  std::int64_t rows = 0;
  for (;;) {
    Batch batch;
    if (!file.next(batch)) {
      return rows;
    }
    for (std::int64_t index = 0; index < batch.array.length; ++index, ++rows) {
      bool valid_utf8 = true;
      ordered_json value = arrow_value(batch.schema, batch.array, index, valid_utf8);
      row(valid_utf8 ? std::move(value) : ordered_json(), valid_utf8);
    }
  }
}

}  // namespace lmpo
