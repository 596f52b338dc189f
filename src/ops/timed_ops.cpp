#include "ops/timed_ops.h"

#include <algorithm>
#include <chrono>

namespace lmpo {
namespace {

double product(std::int64_t a, std::int64_t b, std::int64_t c) {
  return 2.0 * static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

double attention_operations(std::span<const Pack::Segment> segments, const AttentionShape& shape) {
  // Scores and weighted values: two products.
  return 2.0 * product(visible_pairs(segments, shape.window), shape.query_heads, shape.head_size);
}

class TimedOps final : public Ops {
 public:
  TimedOps(Ops& inner, StepTimes& times, WaitForOps wait)
      : inner_(inner), times_(times), waits_(wait == WaitForOps::yes) {}

  bool computes() const override { return inner_.computes(); }
  Dtype compute_dtype() const override { return inner_.compute_dtype(); }
  bool is_asynchronous() const override { return inner_.is_asynchronous(); }
  void finish() override { inner_.finish(); }
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override {
    return inner_.head_workspace(rows, hidden, vocabulary, storage);
  }
  void require_sizes(std::int64_t hidden, const AttentionShape& heads) const override {
    inner_.require_sizes(hidden, heads);
  }
  std::size_t linear_scratch(std::int64_t tokens, std::int64_t in,
                             std::int64_t out) const override {
    return inner_.linear_scratch(tokens, in, out);
  }
  std::size_t head_scratch(std::int64_t rows, std::int64_t hidden,
                           std::int64_t vocabulary) const override {
    return inner_.head_scratch(rows, hidden, vocabulary);
  }
  std::size_t attention_scratch(std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) const override {
    return inner_.attention_scratch(segments, shape);
  }
  void enter(LinearPart part) override {
    inner_.enter(part);
    part_ = part;
  }
  double sum_of_squares(std::span<const Tensor> tensors) override {
    double result = 0;
    timed(StepPart::optimizer, Direction::backward, 0,
          [&] { result = inner_.sum_of_squares(tensors); });
    return result;
  }

  void linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) override {
    timed(linear_part(), Direction::forward, again_ ? 0 : product(x.dim(0), w.dim(0), w.dim(1)),
          [&] { inner_.linear_forward(y, x, w, accumulate); });
  }
  void linear_backward_input(Tensor dx, Tensor dy, Tensor w, bool accumulate) override {
    timed(linear_part(), Direction::backward, product(dy.dim(0), w.dim(0), w.dim(1)),
          [&] { inner_.linear_backward_input(dx, dy, w, accumulate); });
  }
  void linear_backward_weight(Tensor dw, Tensor dy, Tensor x) override {
    timed(linear_part(), Direction::backward, product(dy.dim(0), dw.dim(0), dw.dim(1)),
          [&] { inner_.linear_backward_weight(dw, dy, x); });
  }
  void attention_forward(Tensor out, Tensor lse, Tensor qkv, Tensor positions,
                         std::span<const Pack::Segment> segments,
                         const AttentionShape& shape) override {
    timed(StepPart::attention, Direction::forward,
          again_ ? 0 : attention_operations(segments, shape),
          [&] { inner_.attention_forward(out, lse, qkv, positions, segments, shape); });
  }
  void attention_backward(Tensor dqkv, Tensor dout, Tensor out, Tensor lse, Tensor qkv,
                          Tensor positions, std::span<const Pack::Segment> segments,
                          const AttentionShape& shape, Tensor scratch) override {
    timed(
        StepPart::attention, Direction::backward, 2.0 * attention_operations(segments, shape), [&] {
          inner_.attention_backward(dqkv, dout, out, lse, qkv, positions, segments, shape, scratch);
        });
  }
  void head_forward(Tensor logp, Tensor lse, Tensor hidden, Tensor w, Tensor target_row,
                    Tensor target_token, Tensor workspace) override {
    timed(StepPart::head, Direction::forward, product(hidden.dim(0), w.dim(0), w.dim(1)),
          [&] { inner_.head_forward(logp, lse, hidden, w, target_row, target_token, workspace); });
  }
  void head_backward(Tensor dhidden, Tensor dw, Tensor dlogp, Tensor lse, Tensor hidden, Tensor w,
                     Tensor target_row, Tensor target_token, Tensor workspace) override {
    again_ = true;
    timed(StepPart::head, Direction::backward, 2.0 * product(hidden.dim(0), w.dim(0), w.dim(1)),
          [&] {
            inner_.head_backward(dhidden, dw, dlogp, lse, hidden, w, target_row, target_token,
                                 workspace);
          });
  }

  void upload(Tensor device, const void* host) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.upload(device, host); });
  }
  void download(void* host, Tensor device) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.download(host, device); });
  }
  void zero(Tensor x) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.zero(x); });
  }
  void copy(Tensor out, Tensor in) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.copy(out, in); });
  }
  void cast(Tensor out, Tensor in) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.cast(out, in); });
  }
  void add(Tensor out, Tensor in) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.add(out, in); });
  }
  void embedding_forward(Tensor y, Tensor table, Tensor tokens) override {
    again_ = false;
    timed(StepPart::embedding, Direction::forward, 0,
          [&] { inner_.embedding_forward(y, table, tokens); });
  }
  void embedding_backward(Tensor dtable, Tensor dy, Tensor tokens) override {
    timed(StepPart::embedding, Direction::backward, 0,
          [&] { inner_.embedding_backward(dtable, dy, tokens); });
  }
  void gather_rows(Tensor y, Tensor x, Tensor rows) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.gather_rows(y, x, rows); });
  }
  void scatter_rows(Tensor dx, Tensor dy, Tensor rows) override {
    timed(StepPart::movement, Direction::backward, 0, [&] { inner_.scatter_rows(dx, dy, rows); });
  }
  void rmsnorm_forward(Tensor y, Tensor rstd, Tensor x, Tensor w, float eps) override {
    timed(StepPart::norms, Direction::forward, 0,
          [&] { inner_.rmsnorm_forward(y, rstd, x, w, eps); });
  }
  void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, Tensor rstd) override {
    timed(StepPart::norms, Direction::backward, 0,
          [&] { inner_.rmsnorm_backward(dx, dw, dy, x, w, rstd); });
  }
  void rope_forward(Tensor qkv, Tensor cos_sin, Tensor positions,
                    const AttentionShape& shape) override {
    timed(StepPart::rotary, Direction::forward, 0,
          [&] { inner_.rope_forward(qkv, cos_sin, positions, shape); });
  }
  void rope_backward(Tensor dqkv, Tensor cos_sin, Tensor positions,
                     const AttentionShape& shape) override {
    timed(StepPart::rotary, Direction::backward, 0,
          [&] { inner_.rope_backward(dqkv, cos_sin, positions, shape); });
  }
  void swiglu_forward(Tensor y, Tensor gate_up) override {
    timed(StepPart::swiglu, Direction::forward, 0, [&] { inner_.swiglu_forward(y, gate_up); });
  }
  void swiglu_backward(Tensor dgate_up, Tensor y, Tensor dy, Tensor gate_up) override {
    timed(StepPart::swiglu, Direction::backward, 0,
          [&] { inner_.swiglu_backward(dgate_up, y, dy, gate_up); });
  }
  void store_keys(Tensor cache_k, Tensor cache_v, Tensor qkv, std::int64_t begin, std::int64_t end,
                  std::int64_t b, const AttentionShape& shape) override {
    timed(StepPart::attention, Direction::forward, 0,
          [&] { inner_.store_keys(cache_k, cache_v, qkv, begin, end, b, shape); });
  }
  void attention_decode(Tensor out, Tensor qkv, Tensor cache_k, Tensor cache_v, Tensor lengths,
                        const AttentionShape& shape) override {
    timed(StepPart::attention, Direction::forward, 0,
          [&] { inner_.attention_decode(out, qkv, cache_k, cache_v, lengths, shape); });
  }
  void adamw(Tensor w, Tensor low, Tensor gradient, const Moment& moment1, const Moment& moment2,
             const AdamWStep& step) override {
    timed(StepPart::optimizer, Direction::backward, 0,
          [&] { inner_.adamw(w, low, gradient, moment1, moment2, step); });
  }

 private:
  template <typename Body>
  void timed(StepPart part, Direction direction, double operations, const Body& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    if (waits_) {
      inner_.finish();
    }
    PartTime& time = times_.at(part, direction);
    time.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    time.operations += operations;
  }

  StepPart linear_part() const {
    switch (part_) {
      case LinearPart::qkv:
        return StepPart::qkv;
      case LinearPart::attention_output:
        return StepPart::attention_output;
      case LinearPart::mlp:
        break;
    }
    return StepPart::mlp;
  }

  Ops& inner_;
  StepTimes& times_;
  bool waits_;
  LinearPart part_ = LinearPart::mlp;
  bool again_ = false;  // forward ops are of a pack whose forward is done
};

}  // namespace

