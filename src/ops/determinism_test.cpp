// For a fixed number of threads every op gives the same bits again; another number of threads may
// round otherwise and no more.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/random.h"
#include "base/threads.h"
#include "ops/ops.h"

namespace lmpo {
namespace {

// Hands out random float32 tensors of host memory and remembers them, so that all can be compared.
class Tensors {
 public:
  Tensor operator()(std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena_.allocate("test", Dtype::f32, shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.f32()[i] = static_cast<float>(random_.normal());
    }
    all_.push_back(tensor);
    return tensor;
  }
  // index(i) for i in [0, count)
  template <typename Index>
  Tensor indices(std::int64_t count, const Index& index) {
    const Tensor tensor = arena_.allocate("test", Dtype::i32, {count});
    for (std::int64_t i = 0; i < count; ++i) {
      tensor.i32()[i] = static_cast<std::int32_t>(index(i));
    }
    return tensor;
  }
  std::vector<float> contents() const {
    std::vector<float> values;
    for (const Tensor& tensor : all_) {
      values.insert(values.end(), tensor.f32(), tensor.f32() + tensor.elements());
    }
    return values;
  }

 private:
  Arena arena_ = Arena::host(std::size_t{1} << 27);
  Random random_{3, 0};
  std::vector<Tensor> all_;
};

using Body = std::function<void(Ops&, Tensors&)>;
struct DeterminismCase {
  std::string name;
  Body body;
};

void run_linear(Ops& ops, Tensors& make) {
  const Tensor x = make({150, 300});
  const Tensor w = make({170, 300});
  const Tensor y = make({150, 170});
  ops.linear_forward(y, x, w, false);
  ops.linear_backward_input(make({150, 300}), y, w, false);
  ops.linear_backward_weight(make({170, 300}), y, x);
}

void run_rows(Ops& ops, Tensors& make) {
  const Tensor tokens = make.indices(400, [](std::int64_t i) { return i * i % 50; });
  const Tensor y = make({400, 200});
  ops.embedding_forward(y, make({50, 200}), tokens);
  ops.embedding_backward(make({50, 200}), y, tokens);
}

void run_norm(Ops& ops, Tensors& make) {
  const Tensor x = make({300, 600});
  const Tensor w = make({600});
  const Tensor y = make({300, 600});
  const Tensor rstd = make({300});
  ops.rmsnorm_forward(y, rstd, x, w, 1e-5F);
  ops.rmsnorm_backward(make({300, 600}), make({600}), y, x, w, rstd);
}

void run_swiglu(Ops& ops, Tensors& make) {
  const Tensor x = make({300, 400});
  const Tensor y = make({300, 200});
  ops.swiglu_forward(y, x);
  ops.swiglu_backward(make({300, 400}), make({300, 200}), y, x);
}

void run_attention(Ops& ops, Tensors& make) {
  const AttentionShape shape{4, 2, 16, 90};
  const std::vector<Pack::Segment> segments{{0, 150, 0, 0}, {150, 220, 0, 150}, {220, 300, 0, 0}};
  const Tensor positions = make.indices(300, [](std::int64_t i) { return i < 220 ? i : i - 220; });
  const Tensor qkv = make({300, 128});
  const Tensor out = make({300, 64});
  const Tensor lse = make({4, 300});
  ops.rope_forward(qkv, make({220, 16}), positions, shape);
  ops.attention_forward(out, lse, qkv, positions, segments, shape);
  ops.attention_backward(make({300, 128}), make({300, 64}), out, lse, qkv, positions, segments,
                         shape, make({4, 300}));
  const Tensor lengths = make.indices(300, [](std::int64_t i) { return i % 20; });
  ops.attention_decode(out, qkv, make({300, 20, 32}), make({300, 20, 32}), lengths, shape);
}

void run_head(Ops& ops, Tensors& make) {
  const Tensor hidden = make({300, 40});
  const Tensor w = make({2500, 40});
  const Tensor row = make.indices(450, [](std::int64_t i) { return i * 2 / 3; });
  const Tensor token = make.indices(450, [](std::int64_t i) { return i * i % 2500; });
  const Tensor logp = make({450});
  const Tensor lse = make({300});
  const Tensor workspace = make({ops.head_workspace(300, 40, 2500, Dtype::f32)});
  ops.head_forward(logp, lse, hidden, w, row, token, workspace);
  ops.head_backward(make({300, 40}), make({2500, 40}), logp, lse, hidden, w, row, token, workspace);
}

void run_adamw(Ops& ops, Tensors& make) {
  const Tensor gradient = make({300, 300});
  const Tensor moment2 = make({300, 300});
  ops.zero(moment2);
  ops.adamw(make({300, 300}), {}, gradient, make({300, 300}), moment2,
            {1e-3, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 0.5});
  make({1}).f32()[0] = static_cast<float>(ops.sum_of_squares({&gradient, 1}));
}

class DeterminismTest : public ::testing::TestWithParam<DeterminismCase> {
 protected:
  void TearDown() override { set_threads(available_threads()); }

  static std::vector<float> run(int count) {
    set_threads(count);
    const std::unique_ptr<Ops> ops = make_cpu_ops();
    Tensors tensors;
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
                      DeterminismCase{"norm", run_norm}, DeterminismCase{"swiglu", run_swiglu},
                      DeterminismCase{"attention", run_attention},
                      DeterminismCase{"head", run_head}, DeterminismCase{"adamw", run_adamw}),
    [](const auto& given) { return given.param.name; });

TEST_P(DeterminismTest, SameBitsForTheSameThreads) {
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

}  // namespace
}  // namespace lmpo
