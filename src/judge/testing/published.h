// Published evaluation data: the folder in $LMPO_EVAL_DATA, else ../shared/eval beside the checkout. It is
// no part of the project, so tests that need it are skipped without it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/testing/test_paths.h"
#include "judge/csv.h"
#include "judge/length_control.h"

namespace lmpo {

inline fs::path published_folder() {
  const char* given = std::getenv("LMPO_EVAL_DATA");
  return given != nullptr ? fs::path(given) : source_folder().parent_path() / "shared" / "eval";
}

class PublishedData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(published_folder())) {
      GTEST_SKIP() << "there is no published evaluation data at " << published_folder();
    }
  }
  static fs::path alpaca(const std::string& name) { return published_folder() / "alpaca" / name; }
  static fs::path arena(const std::string& name) { return published_folder() / "arena" / name; }

  // Of 29 models of the leaderboard: lengths and preferences, row by row.
  static std::map<std::string, std::vector<LengthRow>> published_rows() {
    const CsvTable difficulties = read_csv(alpaca("instruction_difficulty_recovered.csv"));
    const CsvTable inputs = read_csv(alpaca("lc_inputs.csv"));
    std::map<std::string, std::vector<LengthRow>> models;
    for (std::size_t row = 0; row < inputs.rows.size(); ++row) {
      std::vector<LengthRow>& rows = models[inputs.rows[row][inputs.column("model")]];
      const auto number = [&](const char* name) { return inputs.number(row, inputs.column(name)); };
      rows.push_back({.preference = number("preference"),
                      .baseline_length = static_cast<std::int64_t>(number("len_1")),
                      .model_length = static_cast<std::int64_t>(number("len_2")),
                      .difficulty = difficulties.number(rows.size(), 1)});
    }
    return models;
  }
};

}  // namespace lmpo
