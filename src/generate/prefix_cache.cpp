#include "generate/prefix_cache.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {

class PrefixCache::Node {
 public:
  std::int32_t page = -1;
  Node* parent = nullptr;
  std::vector<std::int32_t> tokens;  // at most S; fewer only in a path's last page
  std::int64_t stored = 0;           // of these, those that have been computed
  std::int64_t holders = 0;          // sequences
  std::uint64_t last_use = 0;
  std::multimap<std::int32_t, std::unique_ptr<Node>> children;  // by their first token
};

PrefixCache::PrefixCache(std::int64_t pages, std::int64_t page_tokens, std::int64_t kinds)
    : pages_(pages), page_tokens_(page_tokens) {
  LMPO_CHECK(pages > 0 && page_tokens > 0 && kinds > 0);
  for (std::int64_t kind = 0; kind < kinds; ++kind) {
    roots_.push_back(std::make_unique<Node>());
  }
  for (std::int64_t page = pages; page-- > 0;) {
    free_.push_back(static_cast<std::int32_t>(page));
  }
}

PrefixCache::~PrefixCache() = default;

std::int32_t PrefixCache::page(const Node& node) {
  return node.page;
}

std::int64_t PrefixCache::available() const {
  return std::ssize(free_) + unheld_;
}

PrefixCache::Found PrefixCache::find(std::span<const std::int32_t> tokens, std::int64_t kind,
                                     const CopyPage& copy) {
  Found found;
  Node* at = roots_[static_cast<std::size_t>(kind)].get();
  while (found.tokens < std::ssize(tokens)) {
    const auto rest = tokens.subspan(static_cast<std::size_t>(found.tokens));
    Node* best = nullptr;
    std::int64_t same = 0;
    const auto [first, last] = at->children.equal_range(rest.front());
    for (auto child = first; child != last; ++child) {
      const std::vector<std::int32_t>& held = child->second->tokens;
      const std::int64_t agree = std::ranges::mismatch(held, rest).in1 - held.begin();
      if (agree > same) {
        best = child->second.get();
        same = agree;
      }
    }
    if (best != nullptr && same > best->stored) {
      release(found.path);
      return {.path = {}, .tokens = 0, .later = true};
    }
    if (same == page_tokens_) {
      take(*best);
      found.path.push_back(best);
      found.tokens += same;
      at = best;
      continue;
    }
    if (same > 0) {
      take(*best);  // so that it is not dropped for the page that it is copied to
      if (available() > 0) {
        Node& own = add_node(*at, rest.front());
        copy(best->page, own.page);
        own.tokens.assign(rest.begin(), rest.begin() + same);
        own.stored = same;
        found.path.push_back(&own);
        found.tokens += same;
      }
      give_back(*best);
    }
    break;
  }
  return found;
}

bool PrefixCache::append(Path& path, std::int64_t length, std::span<const std::int32_t> tokens,
                         std::int64_t kind) {
  const auto pages_of = [&](std::int64_t count) {
    return (count + page_tokens_ - 1) / page_tokens_;
  };
  LMPO_CHECK(std::ssize(path) == pages_of(length));
  if (pages_of(length + std::ssize(tokens)) - std::ssize(path) > available()) {
    return false;
  }
  for (const std::int32_t token : tokens) {
    if (length % page_tokens_ == 0) {
      Node& parent = path.empty() ? *roots_[static_cast<std::size_t>(kind)] : *path.back();
      path.push_back(&add_node(parent, token));
    }
    path.back()->tokens.push_back(token);
    ++length;
  }
  return true;
}

void PrefixCache::mark_stored(const Path& path) {
  // Pages before the last new one were full already or are now: going back ends at a stored one.
  for (std::size_t i = path.size(); i-- > 0;) {
    const std::int64_t tokens = std::ssize(path[i]->tokens);
    if (path[i]->stored == tokens) {
      return;
    }
    path[i]->stored = tokens;
  }
}

void PrefixCache::release(Path& path) {
  while (!path.empty()) {
    give_back(*path.back());
    path.pop_back();
  }
}

PrefixCache::Node& PrefixCache::add_node(Node& parent, std::int32_t first_token) {
  if (free_.empty()) {
    drop_oldest();
  }
  auto node = std::make_unique<Node>();
  node->page = free_.back();
  free_.pop_back();
  node->parent = &parent;
  node->holders = 1;
  node->tokens.reserve(static_cast<std::size_t>(page_tokens_));
  return *parent.children.emplace(first_token, std::move(node))->second;
}

void PrefixCache::drop_oldest() {
  LMPO_CHECK(!droppable_.empty());
  Node& node = *droppable_.begin()->second;
  droppable_.erase(droppable_.begin());
  free_.push_back(node.page);
  --unheld_;
  Node& parent = *node.parent;
  const auto [first, last] = parent.children.equal_range(node.tokens.front());
  parent.children.erase(
      std::find_if(first, last, [&](const auto& child) { return child.second.get() == &node; }));
  if (parent.parent != nullptr && parent.holders == 0 && parent.children.empty()) {
    droppable_.insert({parent.last_use, &parent});
  }
}

void PrefixCache::take(Node& node) {
  if (node.holders == 0) {
    droppable_.erase({node.last_use, &node});
    --unheld_;
  }
  ++node.holders;
}

void PrefixCache::give_back(Node& node) {
  if (--node.holders == 0) {
    ++unheld_;
    node.last_use = ++clock_;
    if (node.children.empty()) {
      droppable_.insert({node.last_use, &node});
    }
  }
}

}  // namespace lmpo