std::string_view name(StepPart part) {
  constexpr std::array<std::string_view, step_parts> names = {
      "embedding", "norms",  "qkv",  "rotary",    "attention", "attention output",
      "MLP",       "SwiGLU", "head", "optimizer", "movement"};
  return names[static_cast<std::size_t>(part)];
}

PartTime StepTimes::total() const {
  PartTime sum;
  for (const auto& directions : times_) {
    for (const PartTime& time : directions) {
      sum.seconds += time.seconds;
      sum.operations += time.operations;
    }
  }
  return sum;
}

void StepTimes::divide_by(double steps) {
  for (auto& directions : times_) {
    for (PartTime& time : directions) {
      time.seconds /= steps;
      time.operations /= steps;
    }
  }
}

double StepTimes::product_rate() const {
  PartTime sum;
  for (const StepPart part : {StepPart::qkv, StepPart::attention_output, StepPart::mlp}) {
    sum.seconds += at(part, Direction::backward).seconds;
    sum.operations += at(part, Direction::backward).operations;
  }
  return sum.seconds > 0 ? sum.operations / sum.seconds : 0;
}

std::unique_ptr<Ops> make_timed_ops(Ops& inner, StepTimes& times, WaitForOps wait) {
  return std::make_unique<TimedOps>(inner, times, wait);
}

std::int64_t visible_pairs(std::span<const Pack::Segment> segments, std::int64_t window) {
  std::int64_t pairs = 0;
  for (const Pack::Segment& segment : segments) {
    for (std::int32_t query = segment.begin; query < segment.end; ++query) {
      const std::int64_t all =
          segment.context_end - segment.context_begin + query - segment.begin + 1;
      pairs += window == 0 ? all : std::min(all, window);
    }
  }
  return pairs;
}

}  // namespace lmpo
