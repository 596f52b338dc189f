// Speed of the ops that a training step spends its time in, at the sizes of a model of 1 billion
// parameters (hidden 2048, 32 heads over 8 key heads, feed-forward 8192).
#include <benchmark/benchmark.h>

#include "base/random.h"
#include "base/threads.h"
#include "ops/ops.h"
#include "ops/testing/heads.h"
#include "tensor/arena.h"

namespace lmpo {
namespace {

class Bench {
 public:
  explicit Bench(benchmark::State& state) : state_(state) {}
  ~Bench() {
    if (operations_ > 0.0) {
      rate("GFLOP/s", operations_ / 1e9);
    }
    if (bytes_ > 0.0) {
      rate("GB/s", bytes_ / 1e9);
    }
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Ops& ops() { return *ops_; }
  // What one iteration does.
  void operations(double count) { operations_ = count; }
  void bytes(double count) { bytes_ = count; }

  Tensor random(std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena_.allocate("bench", Dtype::f32, shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.f32()[i] = static_cast<float>(random_.uniform() - 0.5);
    }
    return tensor;
  }
  template <typename Index>
  Tensor indices(std::int64_t count, const Index& index) {
    const Tensor tensor = arena_.allocate("bench", Dtype::i32, {count});
    for (std::int64_t i = 0; i < count; ++i) {
      tensor.i32()[i] = static_cast<std::int32_t>(index(i));
    }
    return tensor;
  }
  template <typename Body>
  void run(const Body& body) {
    for ([[maybe_unused]] const auto iteration : state_) {
      body();
    }
  }

 private:
  void rate(const char* name, double amount) {
    state_.counters[name] =
        benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
  }

  benchmark::State& state_;
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
  Arena arena_ = Arena::host(std::size_t{3} << 30);
  Random random_{1, 0};
  double operations_ = 0.0;
  double bytes_ = 0.0;
};

void linear(benchmark::State& state) {
  Bench bench(state);
  const std::int64_t tokens = state.range(0);
  const std::int64_t width = state.range(1);
  const Tensor x = bench.random({tokens, width});
  const Tensor w = bench.random({width, width});
  const Tensor y = bench.random({tokens, width});
  bench.operations(2.0 * static_cast<double>(tokens * width * width));
  bench.run([&] { bench.ops().run(LinearForward{.y = y, .x = x, .w = w}); });
}
BENCHMARK(linear)
    ->Args({1, 2048})
    ->Args({8, 2048})
    ->Args({1024, 256})
    ->Args({1024, 2048})
    ->UseRealTime();

void attention(benchmark::State& state) {
  Bench bench(state);
  const auto tokens = static_cast<std::int32_t>(state.range(0));
  const bool backward = state.range(1) != 0;
  const std::int64_t size = state.range(2);
  // About as many columns for every head size.
  const std::int64_t key_heads = 512 / size;
  const std::int64_t query_heads = 4 * key_heads;
  const AttentionShape shape =
      testing::heads(query_heads, key_heads, size, 0, static_cast<float>(state.range(3)));
  // One pair: a trunk of a third and two branches.
  const std::int32_t third = tokens / 3;
  const std::vector<Pack::Segment> segments{
      {0, third, 0, 0}, {third, 2 * third, 0, third}, {2 * third, tokens, 0, third}};
  const Tensor positions =
      bench.indices(tokens, [&](std::int64_t i) { return i < 2 * third ? i : i - third; });
  const Tensor qkv = bench.random({tokens, shape.qkv_width()});
  const Tensor dqkv = bench.random({tokens, shape.qkv_width()});
  const Tensor out = bench.random({tokens, shape.out_width()});
  const Tensor dout = bench.random({tokens, shape.out_width()});
  const Tensor lse = bench.random({query_heads, tokens});
  const Tensor scratch = bench.random({query_heads, tokens});
  double scores = 0.0;
  for (const Pack::Segment& segment : segments) {
    const double run = segment.end - segment.begin;
    scores += run * (run / 2.0 + segment.context_end - segment.context_begin);
  }
  bench.operations((backward ? 10.0 : 4.0) * scores * static_cast<double>(shape.out_width()));
  const AttentionForward forward{.out = out,
                                 .lse = lse,
                                 .qkv = qkv,
                                 .positions = positions,
                                 .segments = segments,
                                 .shape = shape};
  bench.ops().run(forward);
  bench.run([&] {
    if (backward) {
      bench.ops().run(AttentionBackward{.dqkv = dqkv,
                                        .dout = dout,
                                        .out = out,
                                        .lse = lse,
                                        .qkv = qkv,
                                        .positions = positions,
                                        .segments = segments,
                                        .shape = shape,
                                        .scratch = scratch});
    } else {
      bench.ops().run(forward);
    }
  });
}
BENCHMARK(attention)
    ->ArgNames({"tokens", "backward", "head_size", "softcap"})
    ->ArgsProduct({{600}, {0, 1}, {64}, {0}})
    ->ArgsProduct({{3072}, {0, 1}, {64, 80, 96, 128, 256}, {0, 50}})
    ->UseRealTime();

void decode(benchmark::State& state) {
  Bench bench(state);
  const AttentionShape shape = testing::heads(32, 8, 64);
  const std::int64_t slots = 1024;
  const Tensor out = bench.random({8, 32 * 64});
  const Tensor qkv = bench.random({8, 48 * 64});
  const Tensor cache_k = bench.random({8, slots, 8 * 64});
  const Tensor cache_v = bench.random({8, slots, 8 * 64});
  const Tensor lengths = bench.indices(8, [&](std::int64_t) { return slots - 1; });
  bench.bytes(static_cast<double>(cache_k.bytes() + cache_v.bytes()));
  bench.run([&] {
    bench.ops().run(AttentionDecode{.out = out,
                                    .qkv = qkv,
                                    .cache_k = cache_k,
                                    .cache_v = cache_v,
                                    .lengths = lengths,
                                    .shape = shape});
  });
}
BENCHMARK(decode)->UseRealTime();

void head(benchmark::State& state) {
  Bench bench(state);
  const bool backward = state.range(0) != 0;
  constexpr std::int64_t rows = 512;
  constexpr std::int64_t width = 1024;
  constexpr std::int64_t vocabulary = 32000;
  const Tensor hidden = bench.random({rows, width});
  const Tensor dhidden = bench.random({rows, width});
  const Tensor w = bench.random({vocabulary, width});
  const Tensor dw = bench.random({vocabulary, width});
  const Tensor row = bench.indices(rows, [](std::int64_t i) { return i; });
  const Tensor token = bench.indices(rows, [](std::int64_t i) { return i; });
  const Tensor logp = bench.random({rows});
  const Tensor lse = bench.random({rows});
  const Tensor workspace =
      bench.random({bench.ops().head_workspace(rows, width, vocabulary, Dtype::f32)});
  bench.operations((backward ? 6.0 : 2.0) * static_cast<double>(rows * width * vocabulary));
  const HeadForward forward{.logp = logp,
                            .lse = lse,
                            .hidden = hidden,
                            .w = w,
                            .target_row = row,
                            .target_token = token,
                            .workspace = workspace};
  bench.ops().run(forward);
  bench.run([&] {
    if (backward) {
      bench.ops().run(HeadBackward{.dhidden = dhidden,
                                   .dw = dw,
                                   .dlogp = logp,
                                   .lse = lse,
                                   .hidden = hidden,
                                   .w = w,
                                   .target_row = row,
                                   .target_token = token,
                                   .workspace = workspace});
    } else {
      bench.ops().run(forward);
    }
  });
}
BENCHMARK(head)->ArgName("backward")->Arg(0)->Arg(1)->UseRealTime();

void rmsnorm(benchmark::State& state) {
  Bench bench(state);
  const bool backward = state.range(0) != 0;
  const Tensor x = bench.random({1024, 2048});
  const Tensor y = bench.random({1024, 2048});
  const Tensor dx = bench.random({1024, 2048});
  const Tensor w = bench.random({2048});
  const Tensor dw = bench.random({2048});
  const Tensor rstd = bench.random({1024});
  bench.bytes((backward ? 6.0 : 2.0) * static_cast<double>(x.bytes()));
  bench.run([&] {
    if (backward) {
      bench.ops().run(RmsNormBackward{.dx = dx, .dw = dw, .dy = y, .x = x, .w = w, .rstd = rstd});
    } else {
      bench.ops().run(RmsNormForward{.y = y, .rstd = rstd, .x = x, .w = w, .eps = 1e-5F});
    }
  });
}
BENCHMARK(rmsnorm)->ArgName("backward")->Arg(0)->Arg(1)->UseRealTime();

void glu(benchmark::State& state) {
  Bench bench(state);
  const bool backward = state.range(0) != 0;
  const auto activation = static_cast<Activation>(state.range(1));
  const Tensor gate_up = bench.random({512, 2 * 8192});
  const Tensor dgate_up = bench.random({512, 2 * 8192});
  const Tensor y = bench.random({512, 8192});
  const Tensor dy = bench.random({512, 8192});
  bench.bytes((backward ? 6.0 : 3.0) * static_cast<double>(y.bytes()));
  bench.run([&] {
    if (backward) {
      bench.ops().run(GluBackward{
          .dgate_up = dgate_up, .y = y, .dy = dy, .gate_up = gate_up, .activation = activation});
    } else {
      bench.ops().run(GluForward{.y = y, .gate_up = gate_up, .activation = activation});
    }
  });
}
BENCHMARK(glu)->ArgNames({"backward", "activation"})->ArgsProduct({{0, 1}, {0, 1}})->UseRealTime();

void adamw(benchmark::State& state) {
  Bench bench(state);
  constexpr std::int64_t count = 1 << 24;
  const Tensor w = bench.random({count});
  const Tensor gradient = bench.random({count});
  const Tensor moment1 = bench.random({count});
  const Tensor moment2 = bench.random({count});
  bench.ops().run(Zero{.x = moment2});
  bench.bytes(7.0 * static_cast<double>(w.bytes()));
  const AdamWStep step{1e-6, 0.9, 0.999, 1e-8, 0.0, 0.1, 0.001, 1.0};
  bench.run([&] {
    bench.ops().run(AdamW{.w = w,
                          .low = {},
                          .gradient = gradient,
                          .moment1 = moment1,
                          .moment2 = moment2,
                          .step = step});
  });
}
BENCHMARK(adamw)->UseRealTime();

}  // namespace
}  // namespace lmpo
