#include "bench/machine_speed.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>

#include "base/error.h"
#include "base/random.h"
#include "tensor/arena.h"

namespace lmpo {
namespace {

constexpr int kRepetitions = 7;
constexpr std::int64_t kHeadColumns = 4096;
constexpr std::int64_t kLargeArray = std::int64_t{1} << 27;  // elements
constexpr std::int64_t kDistinctRows = 256;
constexpr std::int64_t kSquare = 8192;
constexpr std::int64_t kLayerRows = 512;
constexpr std::int64_t kLayerWidth = 1024;

void upload_as(Ops& ops, Tensor tensor, std::span<const float> values) {
  if (tensor.dtype() == Dtype::f32) {
    ops.upload(tensor, values.data());
    return;
  }
  std::vector<bfloat16> rounded;
  for (const float value : values) {
    rounded.push_back(to_bfloat16(value));
  }
  ops.upload(tensor, rounded.data());
}

template <typename Body>
double best_seconds(Ops& ops, const Body& body) {
  double best = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition <= kRepetitions; ++repetition) {
    const auto start = std::chrono::steady_clock::now();
    body();
    ops.finish();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    if (repetition > 0) {  // the first warms caches and compiles kernels
      best = std::min(best, time.count());
    }
  }
  return best;
}

// In the type that the ops compute with; gradients of weights are float32.
Tensor filled(Arena& arena, Ops& ops, Dtype dtype, std::int64_t rows, std::int64_t columns) {
  const Tensor tensor = arena.allocate("bench", dtype, {rows, columns});
  Random random(1, 0);
  std::vector<float> row(static_cast<std::size_t>(columns));
  for (std::int64_t i = 0; i < std::min(rows, kDistinctRows); ++i) {
    for (float& value : row) {
      value = static_cast<float>(random.uniform() - 0.5);
    }
    upload_as(ops, tensor.rows(i, i + 1), row);
  }
  for (std::int64_t i = kDistinctRows; i < rows; i += kDistinctRows) {
    const std::int64_t count = std::min(kDistinctRows, rows - i);
    ops.run(Copy{.out = tensor.rows(i, i + count), .in = tensor.rows(0, count)});
  }
  return tensor;
}

std::size_t bytes_of(std::int64_t elements) {
  return static_cast<std::size_t>(elements) * sizeof(float) + 4096;
}

void measure_product(ProductSpeed& p, Device& device, Ops& ops) {
  Arena arena = device.make_arena(bytes_of(2 * (p.rows * p.in + p.rows * p.out + p.in * p.out)));
  const auto matrix = [&](std::int64_t rows, std::int64_t columns) {
    return filled(arena, ops, ops.compute_dtype(), rows, columns);
  };
  const Tensor x = matrix(p.rows, p.in);
  const Tensor w = matrix(p.out, p.in);
  const Tensor y = matrix(p.rows, p.out);
  const Tensor dx = matrix(p.rows, p.in);
  const Tensor dw = filled(arena, ops, Dtype::f32, p.out, p.in);
  p.seconds = best_seconds(ops, [&] { ops.run(LinearForward{.y = y, .x = x, .w = w}); }) +
              best_seconds(ops, [&] { ops.run(LinearBackwardInput{.dx = dx, .dy = y, .w = w}); }) +
              best_seconds(ops, [&] { ops.run(LinearBackwardWeight{.dw = dw, .dy = y, .x = x}); });
}

}  // namespace

double ProductSpeed::operations() const {
  return 6.0 * static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out);
}

std::vector<ProductSpeed> measure_products(const ModelConfig& config, Device& device, Ops& ops,
                                           std::int64_t tokens, std::int64_t head_rows) {
  const std::int64_t width = config.hidden_size;
  const std::int64_t attention = config.heads * config.head_size;
  std::vector<ProductSpeed> products = {
      {"qkv", tokens, width, attention + 2 * config.key_heads * config.head_size, 0},
      {"attention output", tokens, attention, width, 0},
      {"gate and up", tokens, width, 2 * config.intermediate_size, 0},
      {"down", tokens, config.intermediate_size, width, 0},
      {"head", head_rows, width, std::min(kHeadColumns, config.vocab_size), 0}};
  for (ProductSpeed& p : products) {
    measure_product(p, device, ops);
  }
  return products;
}

double product_rate(const ModelConfig& config, const std::vector<ProductSpeed>& products) {
  double operations = 0;
  double seconds = 0;
  for (const ProductSpeed& p : products) {
    // A head's tile stands for the whole vocabulary, a layer's product for all layers.
    const double times = p.name == "head"
                             ? static_cast<double>(config.vocab_size) / static_cast<double>(p.out)
                             : static_cast<double>(config.layers);
    operations += times * p.operations();
    seconds += times * p.seconds;
  }
  return operations / seconds;
}

double measure_bandwidth(Device& device, Ops& ops) {
  Arena arena = device.make_arena(bytes_of(2 * kLargeArray));
  const Dtype dtype = ops.compute_dtype();
  const Tensor out = filled(arena, ops, dtype, kLargeArray / 1024, 1024);
  const Tensor in = filled(arena, ops, dtype, kLargeArray / 1024, 1024);
  const double seconds = best_seconds(ops, [&] { ops.run(Copy{.out = out, .in = in}); });
  return 2.0 * static_cast<double>(in.bytes()) / seconds;  // read and written
}

double bfloat16_rate(Device& device) {
  const auto seconds = [&](Dtype compute) {
    const auto ops = device.make_ops(compute);
    ProductSpeed layer = {"layer", kLayerRows, kLayerWidth, kLayerWidth, 0};
    measure_product(layer, device, *ops);
    return layer.seconds;
  };
  try {
    return seconds(Dtype::f32) / seconds(Dtype::bf16);
  } catch (const UserError&) {
    return 0;
  }
}

double measure_dense_rate(Device& device, Ops& ops) {
  ProductSpeed square = {"square", kSquare, kSquare, kSquare, 0};
  measure_product(square, device, ops);
  return square.operations() / square.seconds;
}

}  // namespace lmpo
