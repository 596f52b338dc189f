// cmake --install: what arrives, and that it works from there.
#include "base/testing/test_paths.h"
#include "cli/testing/find_program.h"

namespace lmpo::install_test {
namespace {

using ::testing::HasSubstr;

class Installation : public ProgramTest {};

TEST_F(Installation, StandsAlone) {
  if (find_program("cmake").empty()) {
    GTEST_SKIP() << "there is no cmake";
  }
  const fs::path build = lmpo_binary().parent_path().parent_path();
  const fs::path prefix = path("prefix");
  const Result installed =
      run_other("cmake", {"--install", build.string(), "--prefix", prefix.string()},
                {.timeout = std::chrono::seconds(600)});
  ASSERT_EQ(installed.exit_code, 0) << installed.err << installed.out;
  for (const char* file :
       {"bin/lmpo", "share/man/man1/lmpo.1", "share/man/man1/lmpo-train.1",
        "share/bash-completion/completions/lmpo", "share/zsh/site-functions/_lmpo",
        "share/fish/vendor_completions.d/lmpo.fish", "share/doc/lmpo/LICENSE"}) {
    EXPECT_GT(fs::file_size(prefix / file), 100U) << file;
  }
  const fs::path program = prefix / "bin/lmpo";
  EXPECT_EQ(run({"--version"}, {.program = program}).out, "lmpo " LMPO_VERSION "\n");
  if (!fs::exists(build / "bin/lmpo_parquet.so")) {
    GTEST_SKIP() << "built without a reader of Parquet files";
  }
  // The reader is found: it knows the columns of a file that has none of ours.
  const fs::path data = source_folder() / "src/parquet/testdata/other_columns.parquet";
  const Result read = run({"inspect", data.string(), "-m", model().string()}, {.program = program});
  EXPECT_EQ(read.exit_code, 2);
  EXPECT_THAT(read.err, HasSubstr("none of its columns, promt, chosen_response"));
}

}  // namespace
}  // namespace lmpo::install_test
