// The program's commands, each over a whole input. For tests only.
#pragma once

#include <string>
#include <vector>

#include "cli/testing/program.h"

namespace lmpo {

inline std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) {
    names.push_back(name);
  }
  return names;
}

inline json turn(const char* role, const char* content) {
  return {{"role", role}, {"content", content}};
}

class Commands : public ProgramTest {
 protected:
  static std::vector<json> tokenize(const std::string& input, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"tokenize", "-m", model().string()});
    const Result result = run(more, {.input = input});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_lines(result.out);
  }

  static std::vector<json> generate(std::vector<std::string> more, const std::string& input = "") {
    more.insert(more.begin(),
                {"generate", "-m", model().string(), "--max_new_tokens", "12", "-t", "1"});
    const Result result = run(more, {.input = input});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_lines(result.out);
  }

  static std::vector<json> score(const fs::path& model, const fs::path& data,
                                 std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"score", "--model", model.string(), "--data", data.string()});
    const Result result = run(more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_lines(result.out);
  }
};

}  // namespace lmpo
