// Attention over a cache of pages. A page of cache_k is [K,E,S] and one of cache_v [K,S,E]: so scores
// and values are both products of rows whose columns lie side by side.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/threads.h"
#include "ops/cpu/attention_pack.h"
#include "ops/cpu/buffer.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/elements.h"
#include "ops/cpu/row_products.h"

namespace lmpo {
namespace {

// One key head of a cache.
class PagesOfHead {
 public:
  PagesOfHead(Tensor cache_k, Tensor cache_v, std::int64_t head, std::int64_t head_size)
      : keys_(cache_k.f32()),
        values_(cache_v.f32()),
        pages_(cache_k.dim(0)),
        slots_(cache_k.dim(1)),
        page_size_(slots_ * cache_k.dim(2)),
        offset_(head * head_size * slots_),
        head_size_(head_size) {}

  std::int64_t slots() const { return slots_; }
  // [E,S]
  cpu::HeadResult keys(std::int64_t page) const { return {keys_ + place(page), slots_}; }
  // [S,E]
  cpu::HeadResult values(std::int64_t page) const { return {values_ + place(page), head_size_}; }
  // Begins to read what is needed soon: it is read in strips of columns, which a processor does not
  // foresee.
  void fetch_keys(std::int64_t page) const { fetch(keys_ + place(page)); }
  void fetch_values(std::int64_t page) const { fetch(values_ + place(page)); }

 private:
  void fetch(const float* numbers) const {
    constexpr std::int64_t kLine = 16;
    constexpr int kSecondCache = 2;
    for (std::int64_t i = 0; i < slots_ * head_size_; i += kLine) {
      __builtin_prefetch(numbers + i, 0, kSecondCache);
    }
  }
  std::int64_t place(std::int64_t page) const {
    LMPO_CHECK(page >= 0 && page < pages_);
    return page * page_size_ + offset_;
  }

  float* keys_;
  float* values_;
  std::int64_t pages_;
  std::int64_t slots_;
  std::int64_t page_size_;
  std::int64_t offset_;
  std::int64_t head_size_;
};

void check_pages(Tensor cache_k, Tensor cache_v, const AttentionShape& shape) {
  LMPO_CHECK(cache_k.rank() == 3 && cache_k.same_shape(cache_v) &&
             cache_k.dim(2) == shape.key_width() && cache_k.dim(1) <= kMostSlots);
}

// Queries of one sequence that a task computes: tokens x heads of one key head's group.
struct PagedQueries {
  std::int64_t first_row;  // of qkv
  std::int64_t tokens;
  std::int64_t first_head;
  std::int64_t heads;
  std::int64_t first_position;

  std::int64_t rows() const { return tokens * heads; }
  // A token's heads lie side by side.
  std::int64_t token(std::int64_t row) const { return row / heads; }
  std::int64_t head(std::int64_t row) const { return first_head + row % heads; }
};

// One block of queries against its sequence's keys, tile by tile as in AttentionBlock. Tiles are
// whole pages and begin at multiples of their size, so that a row's sums have one order.
class PagedBlock {
 public:
  PagedBlock(const cpu::PackedHeads& heads, const PagesOfHead& cache, const std::int32_t* pages,
             const PagedQueries& queries)
      : heads_(heads), shape_(heads.shape), cache_(cache), pages_(pages), queries_(queries) {
    maximum_.fill(std::numeric_limits<float>::lowest());
    sum_.fill(0.0F);
  }

  // out[T,H*E]
  void attend(Tensor out) {
    thread_local std::array<cpu::Buffer, 3> buffers;
    const std::int64_t rows = queries_.rows();
    const std::int64_t size = shape_.head_size;
    const std::int64_t slots = cache_.slots();
    tile_ = std::max<std::int64_t>(cpu::kKeyBlock / slots, 1) * slots;
    q_ = buffers[0].of_size(rows * size);
    out_ = buffers[1].of_size(rows * size);
    of_tile_ = buffers[2].of_size(rows * size);
    stride_ = (tile_ + kLanes - 1) / kLanes * kLanes;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t token = queries_.first_row + queries_.token(row);
      cpu::scale(q_ + row * size, heads_.query(token, queries_.head(row)).data, shape_.scale, size);
    }
    std::fill_n(out_, rows * size, 0.0F);
    for (std::int64_t key = oldest(0) / tile_ * tile_; key < end_position(); key += tile_) {
      add_tile(key, std::min(key + tile_, end_position()));
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t token = queries_.first_row + queries_.token(row);
      cpu::scale(out.f32() + (token * shape_.query_heads + queries_.head(row)) * size,
                 out_ + row * size, 1.0F / sum_[static_cast<std::size_t>(row)], size);
    }
  }

 private:
  static constexpr std::int64_t kLanes = 16;  // rows of scores begin at cache lines

