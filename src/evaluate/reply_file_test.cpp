#include "evaluate/reply_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/test_folder.h"

namespace lmpo::reply_file_test {
namespace {

class ReplyFiles : public FolderTest {
 protected:
  const fs::path path_ = folder_ / "replies.jsonl";
};

TEST_F(ReplyFiles, RepliesAreThereAgain) {
  {
    ReplyFile file(path_);
    file.add("a", {.logp = -0.1234567890123456789, .greedy = true});
    file.add("b", {.text = "two\nlines \xF0\x9F\x98\x80"});
    EXPECT_EQ(file.find("c"), nullptr);
  }
  const ReplyFile again(path_);
  EXPECT_EQ(again.find("a")->logp, -0.1234567890123456789);
  EXPECT_TRUE(again.find("a")->greedy);
  EXPECT_FALSE(again.find("a")->text.has_value());
  EXPECT_EQ(again.find("b")->text, "two\nlines \xF0\x9F\x98\x80");
}

// Wherever the program was killed, what is whole is used and what follows is written after it.
TEST_F(ReplyFiles, ATornFileGoesOn) {
  {
    ReplyFile file(path_);
    file.add("a", {.logp = -1});
    file.add("b", {.logp = -2});
  }
  const std::string whole = read_file(path_);
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file_atomically(path_, whole.substr(0, size));
    {
      ReplyFile file(path_);
      EXPECT_EQ(file.find("a") != nullptr, size >= first);
      EXPECT_EQ(file.find("b"), nullptr);
      file.add("c", {.logp = -3});
    }
    const ReplyFile again(path_);
    EXPECT_EQ(again.find("c")->logp, -3);
    EXPECT_EQ(again.find("a") != nullptr, size >= first);
  }
}

TEST_F(ReplyFiles, WhatIsNoReplyIsLeftOut) {
  write_file_atomically(path_,
                        "not JSON\n{\"key\": \"a\"}\n{\"key\": 3, \"text\": \"x\"}\n"
                        "{\"key\": \"b\", \"logp\": \"x\", \"greedy\": true}\n[]\n"
                        "{\"key\": \"c\", \"logp\": -1.5, \"greedy\": false}\n");
  const ReplyFile file(path_);
  EXPECT_EQ(file.find("a"), nullptr);
  EXPECT_EQ(file.find("b"), nullptr);
  EXPECT_EQ(file.find("c")->logp, -1.5);
}

TEST_F(ReplyFiles, TwoProgramsDoNotWriteOne) {
  const ReplyFile first(path_);
  EXPECT_THAT(user_error_of([&] { const ReplyFile second(path_); }),
              ::testing::HasSubstr("replies.jsonl"));
}

TEST_F(ReplyFiles, WithoutAPathNothingIsWritten) {
  ReplyFile file("");
  file.add("a", {.logp = -1});
  EXPECT_EQ(file.find("a")->logp, -1);
  EXPECT_EQ(listing().size(), 0U);
}

}  // namespace
}  // namespace lmpo::reply_file_test
