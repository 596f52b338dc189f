#include "data/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/line_input.h"
#include "base/testing/test_paths.h"
#include "data/schema.h"

namespace lmpo::reader_test {
namespace {

using ::testing::HasSubstr;

std::vector<SourceRow> rows_of(std::string_view text) {
  std::vector<SourceRow> rows;
  const std::int64_t count =
      read_rows(text, "f", [&](SourceRow&& row) { rows.push_back(std::move(row)); });
  EXPECT_EQ(count, static_cast<std::int64_t>(rows.size()));
  return rows;
}

std::string error_of(std::string_view text) {
  try {
    rows_of(text);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Reader, ArrayRowsAreCountedFromZero) {
  const auto rows = rows_of("\xEF\xBB\xBF [ {\"a\": \"]},{\\\"\"} ,\n{\"a\": [{}, [1]]}]\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].location, "f: row 0");
  EXPECT_EQ(rows[0].value["a"], "]},{\"");
  EXPECT_EQ(rows[1].index, 1);
  EXPECT_EQ(rows[1].value["a"].size(), 2u);
}

TEST(Reader, LinesAreNumberedAsInTheFileAndBlankOnesSkipped) {
  const auto rows = rows_of("\n{\"a\":1}\r\n\n  \t\n  {\"a\":2}  ");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].location, "f:2");
  EXPECT_EQ(rows[1].location, "f:5");
  EXPECT_EQ(rows[1].index, 1);
  EXPECT_EQ(rows[1].value["a"], 2);
}

TEST(Reader, FilesWithoutRows) {
  EXPECT_TRUE(rows_of("").empty());
  EXPECT_TRUE(rows_of(" \n\n").empty());
  EXPECT_TRUE(rows_of("\xEF\xBB\xBF").empty());
  EXPECT_TRUE(rows_of("[]").empty());
  EXPECT_TRUE(rows_of(" [ ]\n").empty());
}

TEST(Reader, NumbersThatPythonWritesAndJsonDoesNotKnowAreNull) {
  const auto rows = rows_of(
      "{\"b\": NaN, \"a\": \"NaN, \\\"-Infinity\", \"c\": [1, -Infinity, 1e999, -1e999, 1e3]}\n"
      "{\"b\": Infinity,\"a\":123456789012345678901234567890}\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].value.dump(),
            R"({"b":null,"a":"NaN, \"-Infinity","c":[1,null,null,null,1000.0]})");
  EXPECT_TRUE(rows[1].value["b"].is_null());
  EXPECT_TRUE(rows[1].value["a"].is_number());
}

TEST(Reader, KeysKeepTheirOrder) {
  EXPECT_EQ(rows_of("{\"b\": {\"z\": 1, \"a\": 2}, \"a\": 3}")[0].value.dump(),
            R"({"b":{"z":1,"a":2},"a":3})");
}

TEST(Reader, ErrorsNameTheRow) {
  EXPECT_THAT(error_of("{\"a\":1}\n{\"a\" 1}\n"), HasSubstr("f:2: not valid JSON"));
  EXPECT_THAT(error_of("{\"a\":1}\n[1]\n"), HasSubstr("f:2: a row must be an object"));
  EXPECT_THAT(error_of("{\"a\":1} {\"a\":2}"), HasSubstr("f:1: not valid JSON"));
  EXPECT_THAT(error_of("{\"a\":NaN, b}"), HasSubstr("f:1: not valid JSON"));
  EXPECT_THAT(error_of("{\"a\":Nan2}"), HasSubstr("f:1: not valid JSON"));
  EXPECT_THAT(error_of("{\"a\":\"\\ud800\"}"), HasSubstr("f:1: not valid JSON"));
  EXPECT_THAT(error_of("[{\"a\":1},{\"a\" 1}]"), HasSubstr("f: row 1: not valid JSON"));
  EXPECT_THAT(error_of("[{\"a\":1},3]"), HasSubstr("f: row 1: a row must be an object"));
  EXPECT_THAT(error_of("[{\"a\":1} {\"a\":2}]"), HasSubstr("f: row 0: expected ',' or ']'"));
}

TEST(Reader, FilesCutShortOrOfAnotherKind) {
  EXPECT_THAT(error_of("[{\"a\":1},{\"a\":\"x"), HasSubstr("f: row 1: the file ends inside"));
  EXPECT_THAT(error_of("[{\"a\":1}"), HasSubstr("no closing ']' (after 1 row)"));
  EXPECT_THAT(error_of("[{\"a\":1},]"), HasSubstr("comma"));
  EXPECT_THAT(error_of("[{\"a\":1}] x"), HasSubstr("follows the closing"));
  EXPECT_THAT(error_of("PAR1\x15\x04"), HasSubstr("not a JSON array"));
  EXPECT_THAT(error_of("\xFF\xFE[\0"), HasSubstr("not a JSON array"));
}

TEST(Reader, RowsOfInvalidUtf8AreMarkedAndTheOthersRead) {
  for (const std::string bad :
       {"\xE9t\xE9", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    const std::string row = "{\"a\":\"" + bad + "\"}";
    for (const std::string& text :
         {"{\"a\":1}\n" + row + "\n{\"a\":3}", "[{\"a\":1}," + row + ",{\"a\":3}]"}) {
      const auto rows = rows_of(text);
      ASSERT_EQ(rows.size(), 3u);
      EXPECT_TRUE(rows[0].valid_utf8);
      EXPECT_FALSE(rows[1].valid_utf8);
      EXPECT_EQ(rows[2].value["a"], 3);
    }
  }
}

TEST(Reader, AVeryLongLine) {
  const std::string content(10'000'000, 'x');
  const auto rows = rows_of("{\"a\":\"" + content + "\"}\n{\"a\":\"y\"}");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].value["a"].get_ref<const std::string&>().size(), content.size());
}

