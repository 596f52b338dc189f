// Against Python itself: testdata/python_random.json is written by tools/oracle/python_random_golden.py.
#include "base/python_random.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/json.h"
#include "base/testing/test_paths.h"

namespace lmpo::python_random_test {
namespace {

PythonRandom seeded(const json& seed) {
  return seed.is_string() ? PythonRandom(std::string_view(seed.get_ref<const std::string&>()))
                          : PythonRandom(seed.get<std::uint64_t>());
}

TEST(PythonRandom, DrawsWhatPythonDraws) {
  const json cases = read_json(source_folder() / "src/base/testdata/python_random.json");
  ASSERT_EQ(cases.size(), 13U);
  for (const json& golden : cases) {
    SCOPED_TRACE(golden.at("seed").dump());
    PythonRandom random = seeded(golden.at("seed"));
    for (const json& number : golden.at("random")) {
      EXPECT_EQ(random.random(), number.get<double>());
    }
    const int counts[] = {1, 31, 32, 33, 64};
    for (std::size_t i = 0; i < std::size(counts); ++i) {
      EXPECT_EQ(random.bits(counts[i]), golden.at("bits").at(i).get<std::uint64_t>());
    }
    for (const json& below : golden.at("below")) {
      EXPECT_EQ(random.below(below.at(0).get<std::uint64_t>()), below.at(1).get<std::uint64_t>());
    }
    EXPECT_EQ(json(random.choices(100, 5)), golden.at("choices"));
    for (const json& sample : golden.at("sample")) {
      EXPECT_EQ(json(random.sample(sample.at(0).get<std::size_t>(), sample.at(1).size())),
                sample.at(1));
    }
    std::vector<int> items(100);
    std::iota(items.begin(), items.end(), 0);
    random.shuffle(items);
    EXPECT_EQ(json(items), golden.at("shuffle"));
    double last = 0;
    for (int i = 0; i < 700; ++i) {
      last = random.random();
    }
    EXPECT_EQ(last, golden.at("after").get<double>());
  }
}

TEST(PythonRandom, NothingOutOfNothing) {
  PythonRandom random(1);
  EXPECT_TRUE(random.sample(0, 0).empty());
  std::vector<int> none;
  random.shuffle(none);
  EXPECT_EQ(random.random(), PythonRandom(1).random());
}

}  // namespace
}  // namespace lmpo::python_random_test
