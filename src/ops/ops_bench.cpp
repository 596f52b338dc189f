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
  explicit Bench(benchmark::State& state, Dtype factors = Dtype::f32)
      : state_(state), ops_(make_cpu_ops(factors)) {}
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
  // Float32 values in another type; int8: of some size, because scales would make it right.
  Tensor stored(Tensor values, Dtype storage) {
    if (storage == Dtype::f32) {
      return values;
    }
    const Tensor tensor = arena_.allocate("bench", storage, {values.dim(0), values.dim(1)});
    if (storage == Dtype::i8) {
      for (std::int64_t i = 0; i < values.elements(); ++i) {
        tensor.i8()[i] = static_cast<std::int8_t>(250.0F * values.f32()[i]);
      }
    } else {
      ops_->run(Cast{.out = tensor, .in = values});
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
  std::unique_ptr<Ops> ops_;
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

// As answers need them: beside the products of training, at sizes of SmolLM2-135M and of a model of
// 40 million parameters. There are so many weights that they come from memory.
void linear_rows(benchmark::State& state) {
  Bench bench(state, state.range(4) != 0 ? Dtype::bf16 : Dtype::f32);
  const std::int64_t tokens = state.range(0);
  const std::int64_t in = state.range(1);
  const std::int64_t out = state.range(2);
  constexpr std::int64_t kWeights = std::int64_t{1} << 26;
  const std::int64_t copies = std::max<std::int64_t>(1, kWeights / (in * out));
  const Tensor x = bench.random({tokens, in});
  const Tensor y = bench.random({tokens, out});
  const auto storage = static_cast<Dtype>(state.range(3));
  const Tensor w = bench.stored(bench.random({copies * out, in}), storage);
  const Tensor scales = storage == Dtype::i8 ? bench.random({out}) : Tensor();
  bench.operations(2.0 * static_cast<double>(tokens * w.elements()));
  bench.bytes(static_cast<double>(w.bytes()));
  bench.run([&] {
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      bench.ops().run(LinearForward{.y = y,
                                    .x = x,
                                    .w = w.rows(copy * out, (copy + 1) * out),
                                    .independent_rows = state.range(5) != 0,
                                    .scales = scales});
    }
  });
}
void linear_rows_sizes(benchmark::internal::Benchmark* sizes) {
  constexpr auto kFloat = static_cast<std::int64_t>(Dtype::f32);
  constexpr auto kHalf = static_cast<std::int64_t>(Dtype::bf16);
  constexpr auto kByte = static_cast<std::int64_t>(Dtype::i8);
  sizes->ArgNames({"tokens", "in", "out", "storage", "bf16", "independent"})->UseRealTime();
  for (const auto& [in, out] :
       {std::pair<std::int64_t, std::int64_t>{576, 1536}, {512, 1408}, {576, 49152}}) {
    for (const std::int64_t tokens : {1, 4, 16, 64, 512}) {
      if (tokens * out > (1 << 23)) {
        continue;  // logits are only of the last tokens
      }
      for (const auto& [storage, rounds] :
           {std::pair<std::int64_t, std::int64_t>{kFloat, 0}, {kHalf, 0}, {kHalf, 1}}) {
        sizes->Args({tokens, in, out, storage, rounds, 0});
        sizes->Args({tokens, in, out, storage, rounds, 1});
      }
      sizes->Args({tokens, in, out, kByte, 0, 1});
    }
  }
}
BENCHMARK(linear_rows)->Apply(linear_rows_sizes);

// The rate at which memory is read: what a product of one row can reach.
void read_memory(benchmark::State& state) {
  Bench bench(state);
  const Tensor x = bench.random({std::int64_t{1} << 26});
  bench.bytes(static_cast<double>(x.bytes()));
  bench.run([&] { benchmark::DoNotOptimize(bench.ops().sum_of_squares({&x, 1})); });
}
BENCHMARK(read_memory)->UseRealTime();

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

// A sequence's last tokens over a cache of all of them, B such sequences.
void paged(benchmark::State& state) {
  Bench bench(state);
  const std::int64_t sequences = state.range(0);
  const std::int64_t queries = state.range(1);
  const std::int64_t length = state.range(2);
  const std::int64_t slots = state.range(3);
  const AttentionShape shape = testing::heads(state.range(4), state.range(5), state.range(6));
  const std::int64_t width = (length + slots - 1) / slots;
  const std::int64_t rows = sequences * queries;
  const Tensor cache_k = bench.random({sequences * width, slots, shape.key_width()});
  const Tensor cache_v = bench.random({sequences * width, slots, shape.key_width()});
  const AttentionPaged op{
      .out = bench.random({rows, shape.out_width()}),
      .qkv = bench.random({rows, shape.qkv_width()}),
      .cache_k = cache_k,
      .cache_v = cache_v,
      .begins = bench.indices(sequences + 1, [&](std::int64_t i) { return i * queries; }),
      .lengths = bench.indices(sequences, [&](std::int64_t) { return length; }),
      .pages = bench.indices(sequences * width, [](std::int64_t i) { return i; })
                   .reshaped({sequences, width}),
      .shape = shape};
  bench.bytes(static_cast<double>(cache_k.bytes() + cache_v.bytes()));
  bench.operations(4.0 * static_cast<double>(rows * shape.out_width()) *
                   (static_cast<double>(length) - static_cast<double>(queries) / 2.0));
  bench.run([&] { bench.ops().run(op); });
}
BENCHMARK(paged)
    ->ArgNames({"sequences", "queries", "length", "slots", "heads", "key_heads", "head_size"})
    ->Args({8, 1, 1024, 32, 32, 8, 64})
    ->Args({8, 1, 1024, 16, 32, 8, 64})
    ->Args({1, 1, 2048, 32, 9, 3, 64})
    ->Args({16, 1, 300, 32, 8, 8, 64})
    ->Args({1, 512, 2012, 32, 9, 3, 64})
    ->Args({1, 512, 2012, 16, 9, 3, 64})
    ->Args({1, 512, 2012, 64, 9, 3, 64})
    ->Args({1, 512, 2012, 64, 32, 8, 128})
    ->Args({8, 1, 1024, 64, 32, 8, 64})
    ->Args({1, 512, 2012, 32, 8, 8, 64})
    ->Args({1, 512, 2012, 32, 32, 8, 128})
    ->Args({1, 128, 128, 32, 8, 8, 64})
    ->UseRealTime();

// A pack of one sequence's tokens [begin, end), with those before it as its context: what `paged`
// computes from a cache.
void sequence(benchmark::State& state) {
  Bench bench(state);
  const auto queries = static_cast<std::int32_t>(state.range(0));
  const auto tokens = static_cast<std::int32_t>(state.range(1));
  const AttentionShape shape = testing::heads(state.range(2), state.range(3), state.range(4));
  const std::int32_t past = tokens - queries;
  const std::vector<Pack::Segment> segments{{0, past, 0, 0}, {past, tokens, 0, past}};
  const std::vector<Pack::Segment> alone{{0, tokens, 0, 0}};
  const AttentionForward op{.out = bench.random({tokens, shape.out_width()}),
                            .lse = bench.random({shape.query_heads, tokens}),
                            .qkv = bench.random({tokens, shape.qkv_width()}),
                            .positions = bench.indices(tokens, [](std::int64_t i) { return i; }),
                            .segments = past > 0 ? segments : alone,
                            .shape = shape};
  bench.operations(2.0 * static_cast<double>(tokens) * static_cast<double>(tokens) *
                   static_cast<double>(shape.out_width()));
  bench.run([&] { bench.ops().run(op); });
}
BENCHMARK(sequence)
    ->ArgNames({"queries", "length", "heads", "key_heads", "head_size"})
    ->Args({512, 2012, 9, 3, 64})
    ->Args({512, 2012, 8, 8, 64})
    ->Args({512, 2012, 32, 8, 128})
    ->Args({128, 128, 8, 8, 64})
    ->UseRealTime();

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
