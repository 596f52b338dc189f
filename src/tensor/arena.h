// One block of memory for the tensors of a run, whose size is known before the run starts.
//
// An arena allocates from the bottom up and frees in reverse order: a Scope frees what was allocated
// in its braces. A counting arena has no memory and only adds up sizes: running a step against it,
// with the ops of a plan, gives the exact size of a run and a table of what it holds.
//
// Not thread-safe.
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
  // Only counts: tensors have no data.
  static Arena counting();
  // Reserves `capacity` bytes of host memory, zeroed and not yet resident. Throws MachineError.
  static Arena host(std::size_t capacity);
  // The same in an unlinked file in `folder`, so that it need not stay in memory: see page_out.
  // Throws MachineError if the disk is full.
  static Arena file(std::size_t capacity, const std::filesystem::path& folder);
  // The `capacity` bytes at `block`, of any device. The arena is one of their owners.
  static Arena over(std::shared_ptr<void> block, std::size_t capacity);
  Arena(Arena&& other) noexcept = default;
  Arena& operator=(Arena&&) = delete;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A tensor aligned to 64 bytes, whose content is undefined. `name` is its group in the plan's
  // table. More than the capacity of a real arena fails LMPO_CHECK: the plan was wrong.
  Tensor allocate(std::string_view name, Dtype dtype, std::initializer_list<std::int64_t> shape);

  // Writes a tensor in a file out and frees its memory; the next use reads it back. Does nothing in
  // other arenas.
  void page_out(const Tensor& tensor) const;

  std::size_t used() const { return top_; }
  std::size_t peak() const { return peak_; }
  std::size_t capacity() const { return capacity_; }
  // Bytes of each group when the peak was reached, with padding; their sum is peak().
  const std::map<std::string, std::size_t, std::less<>>& at_peak() const { return at_peak_; }

  // Frees, at its end, what was allocated since it was made.
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
