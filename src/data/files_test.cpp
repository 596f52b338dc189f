#include "data/files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "base/testing/test_folder.h"
#include "data/dataset_folder.h"

namespace lmpo::files_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FilesTest : public FolderTest {
 protected:
  fs::path make(const std::string& name, std::string_view content = "{}\n") const {
    fs::create_directories((folder_ / name).parent_path());
    write_file_atomically(folder_ / name, content);
    return folder_ / name;
  }
  static std::vector<fs::path> find(const DataSource& source,
                                    DataPurpose purpose = DataPurpose::training) {
    return find_data_files(source, purpose);
  }
  std::vector<fs::path> find_split(const std::string& split, const std::string& config = "") const {
    DataSource source(folder_);
    source.split = split;
    source.config = config;
    return find(source);
  }
  std::vector<fs::path> evaluation() const { return find(folder_, DataPurpose::evaluation); }
};

TEST_F(FilesTest, AFileStandsForItselfWhateverItsName) {
  const fs::path odd = make("rows.txt");
  EXPECT_THAT(find(odd), ElementsAre(odd));
  // The reader says what is wrong with it.
  EXPECT_THAT(find(folder_ / "absent.json"), ElementsAre(folder_ / "absent.json"));
  const fs::path stars = make("a*b.json");
  make("axb.json");
  EXPECT_THAT(find(stars), ElementsAre(stars));
  DataSource source(odd);
  source.split = "train[:10]";  // as in datasets, a file is its own train split
  EXPECT_THAT(find(source), ElementsAre(odd));
  source.split = "test";
  EXPECT_THAT(user_error_of([&] { find(source); }), HasSubstr("rows.txt: this is a file; 'split'"));
}

TEST_F(FilesTest, AFolderStandsForItsDataInOrder) {
  const fs::path second = make("data/part-2.jsonl.gz");
  const fs::path first = make("data/part-1.jsonl.zst");
  const fs::path above = make("b.parquet");
  make("README.md");
  make("dataset_info.json");
  make(".cache/old.json");
  make(".hidden.jsonl");
  EXPECT_THAT(find(folder_), ElementsAre(above, first, second));
  EXPECT_THAT(find(folder_ / "data"), ElementsAre(first, second));
  EXPECT_THAT(evaluation(), ElementsAre(above, first, second));  // there is nothing else
}

TEST_F(FilesTest, APatternStandsForWhatItMatches) {
  const fs::path a = make("part-1.jsonl");
  const fs::path b = make("part-2.txt");
  make("other.jsonl");
  fs::create_directories(folder_ / "part-3");
  EXPECT_THAT(find(folder_ / "part-*"), ElementsAre(a, b));
  EXPECT_THAT(find(folder_ / "part-[2-9]*"), ElementsAre(b));
  EXPECT_THAT(user_error_of([&] { find(folder_ / "nothing*"); }),
              HasSubstr("nothing*: no file matches"));
}

TEST_F(FilesTest, AFolderWithoutDataSaysWhatIsThere) {
  make("a.csv");
  make("b.csv");
  make("LICENSE");
  EXPECT_THAT(user_error_of([&] { find(folder_); }),
              HasSubstr("it has 1 without an extension, 2 .csv"));
}

TEST_F(FilesTest, SplitsAreToldByTheNamesOfShards) {
  const fs::path prefs = make("data/train_prefs-00000-of-00001.parquet");
  const fs::path first = make("data/train_sft-00000-of-00002.parquet");
  const fs::path second = make("data/train_sft-00001-of-00002.parquet");
  const fs::path test = make("data/test_prefs-00000-of-00001.parquet");
  EXPECT_THAT(find_split("train_prefs"), ElementsAre(prefs));
  EXPECT_THAT(find_split("train_sft"), ElementsAre(first, second));
  EXPECT_THAT(evaluation(), ElementsAre(test));  // the only one that begins so
  EXPECT_THAT(user_error_of([&] { find(folder_); }),
              HasSubstr("choose one with --dataset_train_split from test_prefs, "
                        "train_prefs, train_sft"));
  EXPECT_THAT(user_error_of([&] { find_split("train_pref"); }),
              HasSubstr("there is no split 'train_pref' (did you mean 'train_prefs'?)"));
}