  std::int64_t end_position() const { return queries_.first_position + queries_.tokens; }
  // The first position that a row sees.
  std::int64_t oldest(std::int64_t row) const {
    const std::int64_t position = queries_.first_position + queries_.token(row);
    return shape_.window == 0 ? 0 : std::max<std::int64_t>(0, position + 1 - shape_.window);
  }
  // What a row sees of the positions [begin, end), counted from `begin`.
  cpu::VisibleKeys visible(std::int64_t row, std::int64_t begin, std::int64_t end) const {
    const std::int64_t last = queries_.first_position + queries_.token(row) + 1;
    const std::int64_t first = std::clamp(oldest(row), begin, end);
    return {first - begin, std::max(first, std::min(end, last)) - begin};
  }

  // body(first row, number of rows, keys) for the rows that see some of [begin, end), those that see
  // the same together.
  template <typename Body>
  void for_rows(std::int64_t begin, std::int64_t end, const Body& body) const {
    const auto sees_as = [&](std::int64_t row, cpu::VisibleKeys keys) {
      const auto [first, last] = visible(row, begin, end);
      return first == keys.first && last == keys.last;
    };
    const std::int64_t rows = queries_.rows();
    for (std::int64_t row = 0; row < rows;) {
      const cpu::VisibleKeys keys = visible(row, begin, end);
      // What rows see rises with them: if the last one sees the same, all between do.
      std::int64_t next = sees_as(rows - 1, keys) ? rows : row + queries_.heads;
      while (next < rows && sees_as(next, keys)) {
        next += queries_.heads;
      }
      if (keys.first < keys.last) {
        body(row, next - row, keys);
      }
      row = next;
    }
  }

  // body(page, its first position, its end within the tile)
  template <typename Body>
  void for_pages(std::int64_t begin, std::int64_t end, const Body& body) const {
    for (std::int64_t key = begin; key < end; key += cache_.slots()) {
      const std::int64_t last = std::min(key + cache_.slots(), end);
      if (last > oldest(0)) {
        body(pages_[key / cache_.slots()], key, last);
      }
    }
  }

  // The positions [begin, end).
  void add_tile(std::int64_t begin, std::int64_t end) {
    score(begin, end);
    const std::int64_t size = shape_.head_size;
    std::fill_n(of_tile_, queries_.rows() * size, 0.0F);
    std::array<float, cpu::kQueryBlock> corrections;
    for_rows(begin, end, [&](std::int64_t row, std::int64_t count, cpu::VisibleKeys keys) {
      for (std::int64_t i = row; i < row + count; ++i) {
        corrections[static_cast<std::size_t>(i)] = weigh(i, keys);
      }
    });
    for_pages(begin, end, [&](std::int64_t page, std::int64_t first_key, std::int64_t last_key) {
      if (first_key + tile_ < end_position()) {
        cache_.fetch_keys(pages_[(first_key + tile_) / cache_.slots()]);
      }
      const cpu::HeadResult values = cache_.values(page);
      for_rows(first_key, last_key,
               [&](std::int64_t row, std::int64_t count, cpu::VisibleKeys keys) {
                 cpu::add_row_products(
                     {of_tile_ + row * size, size},
                     {scores_.data() + row * stride_ + first_key - begin + keys.first, stride_},
                     {values.data + keys.first * values.stride, values.stride}, count, size,
                     keys.last - keys.first);
               });
    });
    for_rows(begin, end, [&](std::int64_t row, std::int64_t count, cpu::VisibleKeys) {
      for (std::int64_t i = row; i < row + count; ++i) {
        float* out = out_ + i * size;
        cpu::scale(out, out, corrections[static_cast<std::size_t>(i)], size);
        cpu::add_scaled(out, of_tile_ + i * size, 1.0F, size);
      }
    });
  }

  // Scores of the slots of every page of which a row sees some; those it does not see mean nothing.
  void score(std::int64_t begin, std::int64_t end) {
    const std::int64_t size = shape_.head_size;
    for_pages(begin, end, [&](std::int64_t page, std::int64_t first_key, std::int64_t last_key) {
      cache_.fetch_values(page);
      const cpu::HeadResult keys = cache_.keys(page);
      std::int64_t first_row = queries_.rows();
      std::int64_t last_row = 0;
      for_rows(first_key, last_key, [&](std::int64_t row, std::int64_t count, cpu::VisibleKeys) {
        first_row = std::min(first_row, row);
        last_row = row + count;
      });
      float* scores = scores_.data() + first_row * stride_ + first_key - begin;
      for (std::int64_t row = first_row; row < last_row; ++row) {
        std::fill_n(scores_.data() + row * stride_ + first_key - begin, cache_.slots(), 0.0F);
      }
      cpu::add_row_products({scores, stride_}, {q_ + first_row * size, size},
                            {keys.data, keys.stride}, last_row - first_row, cache_.slots(), size);
    });
  }

