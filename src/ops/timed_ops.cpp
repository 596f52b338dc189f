#include "ops/timed_ops.h"

#include <algorithm>
#include <chrono>
#include <type_traits>

#include "ops/sizes_of.h"

namespace lmpo {
namespace {

double product(std::int64_t a, std::int64_t b, std::int64_t c) {
  return 2.0 * static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
}

double attention_operations(std::span<const Pack::Segment> segments, const AttentionShape& shape) {
  // Scores and weighted values: two products.
  return 2.0 * product(visible_pairs(segments, shape.window), shape.query_heads, shape.head_size);
}

// Of an op; only products count.
template <typename Op>
double operations(const Op&) {
  return 0;
}
double operations(const LinearForward& op) {
  return product(op.x.dim(0), op.w.dim(0), op.w.dim(1));
}
double operations(const LinearBackwardInput& op) {
  return product(op.dy.dim(0), op.w.dim(0), op.w.dim(1));
}
double operations(const LinearBackwardWeight& op) {
  return product(op.dy.dim(0), op.dw.dim(0), op.dw.dim(1));
}
double operations(const AttentionForward& op) {
  return attention_operations(op.segments, op.shape);
}
double operations(const AttentionBackward& op) {
  return 2.0 * attention_operations(op.segments, op.shape);
}
double operations(const HeadForward& op) {
  return product(op.hidden.dim(0), op.w.dim(0), op.w.dim(1));
}
double operations(const HeadBackward& op) {
  return (op.dw.empty() ? 1.0 : 2.0) * product(op.hidden.dim(0), op.w.dim(0), op.w.dim(1));
}

class TimedOps final : public SizesOf<Ops> {
 public:
  TimedOps(Ops& inner, StepTimes& times, WaitForOps wait)
      : SizesOf(inner), inner_(inner), times_(times), waits_(wait == WaitForOps::yes) {}

#define LMPO_TIME(Op, part, direction)              \
  void run(const Op& op) override {                 \
    time(op, StepPart::part, Direction::direction); \
  }
  LMPO_OPS(LMPO_TIME)
#undef LMPO_TIME

  void upload(Tensor device, const void* host) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.upload(device, host); });
  }
  void download(void* host, Tensor device) override {
    timed(StepPart::movement, Direction::forward, 0, [&] { inner_.download(host, device); });
  }
  double sum_of_squares(std::span<const Tensor> tensors) override {
    double result = 0;
    timed(StepPart::optimizer, Direction::backward, 0,
          [&] { result = inner_.sum_of_squares(tensors); });
    return result;
  }

  bool computes() const override {
    return inner_.computes();
  }
  bool is_asynchronous() const override {
    return inner_.is_asynchronous();
  }
  void finish() override {
    inner_.finish();
  }

 private:
  template <typename Op>
  void time(const Op& op, StepPart part, Direction direction) {
    // What follows a head's backward computes the layers again, until the next pack begins.
    recomputes_ =
        (recomputes_ && !std::is_same_v<Op, EmbeddingForward>) || std::is_same_v<Op, HeadBackward>;
    if constexpr (requires { op.part; }) {
      part = op.part;
    }
    const bool again = recomputes_ && direction == Direction::forward;
    timed(part, direction, again ? 0 : operations(op), [&] { inner_.run(op); });
  }

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

  Ops& inner_;
  StepTimes& times_;
  bool waits_;
  bool recomputes_ = false;
};

}  // namespace

std::string_view name(StepPart part) {
  constexpr std::array<std::string_view, kStepParts> kNames = {
      "embedding", "norms", "qkv",  "rotary",    "attention", "attention output",
      "MLP",       "GLU",   "head", "optimizer", "movement"};
  return kNames[static_cast<std::size_t>(part)];
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