TEST_F(FilesTest, SplitsAreToldByWordsInPaths) {
  const fs::path train = make("train.jsonl");
  const fs::path test = make("held-out/Test.jsonl");
  make("contestants.jsonl");  // "test" is no word of it
  EXPECT_THAT(find(folder_), ElementsAre(train));
  EXPECT_THAT(evaluation(), ElementsAre(test));
  fs::remove(train);
  EXPECT_THAT(find(folder_), ElementsAre(folder_ / "contestants.jsonl"));
}

TEST_F(FilesTest, TheReadmeSaysWhatSplitsThereAre) {
  make("README.md",
       "---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files:\n"
       "  - split: train_prefs\n    path: data/pairs-*\n"
       "  - split: test_prefs\n    path: [data/held.jsonl, more/**]\n"
       "- config_name: small\n  data_files: few.jsonl\n---\n# Text\n");
  const fs::path one = make("data/pairs-1.jsonl");
  const fs::path two = make("data/pairs-2.jsonl");
  const fs::path held = make("data/held.jsonl");
  const fs::path deep = make("more/and/more.jsonl");
  const fs::path few = make("few.jsonl");
  EXPECT_THAT(find(folder_), ElementsAre(one, two));
  EXPECT_THAT(evaluation(), ElementsAre(held, deep));
  EXPECT_THAT(find_split("train", "small"), ElementsAre(few));
  EXPECT_THAT(
      user_error_of([&] { find_split("", "smal"); }),
      HasSubstr("no configuration 'smal' (did you mean 'small'?); the configurations are default"));
}

TEST_F(FilesTest, AReadmeThatIsNotUnderstoodSaysWhatToDo) {
  const fs::path data = make("a.jsonl");
  const auto error = [&](std::string_view matter) {
    make("README.md", "---\n" + std::string(matter) + "\n---\n");
    return user_error_of([&] { find(folder_); });
  };
  EXPECT_THAT(error("configs: [\n"), HasSubstr("README.md: its front matter is not valid YAML"));
  EXPECT_THAT(error("configs: [a]"), HasSubstr("'configs' is not a list of configurations"));
  EXPECT_THAT(error("configs: [{data_files: [{split: train}]}]"), HasSubstr("lacks 'split' or"));
  EXPECT_THAT(error("configs: [{data_files: [b.jsonl]}]"), HasSubstr("no file matches 'b.jsonl'"));
  EXPECT_THAT(error("configs: [{data_files: []}]"), HasSubstr("'data_files' in its configs names"));
  EXPECT_THAT(error("configs: [{data_dir: inner}]"),
              HasSubstr("there is no folder 'inner', which its README.md names"));
  EXPECT_THAT(error("configs: [{data_dir: a.jsonl}]"), HasSubstr("there is no folder 'a.jsonl'"));
  for (const char* out : {"..", "inner/../..", "/", "\"a\\0b\""}) {
    EXPECT_THAT(error(fmt::format("configs: [{{data_dir: {}}}]", out)),
                HasSubstr("'data_dir' in its configs leads out of the folder"));
  }
  EXPECT_THAT(error("configs: [{config_name: a}, {config_name: b}]"),
              HasSubstr("name a configuration; the configurations are a, b"));
  for (const char* readme :
       {"# No front matter\n", "---\nlicense: mit\n---\n", "---\nnever ends\n"}) {
    make("README.md", readme);
    EXPECT_THAT(find(folder_), ElementsAre(data));
  }
}

TEST_F(FilesTest, FilesInsideAFolderMayBeNamed) {
  const fs::path a = make("x/a.jsonl");
  make("x/b.jsonl");
  DataSource source(folder_);
  source.data_files = {"x/a*"};
  EXPECT_THAT(find(source), ElementsAre(a));
  source.data_files = {"y/*"};
  EXPECT_THAT(user_error_of([&] { find(source); }), HasSubstr("no file matches 'y/*'"));
}

TEST_F(FilesTest, ADatasetOfTheHubIsFoundInItsCache) {
  ::setenv("HF_HUB_CACHE", folder_.c_str(), 1);
  const fs::path base = "datasets--owner--some-pairs";
  make(base / "refs/main", "abc123\n");
  const fs::path file = make(base / "snapshots/abc123/train.jsonl");
  EXPECT_THAT(find(DataSource("owner/some-pairs")), ElementsAre(file));
  EXPECT_THAT(user_error_of([&] { find(DataSource("owner/others")); }),
              HasSubstr("hf download --repo-type dataset owner/others"));
  ::unsetenv("HF_HUB_CACHE");
}

}  // namespace
}  // namespace lmpo::files_test
