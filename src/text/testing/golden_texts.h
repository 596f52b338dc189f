// The texts that tests of tokenizers encode: src/text/testdata/texts.json.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/testing/test_paths.h"

namespace lmpo {

inline fs::path text_testdata() {
  return source_folder() / "src/text/testdata";
}

// Some are not valid UTF-8, which the file writes in hexadecimal digits.
inline std::vector<std::string> golden_texts() {
  std::vector<std::string> texts;
  for (const json& entry : read_json(text_testdata() / "texts.json")) {
    if (entry.contains("text")) {
      texts.push_back(entry["text"]);
      continue;
    }
    const std::string digits = entry["bytes"];
    std::string& bytes = texts.emplace_back();
    for (std::size_t i = 0; i < digits.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    }
  }
  return texts;
}

}  // namespace lmpo
