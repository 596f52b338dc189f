#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <fstream>
#include <set>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/file.h"
#include "base/growing_file.h"
#include "base/json.h"
#include "base/names.h"
#include "base/printable_json.h"
#include "base/random.h"
#include "base/threads.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              fmt::format("lmpo_base_test_{}_{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST(Random, PhiloxKnownAnswers) {
  // Known-answer vectors published with the generator (kat_vectors of Random123).
  const std::array<std::uint32_t, 4> zeros = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  const std::array<std::uint32_t, 4> ones = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  EXPECT_EQ(philox(0, 0, 0), zeros);
  EXPECT_EQ(philox(~0ULL, ~0ULL, ~0ULL), ones);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(42, 1);
  double sum = 0;
  double square = 0;
  double uniform = 0;
  constexpr int count = 200000;
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    sum += x;
    square += x * x;
    uniform += random.uniform();
  }
  EXPECT_NEAR(sum / count, 0, 0.01);
  EXPECT_NEAR(square / count, 1, 0.01);
  EXPECT_NEAR(uniform / count, 0.5, 0.005);
}

TEST(Random, PermutationHoldsEveryIndexOnce) {
  const auto order = permutation(1000, 3, 4);
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 1000U);
  EXPECT_EQ(order, permutation(1000, 3, 4));
  EXPECT_NE(order, permutation(1000, 3, 5));
  EXPECT_TRUE(permutation(0, 1, 1).empty());
}

TEST(Threads, CoversEveryIndexOnceAndRethrows) {
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    std::vector<std::atomic<int>> seen(1001);
    parallel_for(1001, 10, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        ++seen[static_cast<std::size_t>(i)];
      }
    });
    parallel_each(1001, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
    for (const auto& value : seen) {
      EXPECT_EQ(value, 2);
    }
    EXPECT_THROW(parallel_each(8,
                               [](std::int64_t i) {
                                 if (i == 5) {
                                   throw UserError("five");
                                 }
                               }),
                 UserError);
    for (int repetition = 0; repetition < 20; ++repetition) {
      try {
        parallel_each(1000, [](std::int64_t i) {
          if (i >= 100) {
            throw UserError(std::to_string(i));
          }
        });
        ADD_FAILURE();
      } catch (const UserError& error) {
        EXPECT_STREQ(error.what(), "100");  // the lowest one, whatever the timing
      }
    }
  }
  set_threads(available_threads());
}

TEST(Names, FindsTheNearest) {
  const std::vector<std::string> known = {"learning_rate", "beta", "max_length"};
  EXPECT_EQ(nearest_name("learning_rte", known), "learning_rate");
  EXPECT_EQ(nearest_name("bta", known), "beta");
  EXPECT_EQ(nearest_name("max_len", known), "max_length");
  EXPECT_EQ(nearest_name("max_le", known), "");
  EXPECT_EQ(nearest_name("completely_else", known), "");
  EXPECT_EQ(nearest_name(std::string(1 << 20, 'x'), known), "");
}

TEST(Json, ErrorsNameFileKeyAndExpectation) {
  const json object = parse_json(R"({"a": 1, "b": "x", "c": null})", "f.json");
  EXPECT_EQ(required<std::int64_t>(object, "a", "f.json"), 1);
  EXPECT_EQ(optional<double>(object, "c", 2.5, "f.json"), 2.5);
  try {
    required<std::int64_t>(object, "b", "f.json");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "f.json: key 'b': a whole number was expected, not \"x\"");
  }
  EXPECT_THROW(required<bool>(object, "missing", "f.json"), UserError);
  EXPECT_THROW(parse_json("{", "f.json"), UserError);
}

TEST(Json, RefusesNestingThatCouldExhaustTheStack) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(500), "f.json"));
  EXPECT_THROW(parse_json(nested(501), "f.json"), UserError);
  EXPECT_THROW(parse_json(std::string(10'000'000, '['), "f.json"), UserError);
  // Brackets of texts and of lists side by side do not nest.
  const json flat = parse_json(R"({"a\\": "\\\"[[[", "b": [[]]})", "f.json");
  EXPECT_EQ(flat.size(), 2U);
  EXPECT_NO_THROW(parse_json("[\"" + std::string(1000, '[') + "\"]", "f.json"));
  std::string many = "[[]";
  for (int i = 0; i < 1000; ++i) {
    many += ",[]";
  }
  EXPECT_NO_THROW(parse_json(many + "]", "f.json"));
}

