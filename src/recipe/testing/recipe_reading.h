// A recipe as lmpo train reads it, without the log: for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "recipe/train_recipe.h"

namespace lmpo {

struct RecipeReading {
  TrainRecipe recipe;
  OptionSet options{"lmpo train", "Trains a model."};

  // Reads nothing.
  RecipeReading() { add_train_options(options, recipe); }
  explicit RecipeReading(const std::vector<std::string>& arguments, std::string_view yaml = "")
      : RecipeReading() {
    EXPECT_TRUE(options.read_arguments(arguments));
    options.read_yaml(yaml, "r.yaml");
    options.resolve();
  }

  // The texts of all remarks, a line each.
  std::string remarks() const {
    std::string text;
    for (const Remark& remark : options.remarks()) {
      text += remark.text + "\n";
    }
    return text;
  }
};

// What reading is refused with.
inline std::string error_of(const std::vector<std::string>& arguments, std::string_view yaml = "") {
  try {
    const RecipeReading run(arguments, yaml);
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// The options that every run needs.
inline const std::vector<std::string> kNeeded = {"-m",     "model",        "--data",
                                                 "a.json", "--output_dir", "out"};

inline std::vector<std::string> needed_and(std::vector<std::string> more) {
  more.insert(more.begin(), kNeeded.begin(), kNeeded.end());
  return more;
}

}  // namespace lmpo
