#include "ops/cpu/independent_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "ops/cpu/buffer.h"
#include "ops/cpu/convert.h"

namespace lmpo::cpu {
namespace {

// Terms that are summed before the next row's: so many of a tile's rows stay in the first cache.
constexpr std::int64_t kBlockTerms = 768;
// Bytes of x or of w that stay in the second cache while the other passes.
constexpr std::int64_t kCached = 1 << 18;
// Rows of w, a panel, that are multiplied with some rows of x before the next rows of x come.
constexpr std::int64_t kLeastPanel = 16;
constexpr std::int64_t kMostPanel = 128;
constexpr std::int64_t kPartsOfThread = 4;
// Sweeps over w in 8 bits for which widening it anew each time is cheaper than a widened copy.
constexpr std::int64_t kByteSweeps = 2;
// Multiplications for which waking a thread pays.
constexpr std::int64_t kGrain = 1 << 15;

std::int64_t bytes_of(Dtype dtype) {
  return static_cast<std::int64_t>(dtype_size(dtype));
}

std::int64_t whole_tiles(std::int64_t outputs) {
  return (outputs + kTileOutputs - 1) / kTileOutputs * kTileOutputs;
}

// Rows of a matrix as a kernel reads them.
struct Rows {
  const char* data;
  std::int64_t stride;   // elements from row to row
  std::int64_t element;  // bytes

  const char* at(std::int64_t row, std::int64_t column) const {
    return data + (row * stride + column) * element;
  }
};

// Columns [column, column + terms) of some rows, with zeros up to kTileTerms.
Rows padded(char* buffer, const Rows& from, std::int64_t first, std::int64_t rows,
            std::int64_t column, std::int64_t terms) {
  const std::int64_t bytes = kTileTerms * from.element;
  std::memset(buffer, 0, static_cast<std::size_t>(rows * bytes));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memcpy(buffer + row * bytes, from.at(first + row, column),
                static_cast<std::size_t>(terms * from.element));
  }
  return {buffer, kTileTerms, from.element};
}

// Of rows of x that are rounded: as float32 and as bfloat16.
std::size_t x_bytes(std::int64_t tokens, std::int64_t terms) {
  return static_cast<std::size_t>(tokens * terms * (bytes_of(Dtype::f32) + bytes_of(Dtype::bf16)));
}

// Of a panel that is converted.
std::int64_t panel_bytes(std::int64_t terms, Dtype factor) {
  return kMostPanel * terms * bytes_of(factor);
}

Rows rows_of(Tensor x) {
  return {static_cast<const char*>(x.strided_data()), x.row_stride(), bytes_of(x.dtype())};
}

// Sums of products of some rows of x with the rows of w of a panel.
using Sums = std::array<std::array<float, kMostPanel>, kTileInputs>;

class IndependentRows {
 public:
  IndependentRows(const LinearForward& op, Precision precision, const RowKernels& kernels)
      : op_(op),
        terms_(op.w.dim(1)),
        x_(rows_of(op.x)),
        factor_(op.w.dtype()),
        most_inputs_(kernels.inputs) {
    if (precision == Precision::bf16) {
      round_x(kernels.pairs == nullptr);
      if (factor_ == Dtype::i8 && kernels.byte_pairs != nullptr && sweeps() <= kByteSweeps) {
        kernel_ = kernels.byte_pairs;
      } else {
        factor_ = Dtype::bf16;
        kernel_ = kernels.pairs != nullptr ? kernels.pairs : kernels.bf16;
      }
    } else if (factor_ == Dtype::bf16) {
      kernel_ = kernels.bf16;
    } else if (factor_ == Dtype::i8) {
      kernel_ = kernels.i8;
    } else {
      factor_ = Dtype::f32;
      kernel_ = kernels.f32;
    }
  }

  void run() const {
    const std::int64_t tokens = op_.x.dim(0);
    const std::int64_t outputs = op_.w.dim(0);
    // Either all of x stays in the cache while w passes once, or a panel of w stays.
    const bool x_stays = tokens * terms_ * x_.element <= kCached;
    const std::int64_t fit = kCached / (terms_ * bytes_of(factor_) + 1);
    const std::int64_t panel = x_stays ? kLeastPanel : std::clamp(fit, kLeastPanel, kMostPanel);
    const std::int64_t tiles = whole_tiles(outputs) / kTileOutputs;
    const std::int64_t grain = kGrain / (tokens * terms_ * kTileOutputs + 1) + 1;
    // Parts that threads take one by one: cores seldom run equally fast.
    const std::int64_t parts =
        std::clamp<std::int64_t>(tiles / grain, 1, kPartsOfThread * threads());
    parallel_each(parts, [&](std::int64_t part) {
      const std::int64_t last = std::min(tiles * (part + 1) / parts * kTileOutputs, outputs);
      for (std::int64_t o = tiles * part / parts * kTileOutputs; o < last; o += panel) {
        multiply_panel(o, std::min(panel, last - o));
      }
    });
  }

 private:
  // How often w passes, each time with other rows of x.
  std::int64_t sweeps() const { return (op_.x.dim(0) + most_inputs_ - 1) / most_inputs_; }

  // x becomes what bfloat16 holds of it: stored so, or widened again for kernels that read floats.
  void round_x(bool widens) {
    thread_local Buffer buffer;
    const std::int64_t tokens = op_.x.dim(0);
    const std::int64_t count = tokens * terms_;
    const Tensor wide(buffer.bytes(x_bytes(tokens, terms_)), Dtype::f32, {tokens, terms_});
    const Tensor rounded(wide.f32() + count, Dtype::bf16, {tokens, terms_});
    parallel_for(tokens, kGrain / (terms_ + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const float* x = strided_f32(op_.x) + row * op_.x.row_stride();
        narrow_bf16(rounded.bf16() + row * terms_, x, terms_);
        if (widens) {
          widen(wide.f32() + row * terms_, rounded, row * terms_, terms_);
        }
      }
    });
    x_ = rows_of(widens ? wide : rounded);
  }