  // Turns a row's scores into weights exp(score - maximum); returns the factor of what was summed
  // before.
  float weigh(std::int64_t row, cpu::VisibleKeys keys) {
    float* scores = scores_.data() + row * stride_ + keys.first;
    const std::int64_t count = keys.last - keys.first;
    float& maximum = maximum_[static_cast<std::size_t>(row)];
    float& sum = sum_[static_cast<std::size_t>(row)];
    if (shape_.softcap != 0.0F) {
      cpu::cap(scores, shape_.softcap, count);
    }
    const float before = maximum;
    maximum = std::max(before, cpu::largest(scores, count));
    const float correction = std::exp(before - maximum);
    sum = sum * correction + cpu::exponentiate(scores, maximum, count);
    return correction;
  }

  const cpu::PackedHeads& heads_;
  const AttentionShape& shape_;
  const PagesOfHead& cache_;
  const std::int32_t* pages_;  // of the sequence
  PagedQueries queries_;
  std::array<float, cpu::kQueryBlock> maximum_;
  std::array<float, cpu::kQueryBlock> sum_;
  std::int64_t tile_ = 0;    // positions of a tile
  std::int64_t stride_ = 0;  // of rows of scores
  float* q_ = nullptr;       // [rows, E], scaled
  float* out_ = nullptr;     // [rows, E], as of_tile_
  float* of_tile_ = nullptr;
  std::array<float, cpu::kQueryBlock * kMostSlots> scores_;  // [rows, stride_]
};

struct PagedTask {
  std::int64_t sequence;
  PagedQueries queries;  // first_head within a key head's group
};

// Blocks of at most kQueryBlock rows that cover the queries of every sequence for one key head.
std::vector<PagedTask> paged_tasks(const AttentionPaged& op, std::int64_t group) {
  const std::int64_t tokens = std::max<std::int64_t>(cpu::kQueryBlock / group, 1);
  const std::int64_t slots = op.cache_k.dim(1);
  std::vector<PagedTask> tasks;
  const std::int32_t* begins = op.begins.i32();
  for (std::int64_t b = 0; b < op.lengths.dim(0); ++b) {
    const std::int64_t length = op.lengths.i32()[b];
    const std::int64_t count = begins[b + 1] - begins[b];
    LMPO_CHECK(count >= 0 && length >= count && length <= op.pages.dim(1) * slots);
    for (std::int64_t first = 0; first < count; first += tokens) {
      for (std::int64_t head = 0; head < group; head += cpu::kQueryBlock) {
        tasks.push_back({.sequence = b,
                         .queries = {.first_row = begins[b] + first,
                                     .tokens = std::min(tokens, count - first),
                                     .first_head = head,
                                     .heads = std::min(cpu::kQueryBlock, group - head),
                                     .first_position = length - count + first}});
      }
    }
  }
  return tasks;
}

}  // namespace

void CpuOps::run(const StorePages& op) {
  const std::int64_t tokens = op.qkv.dim(0);
  check_pages(op.cache_k, op.cache_v, op.shape);
  LMPO_CHECK(has_shape(op.slots, {tokens}));
  const cpu::PackedHeads heads(op.qkv, op.shape);
  const std::int64_t size = op.shape.head_size;
  const std::int64_t page_slots = op.cache_k.dim(1);
  parallel_for(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t slot = op.slots.i32()[t];
      LMPO_CHECK(slot >= 0);
      for (std::int64_t head = 0; head < op.shape.key_heads; ++head) {
        const PagesOfHead cache(op.cache_k, op.cache_v, head, size);
        float* keys = cache.keys(slot / page_slots).data + slot % page_slots;
        for (std::int64_t e = 0; e < size; ++e) {
          keys[e * page_slots] = heads.key(t, head).data[e];
        }
        std::copy_n(heads.value(t, head).data, size,
                    cache.values(slot / page_slots).data + slot % page_slots * size);
      }
    }
  });
}

void CpuOps::run(const AttentionPaged& op) {
  const std::int64_t rows = op.qkv.dim(0);
  const std::int64_t sequences = op.lengths.dim(0);
  check_pages(op.cache_k, op.cache_v, op.shape);
  LMPO_CHECK(has_shape(op.out, {rows, op.shape.out_width()}) &&
             has_shape(op.lengths, {sequences}) && has_shape(op.begins, {sequences + 1}) &&
             op.pages.rank() == 2 && op.pages.dim(0) == sequences && op.begins.i32()[0] == 0 &&
             op.begins.i32()[sequences] == rows);
  const cpu::PackedHeads heads(op.qkv, op.shape);
  const std::vector<PagedTask> tasks = paged_tasks(op, heads.group());
  parallel_each(std::ssize(tasks) * op.shape.key_heads, [&](std::int64_t index) {
    const PagedTask& task = tasks[static_cast<std::size_t>(index / op.shape.key_heads)];
    const std::int64_t key_head = index % op.shape.key_heads;
    const PagesOfHead cache(op.cache_k, op.cache_v, key_head, op.shape.head_size);
    PagedQueries queries = task.queries;
    queries.first_head += key_head * heads.group();
    PagedBlock block(heads, cache, op.pages.i32() + task.sequence * op.pages.dim(1), queries);
    block.attend(op.out);
  });
}

}  // namespace lmpo