TEST(Reader, ARowThatIsNoTextIsRefused) {
  std::string text(kLongestLine + 1, 'a');
  text = "{\"prompt\": \"a\"}\n{\"prompt\": \"" + text + "\"}\n";
  EXPECT_THAT(error_of(text), HasSubstr("f:2: this row has 67"));
}

TEST(Reader, DeepNestingIsRefusedBeforeItIsParsed) {
  const std::string deep = "{\"a\":" + std::string(5'000'000, '[');
  EXPECT_THAT(error_of(deep), HasSubstr("f:1: nested deeper"));
  EXPECT_THAT(error_of("[" + deep + std::string(5'000'000, ']') + "}]"),
              HasSubstr("f: row 0: nested deeper"));
}

class ParquetRows : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(lmpo_binary().parent_path() / "lmpo_parquet.so")) {
      GTEST_SKIP() << "built without Arrow's library, which ./setup fetches";
    }
  }

  static fs::path golden(const std::string& name) {
    return source_folder() / "src/parquet/testdata" / name;
  }
  template <typename... Columns>
  static std::vector<SourceRow> rows_in(const std::string& name, const Columns&... wanted) {
    std::vector<SourceRow> rows;
    const std::int64_t count = read_rows(golden(name), wanted...,
                                         [&](SourceRow&& row) { rows.push_back(std::move(row)); });
    EXPECT_EQ(count, static_cast<std::int64_t>(rows.size()));
    return rows;
  }
  // What a schema makes of a row, in words.
  static std::string meaning(const SourceRow& row, RowKind kind) {
    try {
      const auto result = normalise_row(row.value, kind, "row");
      if (const auto* reason = std::get_if<DropReason>(&result)) {
        return fmt::format("dropped {}", static_cast<int>(*reason));
      }
      const Row& parsed = std::get<Row>(result);
      std::string words = parsed.desirable ? "good" : "bad";
      for (const Passage& passage : parsed.responses) {
        for (const Message& message : passage.turns) {
          words += fmt::format(" {}: {}", message.role, message.content);
        }
      }
      return words;
    } catch (const UserError& error) {
      return error.what();
    }
  }
};

TEST_F(ParquetRows, AreThoseOfTheSameDataAsLines) {
  const auto lines = rows_in("pairs.jsonl");
  const auto rows = rows_in("pairs_zstd.parquet");
  ASSERT_EQ(rows.size(), lines.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].index, lines[i].index);
    EXPECT_EQ(rows[i].location,
              fmt::format("{}: row {}", golden("pairs_zstd.parquet").string(), i));
    EXPECT_EQ(json(rows[i].value), json(lines[i].value));  // columns may come in any order
    for (const RowKind kind : {RowKind::preference, RowKind::labelled}) {
      EXPECT_EQ(meaning(rows[i], kind), meaning(lines[i], kind));
    }
  }
}

TEST_F(ParquetRows, HaveTheColumnsThatAreAskedFor) {
  const std::vector<std::string> columns = {"id", "label"};
  const auto rows = rows_in("pairs_zstd.parquet", columns);
  ASSERT_EQ(rows.size(), 10u);
  EXPECT_EQ(json(rows[1].value), (json{{"label", false}}));
  std::vector<std::string> unread;
  read_rows(
      golden("pairs_zstd.parquet"), columns, [](SourceRow&&) {}, &unread);
  EXPECT_THAT(unread, ::testing::Contains("prompt"));
  EXPECT_THAT(unread, ::testing::Not(::testing::Contains("label")));
  EXPECT_FALSE(rows_in("bad_utf8.parquet")[1].valid_utf8);
  EXPECT_THROW(rows_in("other_columns.parquet"), UserError);
}

TEST(Reader, MissingFileIsNamed) {
  try {
    read_rows(fs::path("/no/such/file.json"), [](SourceRow&&) {});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/no/such/file.json"));
  }
}

}  // namespace
}  // namespace lmpo::reader_test
