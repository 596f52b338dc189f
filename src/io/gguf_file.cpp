#include "io/gguf_file.h"

#include <fmt/format.h>

#include "base/error.h"
#include "io/finite.h"

namespace lmpo {
namespace {

constexpr const char* kPartNumber = "split.no";
constexpr const char* kPartCount = "split.count";

std::int64_t part_count(const GgufKeys& keys) {
  return keys.find<std::int64_t>(kPartCount).value_or(1);
}

// As llama.cpp's gguf-split names them; numbers from 1.
std::string part_ending(std::int64_t part, std::int64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", part, count);
}

}  // namespace

GgufFile::Part::Part(const fs::path& path)
    : file(path), header(parse_gguf(file.bytes(), path.string())) {}

GgufFile::GgufFile(const fs::path& path) : path_(path) {
  auto part = std::make_unique<Part>(path);
  if (part_count(part->header.keys) > 1) {
    add_parts(part->header.keys);
  } else {
    add_part(std::move(part));
  }
}

void GgufFile::add_part(std::unique_ptr<Part> part) {
  for (const StoredGgufTensor& tensor : part->header.tensors) {
    if (!places_.emplace(tensor.name, Place{part.get(), &tensor}).second) {
      user_error("{}: tensor '{}': it stands in another part too", part->file.path().string(),
                 tensor.name);
    }
  }
  parts_.push_back(std::move(part));
}

void GgufFile::add_parts(const GgufKeys& given) {
  const std::int64_t count = part_count(given);
  const std::int64_t number = given.at<std::int64_t>(kPartNumber) + 1;
  const std::string name = path_.filename().string();
  const std::string ending = part_ending(number, count);
  if (!name.ends_with(ending)) {
    user_error("{}: this is part {} of {}; its name must end with {}, so that the others are found",
               path_.string(), number, count, ending);
  }
  const std::string stem = name.substr(0, name.size() - ending.size());
  for (std::int64_t i = 1; i <= count; ++i) {
    const fs::path file = path_.parent_path() / (stem + part_ending(i, count));
    if (!fs::exists(file)) {
      user_error("{}: part {} of {} is missing; it must lie beside {}", file.string(), i, count,
                 name);
    }
    auto part = std::make_unique<Part>(file);
    const GgufKeys& keys = part->header.keys;
    if (part_count(keys) != count || keys.at<std::int64_t>(kPartNumber) != i - 1) {
      user_error("{}: it says that it is part {} of {}; its name says part {} of {}", file.string(),
                 keys.at<std::int64_t>(kPartNumber) + 1, part_count(keys), i, count);
    }
    add_part(std::move(part));
  }
  const auto expected = keys().find<std::int64_t>("split.tensors.count");
  if (expected && *expected != static_cast<std::int64_t>(places_.size())) {
    user_error("{}: key 'split.tensors.count' is {}, but the parts hold {} tensors",
               keys().source(), *expected, places_.size());
  }
}

std::vector<const StoredGgufTensor*> GgufFile::tensors() const {
  std::vector<const StoredGgufTensor*> all;
  for (const auto& part : parts_) {
    for (const StoredGgufTensor& tensor : part->header.tensors) {
      all.push_back(&tensor);
    }
  }
  return all;
}

const StoredGgufTensor* GgufFile::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : found->second.tensor;
}

const GgufFile::Place& GgufFile::place(std::string_view name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) {
    user_error("{}: there is no tensor '{}'", path_.string(), name);
  }
  return found->second;
}

void GgufFile::read(std::string_view name, std::int64_t begin, std::span<float> out) const {
  const auto& [part, tensor] = place(name);
  if (tensor->storage->dequantize == nullptr) {
    user_error("{}: tensor '{}' is stored as {}, which is not read; {} are",
               part->file.path().string(), name, tensor->storage->name, readable_gguf_types());
  }
  LMPO_CHECK(begin >= 0 && begin <= tensor->elements());
  LMPO_CHECK(std::ssize(out) <= tensor->elements() - begin);
  dequantize(*tensor->storage,
             part->file.bytes().subspan(tensor->begin, tensor->end - tensor->begin), begin, out);
  if (count_not_finite(out) > 0) {
    user_error("{}: tensor '{}' holds values that are NaN or infinite; the file is damaged",
               part->file.path().string(), name);
  }
}

void GgufFile::forget(std::string_view name) const {
  const auto& [part, tensor] = place(name);
  part->file.forget(tensor->begin, tensor->end);
}

}  // namespace lmpo
