// Which page of a key-value cache holds which tokens: pages are shared by content, and found again
// after the sequences that filled them have ended.
//
// The pages form a tree: a page's node holds the tokens whose keys and values lie in it, and the
// path from the root spells all tokens before it. Sequences that begin alike share the path as far
// as whole pages agree; the next page is copied
// for the sake of the tokens that agree. Pages that no sequence
// holds stay until room is needed; the least recently used go first. Only pages are counted here,
// no memory is touched: PagedDecoder copies. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace lmpo {

class PrefixCache {
 public:
  class Node;
  // The pages of one sequence, in order.
  using Path = std::vector<Node*>;

  // P pages of S tokens each. `kinds` trees that share nothing: keys that are turned by different
  // rotary tables do not mix.
  PrefixCache(std::int64_t pages, std::int64_t page_tokens, std::int64_t kinds = 1);
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  // Copies page `from` to page `to`.
  using CopyPage = std::function<void(std::int32_t from, std::int32_t to)>;

  struct Found {
    Path path;
    std::int64_t tokens = 0;  // that the path holds
    bool later = false;       // more will be there once it is stored: nothing was taken
  };
  // Takes the longest beginning of `tokens` that the tree holds. Calls `copy` at most once, for a
  // page of which only some rows agree.
  Found find(std::span<const std::int32_t> tokens, std::int64_t kind, const CopyPage& copy);

  // Appends tokens to a sequence of `length` tokens, with new pages where the last is full. False,
  // and nothing changed, if there are too few pages. The path's last page must be its own. The
  // tokens are found by others once they are stored.
  bool append(Path& path, std::int64_t length, std::span<const std::int32_t> tokens,
              std::int64_t kind);
  // The keys and values of all tokens of the path have been computed.
  void mark_stored(const Path& path);
  // The sequence has ended; its pages stay as long as there is room.
  void release(Path& path);

  std::int64_t page_tokens() const { return page_tokens_; }
  std::int64_t pages() const { return pages_; }
  // Pages that append() may still take.
  std::int64_t available() const;
  // Pages that hold tokens, whether a sequence holds them or not.
  std::int64_t used() const { return pages_ - static_cast<std::int64_t>(free_.size()); }
  static std::int32_t page(const Node& node);

 private:
  // With a page of its own, held once.
  Node& add_node(Node& parent, std::int32_t first_token);
  void drop_oldest();
  void take(Node& node);
  void give_back(Node& node);

  std::int64_t pages_;
  std::int64_t page_tokens_;
  std::vector<std::unique_ptr<Node>> roots_;  // of each kind
  std::vector<std::int32_t> free_;            // pages
  std::int64_t unheld_ = 0;                   // nodes that no sequence holds
  // Of these, those without children, by the time of their last use.
  std::set<std::pair<std::uint64_t, Node*>> droppable_;
  std::uint64_t clock_ = 0;
};

}  // namespace lmpo
