// Memory is planned, not discovered.
//
// An arena is one block handed out from the bottom up and given back in reverse order: a Scope
// remembers the top and restores it. A counting arena hands out addresses of memory that is not
// there; running a step against it, with ops that compute nothing, gives the exact size and the
// table of what a run will use. Not thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace lmpo {

class Arena {
 public:
  // Counts only: tensors' data must not be touched.
  static Arena counting();
  // Reserves `capacity` bytes of host memory, zeroed and not yet resident. Throws MachineError.
  static Arena host(std::size_t capacity);
  // The same in a file without a name in `folder`, so that it need not stay in memory: see
  // page_out. Throws MachineError where the disk has no room.
  static Arena file(std::size_t capacity, const std::filesystem::path& folder);
  // Memory of another device: the `capacity` bytes at `block`, which end with its last owner.
  static Arena over(std::shared_ptr<void> block, std::size_t capacity);
  Arena(Arena&& other) noexcept = default;
  Arena& operator=(Arena&&) = delete;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A tensor aligned to 64 bytes whose content is undefined. `name` is its group in the plan's
  // table. In a real arena, exceeding the capacity is a broken invariant: the plan was wrong.
  Tensor allocate(std::string_view name, Dtype dtype, std::initializer_list<std::int64_t> shape);

  // The memory of a tensor in a file may be given up: its content comes back when it is used next.
  // Does nothing for other arenas.
  void page_out(const Tensor& tensor) const;

  bool is_counting() const { return base_ == nullptr; }
  std::size_t used() const { return top_; }
  std::size_t peak() const { return peak_; }
  std::size_t capacity() const { return capacity_; }
  // Bytes of each group at the moment of the peak, padding included; they add up to peak().
  const std::map<std::string, std::size_t, std::less<>>& at_peak() const { return at_peak_; }

  // Gives back everything allocated after it was made.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), mark_(arena.blocks_.size()) {}
    ~Scope() { arena_.release_to(mark_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    std::size_t mark_;
  };

 private:
  struct Block {
    std::string name;
    std::size_t begin;
    std::size_t size;
  };

  Arena() = default;
  void release_to(std::size_t mark);

  std::shared_ptr<void> block_;
  char* base_ = nullptr;
  bool is_file_ = false;
  std::size_t capacity_ = 0;
  std::size_t top_ = 0;
  std::size_t peak_ = 0;
  std::vector<Block> blocks_;
  std::map<std::string, std::size_t, std::less<>> groups_;
  std::map<std::string, std::size_t, std::less<>> at_peak_;
};

}  // namespace lmpo
