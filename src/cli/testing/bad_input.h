// What the tests of refused runs share. For tests only.
#pragma once

#include "cli/testing/program.h"

namespace lmpo {

class BadInput : public ProgramTest {
 protected:
  Words train(const fs::path& folder, const fs::path& data, const Words& more = {}) const {
    Words words = {"train",
                   "-m",
                   folder.string(),
                   "--data",
                   data.string(),
                   "--max_steps",
                   "1",
                   "-t",
                   "1",
                   "--output_dir",
                   path("out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Words score(const fs::path& folder, const fs::path& data) {
    return {"score", "-m", folder.string(), "--data", data.string(), "-t", "1"};
  }
  static Words generate(const fs::path& folder) {
    return {"generate", "-m", folder.string(), "--prompt", "cat", "-t", "1"};
  }

  // Runs the program and expects the refusal; `out` must stay as it is.
  void expect_refusal(const Words& words, const ::testing::Matcher<const std::string&>& message) {
    const auto before = contents(path("out"));
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, message);
    EXPECT_THAT(result.err, ::testing::HasSubstr("error: "));
    EXPECT_LT(result.err.size(), 3000U);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(changes(before, contents(path("out"))), std::vector<std::string>()) << result.err;
  }

  fs::path pairs() const { return world("preferences.jsonl"); }
};

}  // namespace lmpo
