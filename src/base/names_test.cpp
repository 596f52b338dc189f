// What people type, and numbers as they are shown to them.
#include "base/names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/cache_folder.h"
#include "base/random.h"
#include "base/readable.h"
#include "base/testing/test_folder.h"

namespace lmpo::names_test {
namespace {

// Levenshtein's distance as it is defined.
std::size_t distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) {
    return a.size() + b.size();
  }
  const std::size_t replaced = distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1);
  return std::min({replaced, distance(a.substr(1), b) + 1, distance(a, b.substr(1)) + 1});
}

TEST(Names, TheNearestIsTheFirstOfTheSmallestDistance) {
  Random random(3, 0);
  const auto word = [&] {
    std::string text(random.below(7), ' ');
    std::generate(text.begin(), text.end(), [&] { return "abc"[random.below(3)]; });
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    const std::string typed = word();
    const std::vector<std::string> known = {word(), word(), word(), word()};
    std::string expected;
    std::size_t least = typed.size() / 3 + 2;  // further away is another word
    for (const std::string& name : known) {
      if (distance(typed, name) < least) {
        least = distance(typed, name);
        expected = name;
      }
    }
    EXPECT_EQ(nearest_name(typed, known), expected) << typed;
  }
}

TEST(Names, FindsTheNearest) {
  const std::vector<std::string> known = {"learning_rate", "beta", "max_length"};
  EXPECT_EQ(nearest_name("learning_rte", known), "learning_rate");
  EXPECT_EQ(nearest_name("max_le", known), "");
  EXPECT_EQ(nearest_name(std::string(1 << 20, 'x'), known), "");
  EXPECT_EQ(suggestion("bta", known), " (did you mean 'beta'?)");
  EXPECT_EQ(suggestion("completely_else", known), "");
}

TEST(Readable, BytesHaveThreeDigits) {
  const std::pair<std::size_t, const char*> cases[] = {{0, "0 B"},
                                                       {999, "999 B"},
                                                       {1000, "1.00 kB"},
                                                       {1234, "1.23 kB"},
                                                       {12'345, "12.3 kB"},
                                                       {9'994, "9.99 kB"},
                                                       {9'996, "10.0 kB"},
                                                       {99'960, "100 kB"},
                                                       {999'499, "999 kB"},
                                                       {999'500, "1.00 MB"},
                                                       {16'000'000'000, "16.0 GB"},
                                                       {2'500'000'000'000, "2.50 TB"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(readable_bytes(bytes), text);
  }
}

TEST(Readable, DurationsHaveTwoUnits) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::pair<double, const char*> cases[] = {{0, "0.0 s"},
                                                  {7.44, "7.4 s"},
                                                  {99.94, "99.9 s"},
                                                  {99.96, "1 min 40 s"},
                                                  {723.2, "12 min 3 s"},
                                                  {3599.4, "59 min 59 s"},
                                                  {3599.6, "1 h 0 min"},
                                                  {12'300, "3 h 25 min"},
                                                  {2 * 86'400 - 1, "47 h 59 min"},
                                                  {187'200, "2 d 4 h"},
                                                  {-kInfinity, "unknown"},
                                                  {-1, "unknown"},
                                                  {kInfinity * 0, "unknown"}};
  for (const auto& [seconds, text] : cases) {
    EXPECT_EQ(readable_duration(seconds), text) << seconds;
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

class HubCache : public FolderTest {};

TEST_F(HubCache, IsSearchedForTheNewestState) {
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

// Each variable wins over those after it.
TEST_F(HubCache, LiesWhereTheEnvironmentSays) {
  const std::vector<std::pair<const char*, const char*>> by_rank = {
      {"HF_HUB_CACHE", ""},
      {"HF_HOME", "hub"},
      {"XDG_CACHE_HOME", "huggingface/hub"},
      {"HOME", ".cache/huggingface/hub"}};
  for (const auto& [name, inside] : by_rank) {
    ::setenv(name, (folder_ / name).c_str(), 1);
  }
  for (const auto& [name, inside] : by_rank) {
    EXPECT_EQ(hub_cache_folder(), *inside == '\0' ? folder_ / name : folder_ / name / inside);
    ::unsetenv(name);
  }
  EXPECT_EQ(default_cache_folder(), "");
  ::setenv("LMPO_CACHE", "/own", 1);
  EXPECT_EQ(default_cache_folder(), "/own");
  ::unsetenv("LMPO_CACHE");
}

}  // namespace
}  // namespace lmpo::names_test
