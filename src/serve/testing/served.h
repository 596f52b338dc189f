// A model to serve: GPT-2's tokenizer, a small template, and an engine that repeats the prompt. For
// tests only.
#pragma once

#include <string>

#include "base/testing/test_paths.h"
#include "serve/served_model.h"
#include "serve/testing/scripted_source.h"

namespace lmpo {

// "<|endoftext|>" ends an answer.
inline ServedModel small_model(std::string id = "small", std::int64_t context = 128) {
  const fs::path path = source_folder() / "src/text/testdata/gpt2.json";
  TextModel text = {
      .tokenizer = Tokenizer::from_json(read_file(path), path.string()),
      .chat = ChatTemplate::parse("{# <tool_call> #}"
                                  "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}"
                                  "{% if add_generation_prompt %}a:{% endif %}",
                                  "template")};
  const std::int64_t vocabulary = text.tokenizer.id_limit();
  const TokenId end = text.tokenizer.find("<|endoftext|>").value();
  return {.id = std::move(id),
          .text = std::move(text),
          .stop_ids = {end},
          .vocabulary = vocabulary,
          .context = context,
          .created = 7};
}

inline std::vector<std::int32_t> repeat_prompt(const EngineRequest& request) {
  return request.prompt;
}

}  // namespace lmpo
