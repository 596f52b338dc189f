#include "bench/machine_speed.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "tensor/arena.h"

namespace lmpo {
namespace {

constexpr int kRepetitions = 7;
constexpr std::int64_t kHeadColumns = 4096;
constexpr std::int64_t kLargeArray = std::int64_t{1} << 26;  // elements

template <typename Body>
double best_seconds(const Body& body) {
  body();  // caches and compiled kernels
  double best = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const auto start = std::chrono::steady_clock::now();
    body();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

Tensor filled(Arena& arena, std::int64_t rows, std::int64_t columns, float scale) {
  const Tensor tensor = arena.allocate("bench", Dtype::f32, {rows, columns});
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    tensor.f32()[i] = scale * static_cast<float>(i % 97 - 48);
  }
  return tensor;
}

std::size_t bytes_of(std::int64_t elements) {
  return static_cast<std::size_t>(elements) * sizeof(float) + 4096;
}

}  // namespace

double ProductSpeed::operations() const {
  return 6.0 * static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out);
}

std::vector<ProductSpeed> measure_products(const ModelConfig& config, Ops& ops, std::int64_t tokens,
                                           std::int64_t head_rows) {
  const std::int64_t width = config.hidden_size;
  const std::int64_t attention = config.heads * config.head_size;
  std::vector<ProductSpeed> products = {
      {"qkv", tokens, width, attention + 2 * config.key_heads * config.head_size, 0},
      {"attention output", tokens, attention, width, 0},
      {"gate and up", tokens, width, 2 * config.intermediate_size, 0},
      {"down", tokens, config.intermediate_size, width, 0},
      {"head", head_rows, width, std::min(kHeadColumns, config.vocab_size), 0}};
  for (ProductSpeed& p : products) {
    Arena arena = Arena::host(bytes_of(2 * (p.rows * p.in + p.rows * p.out + p.in * p.out)));
    const Tensor x = filled(arena, p.rows, p.in, 0.01F);
    const Tensor w = filled(arena, p.out, p.in, 0.01F);
    const Tensor y = filled(arena, p.rows, p.out, 0.0F);
    const Tensor dx = filled(arena, p.rows, p.in, 0.0F);
    const Tensor dw = filled(arena, p.out, p.in, 0.0F);
    p.seconds = best_seconds([&] { ops.linear_forward(y, x, w, false); }) +
                best_seconds([&] { ops.linear_backward_input(dx, y, w, false); }) +
                best_seconds([&] { ops.linear_backward_weight(dw, y, x); });
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

double measure_bandwidth(Ops& ops) {
  Arena arena = Arena::host(bytes_of(2 * kLargeArray));
  const Tensor out = filled(arena, kLargeArray / 1024, 1024, 0.0F);
  const Tensor in = filled(arena, kLargeArray / 1024, 1024, 0.01F);
  const double seconds = best_seconds([&] { ops.add(out, in); });
  return 3.0 * static_cast<double>(kLargeArray) * sizeof(float) / seconds;
}

}  // namespace lmpo