  // Elements of `out` = elements of `in`, from one storage to another.
  static void convert(Tensor out, std::int64_t out_begin, Tensor in, std::int64_t in_begin,
                      std::int64_t count) {
    std::array<float, kBlockTerms> wide;
    for (std::int64_t i = 0; i < count; i += kBlockTerms) {
      const std::int64_t part = std::min(kBlockTerms, count - i);
      narrow(out, out_begin + i, as_f32(in, in_begin + i, part, wide.data()), part);
    }
  }

  // Rows of w in the type that the kernel reads.
  Rows panel_of(std::int64_t begin, std::int64_t count) const {
    if (op_.w.dtype() == factor_) {
      return rows_of(op_.w.rows(begin, begin + count));
    }
    thread_local Buffer buffer;
    const Tensor converted(buffer.bytes(static_cast<std::size_t>(panel_bytes(terms_, factor_))),
                           factor_, {count, terms_});
    convert(converted, 0, op_.w, begin * terms_, count * terms_);
    return rows_of(converted);
  }

  void multiply_panel(std::int64_t begin, std::int64_t outputs) const {
    const Rows w = panel_of(begin, outputs);
    Sums sums;
    for (std::int64_t t = 0; t < op_.x.dim(0); t += most_inputs_) {
      const std::int64_t inputs = std::min(most_inputs_, op_.x.dim(0) - t);
      sum_products(sums, w, outputs, t, inputs);
      for (std::int64_t i = 0; i < inputs; ++i) {
        store(t + i, begin, sums[static_cast<std::size_t>(i)].data(), outputs);
      }
    }
  }

  // Of the rows [t, t + inputs) of x.
  void sum_products(Sums& sums, const Rows& w, std::int64_t outputs, std::int64_t t,
                    std::int64_t inputs) const {
    for (std::int64_t i = 0; i < inputs; ++i) {
      std::fill_n(sums[static_cast<std::size_t>(i)].begin(), whole_tiles(outputs), 0.0F);
    }
    const bool fetch = t == 0;  // later rows of x find w in the cache
    const auto add = [&](const Rows& w_part, const Rows& x_part, std::int64_t first,
                         std::int64_t column, std::int64_t count) {
      kernel_({sums[0].data(), kMostPanel, w_part.at(0, column), outputs, w_part.stride,
               x_part.at(first, column), inputs, x_part.stride, count, fetch});
    };
    const std::int64_t whole = terms_ / kTileTerms * kTileTerms;
    for (std::int64_t column = 0; column < whole; column += kBlockTerms) {
      add(w, x_, t, column, std::min(kBlockTerms, whole - column));
    }
    if (whole < terms_) {
      std::array<char, kMostPanel * kTileTerms * sizeof(float)> w_rest;
      std::array<char, kTileInputs * kTileTerms * sizeof(float)> x_rest;
      add(padded(w_rest.data(), w, 0, outputs, whole, terms_ - whole),
          padded(x_rest.data(), x_, t, inputs, whole, terms_ - whole), 0, 0, kTileTerms);
    }
  }

  // y[t, begin + o] from the sums of a row of x.
  void store(std::int64_t t, std::int64_t begin, const float* sums, std::int64_t outputs) const {
    float* y = strided_f32(op_.y) + t * op_.y.row_stride() + begin;
    const float* scales = op_.scales.empty() ? nullptr : op_.scales.f32() + begin;
    for (std::int64_t o = 0; o < outputs; ++o) {
      const float sum = scales == nullptr ? sums[o] : scales[o] * sums[o];
      y[o] = op_.accumulate ? y[o] + sum : sum;
    }
  }

  const LinearForward& op_;
  std::int64_t terms_;  // of a sum
  Rows x_;
  Dtype factor_;  // of w, as the kernel reads it
  std::int64_t most_inputs_;
  RowKernel kernel_ = nullptr;
};

std::vector<RowKernels> usable_kernels() {
  std::vector<RowKernels> usable;
  [[maybe_unused]] const auto add = [&](bool supported, const RowKernels& kernels) {
    if (supported && kernels.f32 != nullptr) {
      usable.push_back(kernels);
    }
  };
#ifdef __x86_64__
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  RowKernels with_pairs = kAvx512RowKernels;
  with_pairs.pairs = kBf16RowKernel;
  with_pairs.byte_pairs = kBytesBf16RowKernel;
  add(avx512 && __builtin_cpu_supports("avx512bf16"), with_pairs);
  add(avx512, kAvx512RowKernels);
  add(avx2, kAvx2RowKernels);
#endif
  add(true, kPlainRowKernels);
  return usable;
}

}  // namespace

std::span<const RowKernels> row_kernels() {
  static const std::vector<RowKernels> kernels = usable_kernels();
  return kernels;
}

void multiply_independent_rows(const LinearForward& op, Precision precision,
                               const RowKernels& kernels) {
  if (!op.y.empty()) {
    IndependentRows(op, precision, kernels).run();
  }
}

std::size_t independent_rows_scratch(std::int64_t tokens, std::int64_t in, Precision precision) {
  if (precision == Precision::f32) {
    return 0;
  }
  return x_bytes(tokens, in) + static_cast<std::size_t>(threads() * panel_bytes(in, Dtype::bf16));
}

}  // namespace lmpo::cpu
