// Any bytes as the small files beside a tokenizer.json: refused with a UserError, or a tokenizer
// whose ids exist, a template, and stop ids that are tokens. Zero bytes separate the four files; an
// empty one is left out.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "model/config.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace {

constexpr const char* kTokenizer = R"({
  "added_tokens": [{"id": 3, "content": "<s>", "special": true}, {"id": 4, "content": "<x>", "special": false}],
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
  "decoder": {"type": "ByteLevel"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})";
constexpr const char* kFiles[] = {"tokenizer_config.json", "special_tokens_map.json",
                                  "added_tokens.json", "generation_config.json"};

struct Folder {
  lmpo::fs::path path =
      lmpo::fs::temp_directory_path() / ("lmpo_fuzz_tokenizer_" + std::to_string(::getpid()));

  Folder() {
    lmpo::set_log_level(lmpo::LogLevel::error);
    lmpo::fs::create_directories(path);
    std::ofstream(path / "tokenizer.json") << kTokenizer;
  }
  ~Folder() {
    std::error_code ignored;
    lmpo::fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

void write_files(const lmpo::fs::path& folder, std::string_view rest) {
  for (const char* name : kFiles) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    if (end > 0) {
      std::ofstream(folder / name, std::ios::binary) << rest.substr(0, end);
    } else {
      lmpo::fs::remove(folder / name);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  write_files(folder.path, {reinterpret_cast<const char*>(data), size});
  try {
    const auto tokenizer = lmpo::Tokenizer::load(folder.path);
    for (const lmpo::TokenId id : tokenizer.encode("ab<s> a<x>b", true)) {
      LMPO_CHECK(id >= 0 && id < tokenizer.id_limit());
    }
  } catch (const lmpo::UserError&) {
  }
  try {
    if (const auto chat = lmpo::ChatTemplate::load(folder.path)) {
      chat->render({{{"role", "user"}, {"content", "a"}}}, true, {{"bos_token", "<s>"}});
    }
  } catch (const lmpo::UserError&) {
  }
  try {
    lmpo::ModelConfig config;
    config.vocab_size = 5;
    for (const std::int64_t id : lmpo::read_stop_ids(folder.path, config)) {
      LMPO_CHECK(id >= 0 && id < config.vocab_size);
    }
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
