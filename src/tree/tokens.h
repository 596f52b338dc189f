// Token ids that several may look at: in memory of their own, or in a file that is mapped.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace lmpo {

// Immutable, like a string that is shared: copies look at the same memory, which lives as long as
// the last of them.
class Tokens {
 public:
  using value_type = std::int32_t;

  Tokens() = default;
  Tokens(std::vector<std::int32_t> ids) {  // NOLINT(google-explicit-constructor): a list of ids
    auto owner = std::make_shared<const std::vector<std::int32_t>>(std::move(ids));
    ids_ = *owner;
    owner_ = std::move(owner);
  }
  Tokens(std::initializer_list<std::int32_t> ids) : Tokens(std::vector<std::int32_t>(ids)) {}
  // `owner` keeps the memory of `ids`.
  Tokens(std::shared_ptr<const void> owner, std::span<const std::int32_t> ids)
      : owner_(std::move(owner)), ids_(ids) {}

  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }
  std::size_t size() const { return ids_.size(); }
  bool empty() const { return ids_.empty(); }
  std::int32_t operator[](std::size_t index) const { return ids_[index]; }
  std::int32_t front() const { return ids_.front(); }
  std::int32_t back() const { return ids_.back(); }
  const std::int32_t* data() const { return ids_.data(); }

  // All but [begin, end). At either end that is another look at the same memory.
  Tokens without(std::size_t begin, std::size_t end) const {
    if (begin == 0) {
      return {owner_, ids_.subspan(end)};
    }
    if (end == ids_.size()) {
      return {owner_, ids_.first(begin)};
    }
    std::vector<std::int32_t> rest(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(begin));
    rest.insert(rest.end(), ids_.begin() + static_cast<std::ptrdiff_t>(end), ids_.end());
    return rest;
  }

  friend bool operator==(const Tokens& a, const Tokens& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::int32_t> ids_;
};

}  // namespace lmpo
