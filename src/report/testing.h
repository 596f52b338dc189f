// Checks of documents. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lmpo::testing {

// The names of a document's tags; a failure if they do not nest or their attributes are not quoted.
inline std::vector<std::string> checked_tags(const std::string& svg) {
  std::vector<std::string> open;
  std::vector<std::string> all;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    EXPECT_NE(end, std::string::npos);
    const std::string tag = svg.substr(at + 1, end - at - 1);
    EXPECT_EQ(tag.find('<'), std::string::npos) << tag;
    EXPECT_EQ(std::count(tag.begin(), tag.end(), '"') % 2, 0) << tag;
    const bool closes = tag.starts_with('/');
    const std::string name = tag.substr(closes ? 1 : 0, tag.find(' ') - (closes ? 1 : 0));
    all.push_back(name);
    if (closes) {
      EXPECT_EQ(open.empty() ? "nothing" : open.back(), name);
      if (!open.empty()) {
        open.pop_back();
      }
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
  return all;
}

}  // namespace lmpo::testing
