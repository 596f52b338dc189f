// A small model that can become a GGUF file. For tests only.
#pragma once

#include "base/testing/test_paths.h"
#include "cli/testing/bad_input.h"

namespace lmpo {

class Llama3Test : public BadInput {
 protected:
  static void expect_done(const Words& words) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }

  // A model whose tokenizer llama.cpp has a counterpart for, in the test's folder.
  fs::path llama3_model() const {
    const fs::path texts = source_folder() / "src/data/testdata/llama3";
    ordered_json config = ordered_json::parse(read_file(model() / "config.json"));
    config.update(ordered_json{{"vocab_size", 352}, {"num_key_value_heads", 4}});
    const fs::path file = write("config.json", config.dump());
    expect_done({"init", "--config", file.string(), "--tokenizer", texts.string(),
                 path("llama3").string()});
    return path("llama3");
  }
};

}  // namespace lmpo
