#include "data/split_slice.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace lmpo::split_slice_test {
namespace {

using Rows = std::pair<std::int64_t, std::int64_t>;

Rows range(const std::string& text, std::int64_t rows) {
  return parse_split(text).range(rows);
}

TEST(SplitSlice, NamesAndSlices) {
  EXPECT_EQ(parse_split("").split, "");
  EXPECT_EQ(parse_split("train_prefs").split, "train_prefs");
  EXPECT_TRUE(parse_split("train").whole);
  EXPECT_EQ(parse_split("train[:10]").split, "train");
  EXPECT_EQ(range("train", 20), (Rows{0, 20}));
  EXPECT_EQ(range("train[:10]", 20), (Rows{0, 10}));
  EXPECT_EQ(range("train[:10]", 4), (Rows{0, 4}));
  EXPECT_EQ(range("train[5:]", 20), (Rows{5, 20}));
  EXPECT_EQ(range("train[-3:]", 20), (Rows{17, 20}));
  EXPECT_EQ(range("train[7:3]", 20), (Rows{7, 7}));
}

// As Hugging Face datasets rounds: to the nearest row.
TEST(SplitSlice, Percentages) {
  EXPECT_EQ(range("train[:50%]", 21), (Rows{0, 10}));  // Python rounds 10.5 to 10
  EXPECT_EQ(range("train[10%:20%]", 20), (Rows{2, 4}));
  EXPECT_EQ(range("train[-10%:]", 20), (Rows{18, 20}));
}

TEST(SplitSlice, WhatIsNone) {
  for (const char* text : {"train[10]", "train[a:b]", "train[:10", "train[:10]x", "a+b"}) {
    EXPECT_THROW(parse_split(text), UserError) << text;
  }
}

}  // namespace
}  // namespace lmpo::split_slice_test
