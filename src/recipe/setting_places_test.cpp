#include "recipe/setting_places.h"

#include <gtest/gtest.h>

#include "recipe/train_recipe.h"

namespace lmpo::setting_places_test {
namespace {

TEST(SettingPlaces, NameWhereAValueWasGiven) {
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  EXPECT_TRUE(options.read_arguments(
      {"r.yaml", "--model", "m", "--data", "a.json", "--output_dir", "o", "--objective", "lmpo"}));
  options.read_yaml("\nbeta: 2\nseed: null\n", "r.yaml");
  options.resolve();
  const SettingPlaces places = setting_places(options);
  EXPECT_EQ(places.recipe_file, "r.yaml");
  EXPECT_TRUE(places.given("beta"));
  EXPECT_EQ(places.place("beta"), options.place("beta"));
  EXPECT_EQ(places.place("beta"), "r.yaml:2: beta");
  EXPECT_EQ(places.place("dataset"), options.place("dataset"));
  EXPECT_FALSE(places.given("seed")) << "null means the default";
  EXPECT_EQ(places.place("lambda"), "lambda");
  EXPECT_FALSE(SettingPlaces{}.given("beta"));
}

}  // namespace
}  // namespace lmpo::setting_places_test
