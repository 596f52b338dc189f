// The tree of pages beside a memory that holds what a real cache would, and a list of all that was
// ever stored.
#include "generate/prefix_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace lmpo::prefix_cache_test {
namespace {

using TokenList = std::vector<std::int32_t>;

constexpr std::int64_t kRows = 4;  // of a page

// Pages as memory: what is written where, and by whom.
class PagedMemory {
 public:
  explicit PagedMemory(std::int64_t pages, std::int64_t kinds = 1)
      : cache(pages, kRows, kinds), rows_(static_cast<std::size_t>(pages * kRows), -1) {}

  struct Written {
    PrefixCache::Path path;
    TokenList tokens;
    std::int64_t kind = 0;
  };

  PrefixCache::Found find(const TokenList& tokens, std::int64_t kind = 0) {
    return cache.find(tokens, kind, [&](std::int32_t from, std::int32_t to) {
      EXPECT_NE(from, to);
      std::copy_n(row(from, 0), kRows, row(to, 0));
      ++copies;
    });
  }
  // Begins with what is remembered of the tokens.
  Written begin(const TokenList& tokens, std::int64_t kind = 0) {
    PrefixCache::Found found = find(tokens, kind);
    EXPECT_FALSE(found.later);
    return {std::move(found.path), TokenList(tokens.begin(), tokens.begin() + found.tokens), kind};
  }
  bool append(Written& written, const TokenList& tokens) {
    const std::int64_t length = std::ssize(written.tokens);
    if (!cache.append(written.path, length, tokens, written.kind)) {
      return false;
    }
    for (std::int64_t i = 0; i < std::ssize(tokens); ++i) {
      const auto page = static_cast<std::size_t>((length + i) / kRows);
      *row(PrefixCache::page(*written.path[page]), (length + i) % kRows) =
          tokens[static_cast<std::size_t>(i)];
      written.tokens.push_back(tokens[static_cast<std::size_t>(i)]);
    }
    cache.mark_stored(written.path);
    return true;
  }
  Written write(const TokenList& tokens, std::int64_t kind = 0) {
    Written written = begin(tokens, kind);
    EXPECT_TRUE(append(written, {tokens.begin() + std::ssize(written.tokens), tokens.end()}));
    return written;
  }
  // What lies in the pages of a sequence.
  TokenList read(const Written& written) {
    TokenList tokens;
    for (std::int64_t i = 0; i < std::ssize(written.tokens); ++i) {
      tokens.push_back(
          *row(PrefixCache::page(*written.path[static_cast<std::size_t>(i / kRows)]), i % kRows));
    }
    return tokens;
  }

  PrefixCache cache;
  int copies = 0;

 private:
  std::int32_t* row(std::int32_t page, std::int64_t place) {
    return rows_.data() + page * kRows + place;
  }

