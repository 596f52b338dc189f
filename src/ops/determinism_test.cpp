// For a fixed number of threads every op gives the same bits again; another number of threads may
// round otherwise and no more. On a GPU the same bits come whatever the order in which its threads
// run: an emulated one goes through them backward, a real one as it likes.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/random.h"
#include "base/threads.h"
#include "ops/testing/device.h"
#include "ops/testing/heads.h"

namespace lmpo::determinism_test {
namespace {

// Hands out random tensors and remembers them, so that all can be compared.
class Tensors {
 public:
  Tensors(Device& device, Ops& ops) : ops_(ops), arena_(device.make_arena(std::size_t{1} << 27)) {}

  // float32
  Tensor operator()(std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena_.allocate("test", Dtype::f32, shape);
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    for (float& value : values) {
      value = static_cast<float>(random_.normal());
    }
    ops_.upload(tensor, values.data());
    all_.push_back(tensor);
    return tensor;
  }
  // Of the type of activations.
  Tensor active(std::initializer_list<std::int64_t> shape) {
    const Tensor values = (*this)(shape);
    if (ops_.compute_dtype() == Dtype::f32) {
      return values;
    }
    const Tensor rounded = arena_.allocate("test", ops_.compute_dtype(), shape);
    ops_.run(Cast{.out = rounded, .in = values});
    all_.push_back(rounded);
    return rounded;
  }
  // Not among those that are compared, but for what is computed from them.
  Tensor zeros(Dtype dtype, std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena_.allocate("test", dtype, shape);
    ops_.run(Zero{.x = tensor});
    return tensor;
  }
  // index(i) for i in [0, count)
  template <typename Index>
  Tensor indices(std::int64_t count, const Index& index) {
    const Tensor tensor = arena_.allocate("test", Dtype::i32, {count});
    std::vector<std::int32_t> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<std::int32_t>(index(i)));
    }
    ops_.upload(tensor, values.data());
    return tensor;
  }
  // One that the host computed.
  void number(double value) { numbers_.push_back(static_cast<float>(value)); }
  // Of all tensors, widened, and the numbers.
  std::vector<float> contents() {
    std::vector<float> values = numbers_;
    for (const Tensor& tensor : all_) {
      const Tensor wide = arena_.allocate("test", Dtype::f32, {tensor.elements()});
      ops_.run(Cast{.out = wide, .in = tensor.reshaped({tensor.elements()})});
      const std::size_t before = values.size();
      values.resize(before + static_cast<std::size_t>(tensor.elements()));
      ops_.download(values.data() + before, wide);
    }
    return values;
  }

 private:
  Ops& ops_;
  Arena arena_;
  Random random_{3, 0};
  std::vector<Tensor> all_;
  std::vector<float> numbers_;
};

using Body = std::function<void(Ops&, Tensors&)>;
struct DeterminismCase {
  std::string name;
  Body body;
};

void run_linear(Ops& ops, Tensors& make) {
  const Tensor x = make.active({150, 300});
  const Tensor w = make.active({170, 300});
  const Tensor y = make.active({150, 170});
  ops.run(LinearForward{.y = y, .x = x, .w = w});
  ops.run(LinearForward{.y = y.rows(0, 2), .x = x.rows(0, 2), .w = w});
  ops.run(LinearBackwardInput{.dx = make.active({150, 300}), .dy = y, .w = w});
  ops.run(LinearBackwardWeight{.dw = make({170, 300}), .dy = y, .x = x});
}

void run_rows(Ops& ops, Tensors& make) {
  const Tensor tokens = make.indices(400, [](std::int64_t i) { return i * i % 50; });
  const Tensor y = make.active({400, 200});
  ops.run(EmbeddingForward{.y = y, .table = make.active({50, 200}), .tokens = tokens});
  ops.run(EmbeddingBackward{.dtable = make({50, 200}), .dy = y, .tokens = tokens});
}

void run_norm(Ops& ops, Tensors& make) {
  const Tensor x = make.active({300, 600});
  const Tensor w = make.active({600});
  const Tensor y = make.active({300, 600});
  const Tensor rstd = make({300});
  ops.run(RmsNormForward{.y = y, .rstd = rstd, .x = x, .w = w, .eps = 1e-5F});
  ops.run(RmsNormBackward{
      .dx = make.active({300, 600}), .dw = make({600}), .dy = y, .x = x, .w = w, .rstd = rstd});
}

