#include "data/files.h"

#include <gmock/gmock.h>

#include "io/test_folder.h"

namespace lmpo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FilesTest : public FolderTest {
 protected:
  fs::path make(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    write_file_atomically(folder_ / name, "{}\n");
    return folder_ / name;
  }
};

TEST_F(FilesTest, AFileStandsForItselfWhateverItsName) {
  const fs::path odd = make("rows.txt");
  EXPECT_THAT(find_data_files({odd, folder_ / "absent.json"}),
              ElementsAre(odd, folder_ / "absent.json"));  // the reader says what is wrong with it
  const fs::path stars = make("a*b.json");
  make("axb.json");
  EXPECT_THAT(find_data_files({stars}), ElementsAre(stars));
}

TEST_F(FilesTest, AFolderStandsForItsDataInOrder) {
  const fs::path second = make("data/train-00001.jsonl.gz");
  const fs::path first = make("data/train-00000.jsonl.zst");
  const fs::path above = make("b.json");
  make("README.md");
  make("dataset_info.json");
  make(".cache/old.json");
  make(".hidden.jsonl");
  EXPECT_THAT(find_data_files({folder_}), ElementsAre(above, first, second));
  EXPECT_THAT(find_data_files({folder_ / "data", above}), ElementsAre(first, second, above));
}

TEST_F(FilesTest, APatternStandsForWhatItMatches) {
  const fs::path a = make("part-1.jsonl");
  const fs::path b = make("part-2.txt");
  make("other.jsonl");
  fs::create_directories(folder_ / "part-3");
  EXPECT_THAT(find_data_files({folder_ / "part-*"}), ElementsAre(a, b));
  EXPECT_THAT(find_data_files({folder_ / "part-[2-9]*"}), ElementsAre(b));
  EXPECT_THAT(user_error_of([&] { find_data_files({folder_ / "nothing*"}); }),
              HasSubstr("nothing*: no file matches"));
}

TEST_F(FilesTest, AFolderWithoutDataSaysWhatIsThere) {
  make("a.parquet");
  make("b.parquet");
  make("LICENSE");
  EXPECT_THAT(user_error_of([&] { find_data_files({folder_}); }),
              HasSubstr("there is 1 without an extension, 2 .parquet"));
}

}  // namespace
}  // namespace lmpo
