#include "data/token_cache.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "base/temporary_name.h"
#include "base/testing/test_folder.h"

namespace lmpo::token_cache_test {
namespace {

using ::testing::HasSubstr;

class TokenCacheTest : public FolderTest {
 protected:
  Dataset make(const TreeSink& sink) {
    ++made_;
    sink({.sequences = {{{1, 2, 3, 4}, 2}, {{1, 2, 9}, 2}}, .row = 0});
    sink({.sequences = {{{5, 6, 7, 8, 9}, 1, {{2, 3}}}}, .row = 2, .desirable = false});
    Dataset dataset;
    dataset.rows = 3;
    dataset.id_limit = 10;
    dataset.truncated = 1;
    dataset.drops.add(1, DropReason::empty_response);
    dataset.notes.add(2, {{RowNote::turn_left_out, "system: s"}});
    dataset.unused_columns.see(std::vector<std::string>{"id"});
    dataset.too_long = {7};
    return dataset;
  }
  Dataset get(const std::string& key = "key") {
    return TokenCache(folder_).get(key, [&](const TreeSink& sink) { return make(sink); });
  }
  static void expect_whole(const Dataset& dataset) {
    ASSERT_EQ(dataset.trees.size(), 2u);
    EXPECT_EQ(dataset.trees[0].sequences[0].tokens, Tokens({1, 2, 3, 4}));
    EXPECT_EQ(dataset.trees[0].sequences[1].tokens, Tokens({1, 2, 9}));
    EXPECT_EQ(dataset.trees[0].sequences[1].scored_begin, 2);
    EXPECT_TRUE(dataset.trees[0].desirable);
    EXPECT_EQ(dataset.trees[1].sequences[0].tokens, Tokens({5, 6, 7, 8, 9}));
    EXPECT_EQ(dataset.trees[1].sequences[0].gaps, (std::vector<TokenRun>{{2, 3}}));
    EXPECT_TRUE(dataset.trees[0].sequences[1].gaps.empty());
    EXPECT_EQ(dataset.trees[1].row, 2);
    EXPECT_FALSE(dataset.trees[1].desirable);
    EXPECT_EQ(dataset.rows, 3);
    EXPECT_EQ(dataset.id_limit, 10);
    EXPECT_EQ(dataset.truncated, 1);
    EXPECT_THAT(dataset.notes.sentence(RowNote::turn_left_out), HasSubstr("row 2, system: s"));
    EXPECT_EQ(dataset.unused_columns.notice(), "unused columns: id");
    EXPECT_EQ(dataset.too_long, std::vector<std::int64_t>{7});
    EXPECT_EQ(dataset.drops.summary(), "1 dropped: empty response 1 (row 1)");
  }
  fs::path file() const { return folder_ / "key.tokens"; }
  // Without waiting for the disk, as write_file_atomically does.
  void overwrite(std::string_view content) const {
    std::ofstream(file(), std::ios::binary) << content;
  }

  int made_ = 0;
};

TEST_F(TokenCacheTest, WhatWasMadeOnceIsFoundAgain) {
  expect_whole(get());
  expect_whole(get());
  EXPECT_EQ(made_, 1);
  expect_whole(get("other"));
  EXPECT_EQ(made_, 2);
  EXPECT_FALSE(TokenCache(folder_).find("third"));
}

TEST_F(TokenCacheTest, WithoutAFolderNothingIsKept) {
  const TokenCache cache((fs::path()));
  expect_whole(cache.get("key", [&](const TreeSink& sink) { return make(sink); }));
  expect_whole(cache.get("key", [&](const TreeSink& sink) { return make(sink); }));
  EXPECT_EQ(made_, 2);
}

// Cut at any byte, with any bit changed: never trusted, always made anew.
TEST_F(TokenCacheTest, AFileThatIsNotWholeIsMadeAnew) {
  get();
  const std::string whole = read_file(file());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    overwrite(std::string_view(whole).substr(0, size));
    EXPECT_FALSE(TokenCache(folder_).find("key")) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ (1 << (at % 8)));
    overwrite(altered);
    EXPECT_FALSE(TokenCache(folder_).find("key")) << at;
  }
  made_ = 0;
  expect_whole(get());
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(read_file(file()), whole);
}

TEST_F(TokenCacheTest, AFileOfAnotherKeyOrVersionIsNotUsed) {
  get();
  const std::string whole = read_file(file());
  write_file_atomically(folder_ / "other.tokens", whole);
  EXPECT_THAT(user_error_of([&] { read_token_file(folder_ / "other.tokens", "other"); }),
              HasSubstr("it belongs to other data"));
  std::string later = whole;
  later[12] = '3';
  write_file_atomically(file(), later);
  EXPECT_THAT(user_error_of([&] { read_token_file(file(), "key"); }),
              HasSubstr("not a token file of this version"));
}

TEST_F(TokenCacheTest, WhatKilledProgramsLeftIsRemoved) {
  write_file_atomically(temporary_beside(folder_ / "other.tokens"), "half");
  write_file_atomically(folder_ / "notes.incomplete-1", "mine");
  expect_whole(get());
  EXPECT_EQ(listing(), (std::set<std::string>{"key.tokens", "notes.incomplete-1"}));
}

// Writing beyond the limit fails as on a disk that is full.
TEST_F(TokenCacheTest, WithoutRoomTheTokensStayInMemory) {
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit little{40, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const Dataset dataset = get();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, before);
  expect_whole(dataset);
  EXPECT_EQ(made_, 2);
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace lmpo::token_cache_test
