#include "convert/gguf_import.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/readable.h"
#include "base/threads.h"
#include "convert/gguf_config.h"
#include "convert/gguf_layout.h"
#include "convert/gguf_tokenizer.h"
#include "io/store_floats.h"
#include "model/model_folder.h"
#include "model/tensor_table.h"
#include "text/tokenizer.h"

namespace lmpo {
namespace {

constexpr std::int64_t kImportGrain = 1 << 14;  // elements

// Tensors that say what a configuration says (gguf_rope.h).
constexpr auto kRopeTensors = std::to_array<std::string_view>(
    {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"});

// How many of the values change when they are rounded to the type.
std::int64_t count_rounded(std::span<const float> values, Dtype dtype) {
  switch (dtype) {
    case Dtype::bf16:
      return std::ranges::count_if(
          values, [](float value) { return to_float(to_bfloat16(value)) != value; });
    case Dtype::f16:
      return std::ranges::count_if(
          values, [](float value) { return to_float(to_float16(value)) != value; });
    default:
      return 0;
  }
}

// One tensor of the folder.
class Imported {
 public:
  Imported(const ModelConfig& config, const GgufFile& file, const ModelTensor& tensor)
      : file_(file), name_(tensor.gguf_name), layout_(config, tensor) {}

  // Elements [begin, begin + out.size()).
  void read(std::int64_t begin, std::span<float> out) const {
    const auto stored = [&](std::int64_t at, std::span<float> part) {
      file_.read(name_, at, part);
    };
    layout_.from_gguf(stored, begin, out);
  }

  // The same in a type of files. Returns how many values were rounded.
  std::int64_t read_stored(std::int64_t begin, Dtype dtype, std::span<std::byte> out) const {
    const std::size_t size = dtype_size(dtype);
    std::atomic<std::int64_t> rounded = 0;
    parallel_for(static_cast<std::int64_t>(out.size() / size), kImportGrain,
                 [&](std::int64_t first, std::int64_t last) {
                   std::vector<float> values(static_cast<std::size_t>(last - first));
                   read(begin + first, values);
                   rounded += count_rounded(values, dtype);
                   store_floats(
                       values, dtype,
                       out.subspan(static_cast<std::size_t>(first) * size, values.size() * size),
                       name_);
                 });
    return rounded;
  }

 private:
  const GgufFile& file_;
  std::string name_;
  GgufLayout layout_;
};

// The first few of what is wrong, and how many more there are.
class Misfits {
 public:
  void add(std::string misfit) {
    ++count_;
    if (first_.size() < kShown) {
      first_.push_back(std::move(misfit));
    }
  }
  void refuse_any(const GgufFile& file, std::string_view family) const {
    if (count_ > 0) {
      user_error("{}: its tensors are not those of a {} model: {}{}", file.path().string(), family,
                 fmt::join(first_, ", "),
                 count_ > kShown ? fmt::format(" and {} more", count_ - kShown) : "");
    }
  }

 private:
  static constexpr std::size_t kShown = 5;
  std::vector<std::string> first_;
  std::size_t count_ = 0;
};

void check_gguf_tensors(const ModelConfig& config, const GgufFile& file) {
  Misfits misfits;
  std::set<std::string_view> expected(kRopeTensors.begin(), kRopeTensors.end());
  const std::vector<ModelTensor> table = model_tensors(config);
  for (const ModelTensor& tensor : table) {
    expected.insert(tensor.gguf_name);
    const StoredGgufTensor* stored = file.find(tensor.gguf_name);
    if (stored == nullptr) {
      misfits.add(fmt::format("'{}' is missing", tensor.gguf_name));
    } else if (stored->shape != tensor.shape) {
      misfits.add(fmt::format("'{}' is [{}], not [{}]", tensor.gguf_name,
                              fmt::join(stored->shape, ", "), fmt::join(tensor.shape, ", ")));
    } else if (stored->storage->dequantize == nullptr) {
      user_error("{}: tensor '{}' is stored as {}, which is not read; {} are", file.path().string(),
                 stored->name, stored->storage->name, readable_gguf_types());
    }
  }
  for (const StoredGgufTensor* stored : file.tensors()) {
    if (!expected.contains(stored->name)) {
      misfits.add(fmt::format("'{}' is not known", stored->name));
    }
  }
  misfits.refuse_any(file, config.family);
}

std::size_t bytes_of(const std::vector<TensorSource>& tensors) {
  std::size_t total = 0;
  for (const TensorSource& tensor : tensors) {
    total += tensor.bytes();
  }
  return total;
}

void require_room(const fs::path& folder, std::size_t bytes) {
  std::error_code unknown;
  const fs::space_info space =
      fs::space(fs::absolute(folder / "").parent_path().parent_path(), unknown);
  if (!unknown && space.available < bytes) {
    user_error(
        "{}: the weights need {}, but the disk has {} left; free some, or choose a smaller "
        "--dtype",
        folder.string(), readable_bytes(bytes), readable_bytes(space.available));
  }
}

// Reports each tensor when its last element was read.
void show_progress(std::vector<TensorSource>& tensors, Progress& progress) {
  for (TensorSource& tensor : tensors) {
    const std::size_t size = dtype_size(tensor.dtype);
    const auto elements = static_cast<std::int64_t>(tensor.bytes() / size);
    tensor.read = [read = tensor.read, elements, size, &progress](std::int64_t begin,
                                                                  std::span<std::byte> out) {
      read(begin, out);
      if (begin + static_cast<std::int64_t>(out.size() / size) == elements) {
        progress.step(1, 0);
      }
    };
  }
}

void write_json(const fs::path& file, const ordered_json& content) {
  write_file_atomically(file, content.dump(2) + "\n");
}

// UserError where lmpo does not read the tokenizer, or its ids have no row in the embedding.
void write_gguf_texts(const GgufTexts& texts, const ModelConfig& config, const fs::path& file,
                      const fs::path& folder) {
  const std::string tokenizer = texts.tokenizer.dump();
  const std::string source = fmt::format("{} as tokenizer.json", file.string());
  check_tokenizer_fits(config, Tokenizer::from_json(tokenizer, source).id_limit(), file);
  write_file_atomically(folder / "tokenizer.json", tokenizer + "\n");
  write_json(folder / "tokenizer_config.json", texts.tokenizer_config);
  write_json(folder / "generation_config.json", texts.generation_config);
  if (texts.chat_template) {
    write_file_atomically(folder / "chat_template.jinja", *texts.chat_template);
  }
}

ImportedModel describe(const GgufFile& file, const ModelConfig& config, const GgufTexts& texts) {
  ImportedModel model;
  model.name = file.keys().find<std::string>("general.name").value_or(file.path().stem().string());
  model.license = file.keys().find<std::string>("general.license").value_or("");
  model.config = config;
  model.parts = file.parts();
  for (const StoredGgufTensor* tensor : file.tensors()) {
    ++model.types[tensor->storage->name];
  }
  model.tokenizer = texts.kind;
  model.tokens = texts.tokens;
  model.has_template = texts.chat_template.has_value();
  return model;
}

}  // namespace

std::vector<TensorSource> imported_tensors(const ModelConfig& config, const GgufFile& file,
                                           Dtype dtype, std::atomic<std::int64_t>& rounded) {
  check_gguf_tensors(config, file);
  std::vector<TensorSource> tensors;
  for (const ModelTensor& tensor : model_tensors(config)) {
    const Imported imported(config, file, tensor);
    TensorSource& source = tensors.emplace_back(
        TensorSource{.name = tensor.name, .dtype = dtype, .shape = tensor.shape, .read = {}});
    const auto elements = static_cast<std::int64_t>(source.bytes() / dtype_size(dtype));
    source.read = [imported, dtype, elements, &file, &rounded, name = tensor.gguf_name](
                      std::int64_t begin, std::span<std::byte> out) {
      rounded += imported.read_stored(begin, dtype, out);
      if (begin + static_cast<std::int64_t>(out.size() / dtype_size(dtype)) == elements) {
        file.forget(name);
      }
    };
  }
  return tensors;
}

Dtype exact_type(const ModelConfig& config, const GgufFile& file) {
  std::set<std::string_view> types;
  for (const ModelTensor& tensor : model_tensors(config)) {
    const StoredGgufTensor* stored = file.find(tensor.gguf_name);
    if (tensor.kind == TensorKind::matrix && stored != nullptr) {
      types.insert(stored->storage->name);
    }
  }
  const bool one = types.size() == 1;
  return one && types.contains("BF16")  ? Dtype::bf16
         : one && types.contains("F16") ? Dtype::f16
                                        : Dtype::f32;
}

ImportedModel import_gguf(const fs::path& path, const fs::path& folder, std::optional<Dtype> dtype,
                          std::int64_t max_shard_bytes) {
  const GgufFile file(path);
  const ModelConfig config =
      parse_model_config(gguf_config(file), fmt::format("{} as config.json", path.string()));
  const GgufTexts texts = gguf_texts(file.keys());
  ImportedModel model = describe(file, config, texts);
  model.dtype = dtype.value_or(exact_type(config, file));
  std::atomic<std::int64_t> rounded = 0;
  std::vector<TensorSource> tensors = imported_tensors(config, file, model.dtype, rounded);
  model.bytes = bytes_of(tensors);
  model.parameters = static_cast<std::int64_t>(model.bytes / dtype_size(model.dtype));
  require_room(folder, model.bytes);

  AtomicFolder aside(folder);
  write_gguf_texts(texts, config, path, aside.path());
  write_model_config(config, model.dtype, aside.path());
  Progress progress({.what = "import",
                     .unit = "tensors",
                     .total = static_cast<std::int64_t>(tensors.size()),
                     .delay = kBarDelay});
  show_progress(tensors, progress);
  write_checkpoint(aside.path(), tensors, max_shard_bytes);
  aside.commit();
  model.rounded = rounded;
  return model;
}

std::string type_counts(const ImportedModel& model) {
  std::vector<std::pair<std::int64_t, std::string_view>> counts;
  for (const auto& [type, count] : model.types) {
    counts.emplace_back(-count, type);
  }
  std::ranges::sort(counts);
  std::string text;
  for (const auto& [count, type] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", -count, type);
  }
  return text;
}

}  // namespace lmpo