  std::vector<std::int32_t> rows_;
};

TEST(PrefixCache, WholePagesAreSharedAndTheNextIsCopied) {
  PagedMemory memory(8);
  auto first = memory.write({1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(memory.cache.used(), 2);
  auto second = memory.begin({1, 2, 3, 4, 5, 6, 8, 9});
  EXPECT_EQ(second.tokens, TokenList({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(second.path[0], first.path[0]);
  EXPECT_NE(second.path[1], first.path[1]);
  EXPECT_EQ(memory.copies, 1);
  EXPECT_EQ(memory.read(second), second.tokens);
  EXPECT_TRUE(memory.append(second, {8, 9, 10}));
  EXPECT_EQ(memory.read(second), TokenList({1, 2, 3, 4, 5, 6, 8, 9, 10}));
  EXPECT_EQ(memory.read(first), TokenList({1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(memory.cache.used(), 4);
}

TEST(PrefixCache, WhatEndedIsFoundAgainUntilItsPagesAreNeeded) {
  PagedMemory memory(3);
  auto ended = memory.write({1, 2, 3, 4, 5});
  memory.cache.release(ended.path);
  EXPECT_EQ(memory.cache.used(), 2);
  EXPECT_EQ(memory.cache.available(), 3);
  auto again = memory.begin({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(std::ssize(again.tokens), 5);
  memory.cache.release(again.path);
  auto other = memory.write({9, 9, 9, 9, 9, 9, 9, 9, 9});  // three pages
  EXPECT_EQ(memory.read(other), TokenList(9, 9));
  memory.cache.release(other.path);
  EXPECT_EQ(memory.find({1, 2, 3}).tokens, 0);
}

TEST(PrefixCache, TheLeastRecentlyUsedGoFirst) {
  PagedMemory memory(3);
  for (const std::int32_t token : {1, 2, 3}) {
    auto written = memory.write({token});
    memory.cache.release(written.path);
  }
  auto used =
      memory.write({1, 1, 1, 1, 1});  // copies the page of {1}, and takes the pages of 2 and 3
  EXPECT_EQ(memory.copies, 1);
  EXPECT_EQ(memory.read(used), TokenList(5, 1));
  EXPECT_EQ(memory.find({2}).tokens, 0);
  EXPECT_EQ(memory.find({3}).tokens, 0);
}

TEST(PrefixCache, WithTooFewPagesNothingChanges) {
  PagedMemory memory(2);
  auto held = memory.write({1, 2, 3});
  auto other = memory.write({7});
  EXPECT_FALSE(memory.append(other, {8, 9, 10, 11}));
  EXPECT_EQ(other.path.size(), 1U);
  EXPECT_TRUE(memory.append(other, {8, 9, 10}));
  EXPECT_FALSE(memory.append(held, {4, 5}));
  EXPECT_EQ(memory.read(other), TokenList({7, 8, 9, 10}));
  // No page is left to copy to: nothing is found, and nothing is held.
  EXPECT_EQ(memory.find({1, 2}).tokens, 0);
  memory.cache.release(held.path);
  memory.cache.release(other.path);
  EXPECT_EQ(memory.cache.available(), 2);
}

TEST(PrefixCache, TokensThatAreBeingStoredAreWaitedFor) {
  PagedMemory memory(8);
  PrefixCache::Path path;
  const TokenList tokens = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE(memory.cache.append(path, 0, tokens, 0));
  EXPECT_TRUE(memory.find({1, 2, 3, 4, 9}).later);
  EXPECT_TRUE(memory.find({1, 2}).later);
  EXPECT_FALSE(memory.find({2, 2}).later);
  EXPECT_EQ(memory.cache.available(), 6) << "who waits holds nothing";
  memory.cache.mark_stored(path);
  EXPECT_EQ(memory.find({1, 2, 3, 4, 9}).tokens, 4);
}

TEST(PrefixCache, KindsShareNothing) {
  PagedMemory memory(8, 2);
  auto first = memory.write({1, 2, 3, 4, 5}, 0);
  EXPECT_EQ(memory.find({1, 2, 3, 4, 5}, 1).tokens, 0);
  auto second = memory.write({1, 2, 3, 4, 5}, 1);
  EXPECT_NE(first.path[0], second.path[0]);
}

// Sequences that begin, grow and end in any order, in memory for a few of them.
TEST(PrefixCache, WhateverHappensPagesHoldWhatTheirSequencesWrote) {
  Random random(5, 0);
  std::int64_t found = 0;
  std::int64_t refused = 0;
  for (int round = 0; round < 40; ++round) {
    const std::int64_t pages = 4 + static_cast<std::int64_t>(random.below(12));
    PagedMemory memory(pages);
    std::vector<PagedMemory::Written> held;
    for (int i = 0; i < 300; ++i) {
      const auto some = [&](std::int64_t most) {
        TokenList tokens(
            static_cast<std::size_t>(1 + random.below(static_cast<std::uint64_t>(most))));
        for (std::int32_t& token : tokens) {
          token = static_cast<std::int32_t>(random.below(2));
        }
        return tokens;
      };
      const std::uint64_t choice = random.below(3);
      if (choice == 0 || held.empty()) {
        const TokenList wanted = some(14);
        held.push_back(memory.begin(wanted));
        found += std::ssize(held.back().tokens);
        // As an engine does, which never holds an empty sequence.
        const std::ptrdiff_t done = std::ssize(held.back().tokens);
        if (done == std::ssize(wanted) ||
            !memory.append(held.back(), {wanted.begin() + done, wanted.end()})) {
          refused += done == std::ssize(wanted) ? 0 : 1;
          memory.cache.release(held.back().path);
          held.pop_back();
        }
      } else {
        const auto one = held.begin() + static_cast<std::ptrdiff_t>(random.below(held.size()));
        if (choice == 1) {
          memory.append(*one, some(6));
        } else {
          memory.cache.release(one->path);
          held.erase(one);
        }
      }
      std::set<PrefixCache::Node*> nodes;
      for (const PagedMemory::Written& written : held) {
        ASSERT_EQ(memory.read(written), written.tokens);
        nodes.insert(written.path.begin(), written.path.end());
      }
      ASSERT_EQ(memory.cache.available(), pages - std::ssize(nodes));
    }
  }
  EXPECT_GT(found, 1000);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace lmpo::prefix_cache_test
