#include "train/load_data.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "text/template_date.h"

namespace lmpo::load_data_test {
namespace {

using ::testing::HasSubstr;

class TemplateDateOfARun : public FolderTest {
 protected:
  fs::path checkpoint(const std::string& state) const {
    write_file_atomically(folder_ / "lmpo_state.json", state);
    return folder_;
  }
};

TEST_F(TemplateDateOfARun, IsTheGivenOneElseTheCheckpointsElseToday) {
  const fs::path recorded = checkpoint(R"({"options": {"template_date": "2021-02-03"}})");
  EXPECT_EQ(template_date("2020-02-29", recorded), "2020-02-29");
  EXPECT_EQ(template_date("", recorded), "2021-02-03");
  EXPECT_EQ(template_date("", {}), today());
  EXPECT_EQ(template_date("", checkpoint(R"({"options": {}})")), today()) << "an older checkpoint";
  EXPECT_EQ(template_date("", folder_ / "none"), today());
  EXPECT_THAT(user_error_of([] { template_date("yesterday", {}); }), HasSubstr("is not a date"));
}

TEST(LoadOptions, ADryRunKeepsNoTokens) {
  TrainRecipe recipe;
  EXPECT_EQ(load_options(recipe).token_cache, "auto");
  recipe.dry_run = true;
  EXPECT_EQ(load_options(recipe).token_cache, "none");
}

}  // namespace
}  // namespace lmpo::load_data_test