void run_bias(Ops& ops, Tensors& make) {
  ops.run(BiasForward{.y = make.active({700, 600}), .b = make.active({600})});
  ops.run(BiasBackward{.db = make({600}), .dy = make.active({700, 600})});
}

// As norms of heads are: groups in columns of a wider tensor, in place going back.
void run_norm_of_groups(Ops& ops, Tensors& make) {
  const Tensor x = make.active({90, 5 * 96}).columns(96, 4 * 96);
  const Tensor y = make.active({90, 3 * 96});
  const Tensor w = make.active({96});
  const Tensor rstd = make({90, 3});
  ops.run(RmsNormForward{.y = y, .rstd = rstd, .x = x, .w = w, .eps = 1e-5F});
  ops.run(RmsNormBackward{
      .dx = y, .dw = make({96}), .dy = y, .x = x, .w = w, .rstd = rstd, .accumulate = false});
}

template <Activation activation>
void run_glu(Ops& ops, Tensors& make) {
  const Tensor x = make.active({300, 400});
  const Tensor y = make.active({300, 200});
  ops.run(GluForward{.y = y, .gate_up = x, .activation = activation});
  ops.run(GluBackward{.dgate_up = make.active({300, 400}),
                      .y = make.active({300, 200}),
                      .dy = y,
                      .gate_up = x,
                      .activation = activation});
}

// Of a size that the tensor cores take, and of another; capped in per cent, or not.
template <int head_size, int softcap = 0>
void run_attention(Ops& ops, Tensors& make) {
  const AttentionShape shape = testing::heads(4, 2, head_size, 90, softcap / 100.0F);
  const std::vector<Pack::Segment> segments{{0, 100, 0, 0}, {100, 140, 0, 100}, {140, 190, 0, 0}};
  const Tensor positions = make.indices(190, [](std::int64_t i) { return i < 140 ? i : i - 140; });
  const Tensor qkv = make.active({190, 8 * head_size});
  const Tensor out = make.active({190, 4 * head_size});
  const Tensor lse = make({4, 190});
  ops.run(RopeForward{
      .qkv = qkv, .cos_sin = make({140, head_size}), .positions = positions, .shape = shape});
  ops.run(AttentionForward{.out = out,
                           .lse = lse,
                           .qkv = qkv,
                           .positions = positions,
                           .segments = segments,
                           .shape = shape});
  ops.run(AttentionBackward{.dqkv = make.active({190, 8 * head_size}),
                            .dout = make.active({190, 4 * head_size}),
                            .out = out,
                            .lse = lse,
                            .qkv = qkv,
                            .positions = positions,
                            .segments = segments,
                            .shape = shape,
                            .scratch = make({4, 190})});
  const Tensor cache_k = make.active({12, 16, 2 * head_size});
  const Tensor cache_v = make.active({12, 16, 2 * head_size});
  ops.run(StorePages{.cache_k = cache_k,
                     .cache_v = cache_v,
                     .qkv = qkv,
                     .slots = make.indices(190, [](std::int64_t i) { return i; }),
                     .shape = shape});
  ops.run(AttentionPaged{
      .out = make.active({190, 4 * head_size}),
      .qkv = qkv,
      .cache_k = cache_k,
      .cache_v = cache_v,
      .begins = make.indices(3, [](std::int64_t i) { return i * 95; }),
      .lengths = make.indices(2, [](std::int64_t i) { return 95 + 97 * i; }),
      .pages = make.indices(24, [](std::int64_t i) { return i % 12; }).reshaped({2, 12}),
      .shape = shape});
}

template <int softcap = 0>
void run_head(Ops& ops, Tensors& make) {
  const LogitShape shape{.softcap = softcap};
  const Tensor hidden = make.active({300, 40});
  const Tensor w = make.active({2500, 40});
  const Tensor row = make.indices(450, [](std::int64_t i) { return i * 2 / 3; });
  const Tensor token = make.indices(450, [](std::int64_t i) { return i * i % 2500; });
  const Tensor logp = make({450});
  const Tensor lse = make({300});
  const Tensor workspace = make({ops.head_workspace(300, 40, 2500, w.dtype())});
  ops.run(HeadForward{.logp = logp,
                      .lse = lse,
                      .hidden = hidden,
                      .w = w,
                      .target_row = row,
                      .target_token = token,
                      .workspace = workspace,
                      .shape = shape});
  ops.run(HeadBackward{.dhidden = make.active({300, 40}),
                       .dw = make({2500, 40}),
                       .dlogp = logp,
                       .lse = lse,
                       .hidden = hidden,
                       .w = w,
                       .target_row = row,
                       .target_token = token,
                       .workspace = workspace,
                       .shape = shape});
}

