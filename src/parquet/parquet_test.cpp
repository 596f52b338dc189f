#include "parquet/parquet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/testing/test_paths.h"

namespace lmpo::parquet_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Written by tools/oracle/parquet_golden.py.
const fs::path kTestdata = source_folder() / "src/parquet/testdata";
const std::vector<std::string> kPairColumns = {"prompt", "chosen", "rejected",
                                               "system", "scores", "label"};

struct Rows {
  std::vector<json> values;  // null where the row's text is not UTF-8
  std::string error;
};

Rows rows_of(std::string_view content, const std::vector<std::string>& wanted) {
  Rows rows;
  try {
    const auto bytes = std::as_bytes(std::span(content));
    const std::int64_t count =
        read_parquet(bytes, "f", wanted, [&](ordered_json&& value, bool valid_utf8) {
          EXPECT_EQ(value.is_object(), valid_utf8);
          rows.values.push_back(std::move(value));
        });
    EXPECT_EQ(count, static_cast<std::int64_t>(rows.values.size()));
  } catch (const UserError& error) {
    rows.error = error.what();
  }
  return rows;
}

std::string content(const std::string& name) {
  return read_file(kTestdata / name);
}

std::vector<json> golden_rows(const std::string& name) {
  std::vector<json> rows;
  const std::string text = content(name);
  for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1) {
    rows.push_back(json::parse(text.substr(begin, text.find('\n', begin) - begin)));
  }
  return rows;
}

class Parquet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(lmpo_binary().parent_path() / "lmpo_parquet.so")) {
      GTEST_SKIP() << "built without Arrow's library, which ./setup fetches";
    }
  }
};

TEST_F(Parquet, EveryCompressionAndEncodingHoldsTheSameRows) {
  const std::vector<json> expected = golden_rows("pairs.jsonl");
  ASSERT_EQ(expected.size(), 10u);
  for (const char* kind : {"snappy", "gzip", "brotli", "zstd", "lz4", "plain", "delta"}) {
    const Rows rows = rows_of(content(fmt::format("pairs_{}.parquet", kind)), kPairColumns);
    EXPECT_EQ(rows.error, "") << kind;
    EXPECT_EQ(rows.values, expected) << kind;
  }
}

TEST_F(Parquet, EveryTypeBecomesJson) {
  const std::vector<json> expected = golden_rows("types.jsonl");
  std::vector<std::string> columns = {"nothing"};
  for (const auto& [key, value] : expected[0].items()) {
    columns.push_back(key);
  }
  const Rows rows = rows_of(content("types.parquet"), columns);
  EXPECT_EQ(rows.error, "");
  EXPECT_EQ(rows.values, expected);
}

TEST_F(Parquet, OtherColumnsAreNotEvenDecoded) {
  std::string bytes = content("pairs_plain.parquet");
  const std::string embedding(32, '\0');  // the first row's, eight zeros
  const std::size_t at = bytes.find(embedding);
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 1;  // which the page's checksum tells
  EXPECT_EQ(rows_of(bytes, kPairColumns).values, golden_rows("pairs.jsonl"));
  EXPECT_THAT(rows_of(bytes, {"prompt", "embedding"}).error, StartsWith("f: damaged"));

  const Rows prompts = rows_of(bytes, {"text", "prompt"});
  ASSERT_EQ(prompts.values.size(), 10u);
  EXPECT_EQ(prompts.values[3], (json{{"prompt", "What is 3 + 3?"}}));
}

TEST_F(Parquet, RowsOfInvalidUtf8AreMarkedAndTheOthersRead) {
  const Rows rows = rows_of(content("bad_utf8.parquet"), {"text"});
  const std::vector<json> expected = {{{"text", "good"}}, nullptr, {{"text", "good again"}}};
  EXPECT_EQ(rows.values, expected);
}

// Random columns and rows in row groups of all sizes.
TEST_F(Parquet, EveryShapeOfColumnIsRead) {
  for (int number = 0; number < 8; ++number) {
    SCOPED_TRACE(number);
    const Rows rows =
        rows_of(content(fmt::format("shapes_{}.parquet", number)), {"c0", "c1", "c2", "c3"});
    EXPECT_EQ(rows.error, "");
    EXPECT_EQ(rows.values, golden_rows(fmt::format("shapes_{}.jsonl", number)));
  }
}

