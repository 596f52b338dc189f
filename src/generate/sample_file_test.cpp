#include "generate/sample_file.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"

namespace lmpo::sample_file_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class SampleFileTest : public FolderTest {
 protected:
  fs::path file() const { return folder_ / "samples.jsonl"; }
  static ordered_json settings(int seed = 42, int threads = 1) {
    return {{"seed", seed}, {"threads", threads}};
  }
  void append(std::int64_t from, std::int64_t to) const {
    SampleFile samples(file(), settings());
    EXPECT_EQ(samples.done(), from);
    for (std::int64_t index = from; index < to; ++index) {
      samples.append(fmt::format("{{\"index\": {}}}", index));
    }
  }
};

TEST_F(SampleFileTest, ResumesAfterTheLastWholeLine) {
  append(0, 2);
  const std::string whole = read_file(file());
  EXPECT_EQ(read_json(SampleFile::settings_path(file())), json(settings()));
  write_file_atomically(file(), whole + "{\"ind");
  append(2, 3);
  EXPECT_EQ(read_file(file()), whole + "{\"index\": 2}\n");
}

TEST_F(SampleFileTest, NothingIsWrittenBeforeTheFirstLine) {
  const SampleFile samples(file(), settings());
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(SampleFileTest, OtherSettingsAreRefusedUnlessNoAnswerDependsOnThem) {
  append(0, 1);
  EXPECT_EQ(SampleFile(file(), settings(42, 8)).done(), 1);
  EXPECT_THAT([&] { SampleFile(file(), settings(7)); },
              ThrowsMessage<UserError>(
                  AllOf(HasSubstr("cannot resume"), HasSubstr("started with seed 42"))));
  fs::remove(SampleFile::settings_path(file()));
  EXPECT_THAT([&] { SampleFile(file(), settings()); },
              ThrowsMessage<UserError>(HasSubstr("samples.jsonl.settings.json is missing")));
}

TEST_F(SampleFileTest, LinesOfAnotherProgramAreRefused) {
  append(0, 1);
  write_file_atomically(file(), "{\"index\": 1}\n");
  EXPECT_THAT(
      [&] { SampleFile(file(), settings()); },
      ThrowsMessage<UserError>(HasSubstr("samples.jsonl:1: expected the answers to prompt 0")));
}

}  // namespace
}  // namespace lmpo::sample_file_test