TEST_F(Files, AppearWholeOrNotAtAll) {
  const fs::path path = folder_ / "a.txt";
  {
    AtomicFile file(path);
    file.write("half");
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
  write_file_atomically(path, "whole");
  append_line(path, "line");
  EXPECT_EQ(read_file(path), "wholeline\n");
  const MappedFile mapped(path);
  EXPECT_EQ(mapped.bytes().size(), 10U);
  EXPECT_THROW(read_file(folder_ / "none"), UserError);
  EXPECT_THROW(read_file(folder_), UserError);
}

TEST_F(Files, AFailedAppendLeavesTheFileAsItWas) {
  const fs::path path = folder_ / "log";
  append_to_file(path, "one\n");
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {6, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(append_to_file(path, "a longer line\n"), MachineError);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(path), "one\n");
  append_to_file(path, "two\n");
  EXPECT_EQ(read_file(path), "one\ntwo\n");
  EXPECT_THROW(append_to_file(folder_ / "none/log", "x"), MachineError);
}

TEST(Utf8, IsValidWhereReplacingChangesNothing) {
  const std::string ascii(20, 'a');
  for (const std::string part : {"a", "\xC3\xA4", "\xF0\x9F\x99\x82", "\xE9", "\x80", "\xE2\x82"}) {
    for (std::size_t at = 0; at <= ascii.size(); ++at) {
      const std::string text = ascii.substr(0, at) + part + ascii.substr(at);
      EXPECT_EQ(is_valid_utf8(text), replace_invalid_utf8(text) == text) << part << " at " << at;
      const std::string end = ascii.substr(0, at) + part;
      EXPECT_EQ(is_valid_utf8(end), replace_invalid_utf8(end) == end) << part << " after " << at;
    }
  }
}

TEST(Utf8, PrintableTextCommandsNoTerminal) {
  EXPECT_EQ(printable("plain \u00e9\u4e2d\U0001F600 text", LineEnds::escape),
            "plain \u00e9\u4e2d\U0001F600 text");
  EXPECT_EQ(printable("a\x1b[31mred\x07\x7f\t\r", LineEnds::escape),
            "a\\x1b[31mred\\x07\\x7f\\t\\r");
  EXPECT_EQ(printable("one\ntwo", LineEnds::keep), "one\ntwo");
  EXPECT_EQ(printable("one\ntwo", LineEnds::escape), "one\\ntwo");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m",
                      LineEnds::keep),
            "\\x9b31m");  // C1's own way to say ESC [
  EXPECT_EQ(printable("\u202eabc\u2066\u200f", LineEnds::keep), "\\u202eabc\\u2066\\u200f");
  EXPECT_EQ(printable("\U000E0041", LineEnds::keep), "\\U000e0041");
  EXPECT_EQ(printable("a\xff"
                      "b",
                      LineEnds::keep),
            "a\uFFFD"
            "b");
  for (char32_t c = 0; c < 0xA0; ++c) {
    std::string text;
    append_utf8(text, c);
    for (const char shown : printable(text, LineEnds::escape)) {
      EXPECT_TRUE(shown >= 0x20 && shown < 0x7F) << static_cast<unsigned>(c);
    }
  }
}

TEST(Utf8, PrintableJsonIsTheSameJson) {
  const json value = {{"text", "plain \u00e9 \u009b31m\u202e \x1b\x7f \U000E0041 \U0001F600\n"}};
  for (const int indent : {-1, 2}) {
    const std::string shown = printable_json(value.dump(indent));
    EXPECT_EQ(json::parse(shown), value);
    EXPECT_EQ(printable(shown, LineEnds::keep), shown);
    EXPECT_NE(shown.find("\u00e9"), std::string::npos);
    EXPECT_NE(shown.find("\\u009b31m\\u202e"), std::string::npos);
  }
}

TEST(HubNames, AreAnOwnerAndAName) {
  for (const char* name : {"owner/name", "mistralai/Mistral-7B-Instruct-v0.2", "a/b."}) {
    EXPECT_TRUE(is_hub_name(name)) << name;
  }
  for (const char* path : {"name", "/name", "owner/", "./name", "a/b/c", "data/pairs.json", ""}) {
    EXPECT_FALSE(is_hub_name(path)) << path;
  }
}

TEST_F(Files, TheHubsCacheIsSearchedForTheNewestState) {
  ::setenv("HF_HUB_CACHE", folder_.c_str(), 1);
  const fs::path model = folder_ / "models--owner--name";
  EXPECT_EQ(find_in_hub_cache("models", "owner/name"), "");
  fs::create_directories(model / "refs");
  write_file_atomically(model / "refs/main", "abc\n");
  EXPECT_EQ(find_in_hub_cache("models", "owner/name"), "");
  fs::create_directories(model / "snapshots/abc");
  EXPECT_EQ(find_in_hub_cache("models", "owner/name"), model / "snapshots/abc");
  EXPECT_EQ(find_in_hub_cache("datasets", "owner/name"), "");
  ::unsetenv("HF_HUB_CACHE");
}

}  // namespace
}  // namespace lmpo