TEST_F(Parquet, LongTextsAreWhole) {
  const auto times = [](int count, const std::string& part) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += part;
    }
    return text;
  };
  const json one = times(500'000, "ab");
  const json two = times(500'000, "é");
  const Rows rows = rows_of(content("large.parquet"), {"prompt", "chosen"});
  const std::vector<json> expected = {{{"prompt", one}, {"chosen", {one, "", nullptr, two, "end"}}},
                                      {{"prompt", ""}},
                                      {{"chosen", json::array()}},
                                      {{"prompt", two}, {"chosen", json::array({one})}},
                                      {{"prompt", "end"}, {"chosen", json::array({""})}}};
  EXPECT_TRUE(rows.values == expected) << rows.error;  // too long to print
}

TEST_F(Parquet, TwoColumnsOfOneNameAreRefused) {
  EXPECT_THAT(rows_of(content("twice.parquet"), {"prompt"}).error,
              HasSubstr("two of its columns are called 'prompt'"));
  EXPECT_EQ(rows_of(content("twice.parquet"), {"chosen"}).values,
            (std::vector<json>{{{"chosen", "b"}}}));
}

TEST_F(Parquet, FilesOfOtherKindsAreRefused) {
  for (const std::string& bytes :
       {std::string("PAR1"), "PAR1" + std::string(100, '\0') + "PAR1", std::string("PAREPAR1"),
        "PAR1" + content("pairs_zstd.parquet").substr(4, 500) + "PAR1",
        std::string("PAR1{\"prompt\": \"a\"}PAR1")}) {
    EXPECT_THAT(rows_of(bytes, kPairColumns).error, StartsWith("f: damaged"));
  }
}

TEST_F(Parquet, FilesWithoutRows) {
  const Rows rows = rows_of(content("no_rows.parquet"), kPairColumns);
  EXPECT_EQ(rows.error, "");
  EXPECT_TRUE(rows.values.empty());
}

TEST_F(Parquet, NoneOfTheColumnsIsWanted) {
  EXPECT_EQ(rows_of(content("other_columns.parquet"), {"prompt", "chosen"}).error,
            "f: none of its columns, promt, chosen_response, id, is one that is read (is 'promt' "
            "meant as 'prompt'?). Those are: prompt, chosen");
}

TEST_F(Parquet, FilesCutShort) {
  const std::string whole = content("pairs_zstd.parquet");
  for (std::size_t size = 4; size < whole.size(); size += 13) {
    const Rows cut = rows_of(whole.substr(0, size), kPairColumns);
    EXPECT_THAT(cut.error, StartsWith("f: ")) << size;
    // As where bytes are missing in the middle.
    const Rows holed = rows_of(whole.substr(0, size) + whole.substr(size + 1), kPairColumns);
    EXPECT_THAT(holed.error, StartsWith("f: ")) << size;
  }
  EXPECT_THAT(rows_of("PAR1", kPairColumns).error, StartsWith("f: damaged"));
  EXPECT_THAT(rows_of("PAR1PAR1", kPairColumns).error, StartsWith("f: damaged"));
  EXPECT_THAT(rows_of("PAR1 and more", kPairColumns).error, HasSubstr("cut short"));
  const std::string no_footer(
      "PAR1\xFF\xFF\xFF\x7F"
      "PAR1",
      12);
  EXPECT_THAT(rows_of(no_footer, kPairColumns).error, StartsWith("f: damaged"));
}

TEST_F(Parquet, ABombIsRefused) {
  EXPECT_LT(content("bomb.parquet").size(), 5'000U);
  EXPECT_THAT(rows_of(content("bomb.parquet"), kPairColumns).error,
              AllOf(StartsWith("f: "), HasSubstr("unpack to more than 1 GB")));
}

// The golden files have checksums of their pages, which most writers leave out; what no checksum
// covers, the pages' headers, is checked by their number of values.
TEST_F(Parquet, ABitThatFlipsIsNoticedOrChangesNothing) {
  const std::string whole = content("pairs_snappy.parquet");
  const std::vector<json> expected = golden_rows("pairs.jsonl");
  const std::size_t tail = whole.size() - 8;  // the footer's size in four bytes, and "PAR1"
  const std::size_t footer = tail - static_cast<unsigned char>(whole[tail]) -
                             256u * static_cast<unsigned char>(whole[tail + 1]);
  for (std::size_t at = 4; at < whole.size(); at += at < footer ? 1 : 7) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    const Rows rows = rows_of(flipped, kPairColumns);
    if (!rows.error.empty()) {
      EXPECT_THAT(rows.error, StartsWith("f: ")) << at;
    } else if (at < footer) {
      EXPECT_TRUE(rows.values == expected) << "byte " << at;
    }
  }
}

}  // namespace
}  // namespace lmpo::parquet_test
