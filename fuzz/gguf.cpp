// Any bytes as a GGUF file: refused with a UserError, or every tensor lies inside the file, apart from
// the others, and can be read; and its keys are refused, or become a config.json and a tokenizer that
// lmpo reads.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "convert/gguf_config.h"
#include "convert/gguf_import.h"
#include "convert/gguf_tokenizer.h"
#include "text/tokenizer.h"

namespace {

struct File {
  lmpo::fs::path path =
      lmpo::fs::temp_directory_path() / ("lmpo_fuzz_" + std::to_string(::getpid()) + ".gguf");

  File() { lmpo::set_log_level(lmpo::LogLevel::error); }
  ~File() {
    std::error_code ignored;
    lmpo::fs::remove(path, ignored);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
};

void check_tensors(const lmpo::GgufHeader& header, std::size_t size) {
  std::size_t end = 0;
  for (const lmpo::StoredGgufTensor& tensor : header.tensors) {
    LMPO_CHECK(tensor.begin >= end && tensor.end > tensor.begin && tensor.end <= size);
    LMPO_CHECK(tensor.storage->bytes(tensor.elements()) == tensor.end - tensor.begin);
    end = tensor.end;
  }
}

void read_tensors(const lmpo::GgufFile& file) {
  for (const lmpo::StoredGgufTensor* tensor : file.tensors()) {
    try {
      std::vector<float> values(
          static_cast<std::size_t>(std::min(tensor->elements(), std::int64_t{300})));
      file.read(tensor->name, tensor->elements() - std::ssize(values), values);
    } catch (const lmpo::UserError&) {
    }
  }
}

void import_config(const lmpo::GgufFile& file) {
  try {
    const auto config = lmpo::parse_model_config(lmpo::gguf_config(file), "input");
    if (config.layers <= 3) {
      std::atomic<std::int64_t> rounded = 0;
      lmpo::imported_tensors(config, file, lmpo::Dtype::bf16, rounded);
    }
  } catch (const lmpo::UserError&) {
  }
}

void import_texts(const lmpo::GgufKeys& keys) {
  try {
    const lmpo::GgufTexts texts = lmpo::gguf_texts(keys);
    const auto tokenizer = lmpo::Tokenizer::from_json(texts.tokenizer.dump(), "tokenizer.json");
    for (const lmpo::TokenId id : tokenizer.encode("ab<s> a<x>b\n", true)) {
      LMPO_CHECK(id >= 0 && id < tokenizer.id_limit());
    }
  } catch (const lmpo::UserError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const File made;
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const lmpo::GgufHeader header = lmpo::parse_gguf(bytes, "input");
    check_tensors(header, size);
    import_texts(header.keys);
    std::ofstream(made.path, std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    const lmpo::GgufFile file(made.path);
    read_tensors(file);
    import_config(file);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