void run_adamw(Ops& ops, Tensors& make) {
  const Tensor gradient = make({300, 300});
  const Tensor moment2 = make({300, 300});
  ops.run(Zero{.x = moment2});
  ops.run(AdamW{.w = make({300, 300}),
                .low = {},
                .gradient = gradient,
                .moment1 = make({300, 300}),
                .moment2 = moment2,
                .step = {1e-3, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 0.5}});
  make.number(ops.sum_of_squares({&gradient, 1}));
}

void run_adamw_8bit(Ops& ops, Tensors& make) {
  const auto codes = [&] {
    const Tensor tensor = make.zeros(Dtype::u8, {300, 300});
    return Moment(tensor, make.zeros(Dtype::f32, {300, 2}));
  };
  const Tensor w = make({300, 300});
  const Moment moment1 = codes();
  const Moment moment2 = codes();
  for (int step = 0; step < 2; ++step) {
    ops.run(AdamW{.w = w,
                  .low = {},
                  .gradient = make({300, 300}),
                  .moment1 = moment1,
                  .moment2 = moment2,
                  .step = {1e-3, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 1.0}});
  }
}

class DeterminismTest : public ::testing::TestWithParam<DeterminismCase> {
 protected:
  void TearDown() override { set_threads(available_threads()); }

  static std::vector<float> run_on(Device& device, Dtype compute) {
    const std::unique_ptr<Ops> ops = device.make_ops(compute);
    Tensors tensors(device, *ops);
    GetParam().body(*ops, tensors);
    return tensors.contents();
  }
};

void PrintTo(const DeterminismCase& given, std::ostream* out) {
  *out << given.name;
}

INSTANTIATE_TEST_SUITE_P(
    Ops, DeterminismTest,
    ::testing::Values(DeterminismCase{"linear", run_linear}, DeterminismCase{"rows", run_rows},
                      DeterminismCase{"norm", run_norm}, DeterminismCase{"bias", run_bias},
                      DeterminismCase{"norm_of_groups", run_norm_of_groups},
                      DeterminismCase{"silu", run_glu<Activation::silu>},
                      DeterminismCase{"gelu", run_glu<Activation::gelu_tanh>},
                      DeterminismCase{"attention_16", run_attention<16>},
                      DeterminismCase{"attention_64", run_attention<64>},
                      DeterminismCase{"attention_80", run_attention<80>},
                      DeterminismCase{"attention_256", run_attention<256>},
                      DeterminismCase{"capped_attention_256", run_attention<256, 150>},
                      DeterminismCase{"capped_attention", run_attention<16, 150>},
                      DeterminismCase{"head", run_head<>},
                      DeterminismCase{"capped_head", run_head<3>},
                      DeterminismCase{"adamw", run_adamw},
                      DeterminismCase{"adamw_8bit", run_adamw_8bit}),
    [](const auto& given) { return given.param.name; });

TEST_P(DeterminismTest, SameBitsForTheSameThreads) {
  const std::unique_ptr<Device> cpu = make_cpu_device();
  const auto run = [&](int count) {
    set_threads(count);
    return run_on(*cpu, Dtype::f32);
  };
  const std::vector<float> alone = run(1);
  float largest = 1.0F;  // where terms cancel, rounding is as large as theirs
  for (const float value : alone) {
    largest = std::max(largest, std::abs(value));
  }
  for (const int count : {1, 2, 3}) {
    SCOPED_TRACE(::testing::Message() << count << " threads");
    const std::vector<float> first = run(count);
    EXPECT_EQ(first, run(count));
    for (std::size_t i = 0; i < first.size(); ++i) {
      ASSERT_NEAR(first[i], alone[i], 1e-6F * largest + 1e-5F * std::abs(alone[i])) << "at " << i;
    }
  }
}

TEST_P(DeterminismTest, SameBitsInAnyOrderOfAGpusThreads) {
  const std::unique_ptr<Device> gpu = testing::open_gpu();
  if (gpu == nullptr) {
    GTEST_SKIP() << "this machine has no GPU";
  }
  for (const Dtype compute : {Dtype::f32, Dtype::bf16}) {
    const std::vector<float> first = run_on(*gpu, compute);
    ::setenv("EMULATED_GPU_ORDER", "backward", 1);
    EXPECT_EQ(first, run_on(*gpu, compute)) << dtype_name(compute);
    ::unsetenv("EMULATED_GPU_ORDER");
  }
}

}  // namespace
}  // namespace lmpo::determinism_test
