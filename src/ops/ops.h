// What computes: one class a device; the model is written against this and nothing else. op_list.h
// says what each op computes.
//
// Ops never allocate device memory and never wait for the device, except finish, download and
// sum_of_squares. An op may still be computing when its call returns; the next one waits for it.
// Calls on one object come from one thread. For a fixed number of threads results are bitwise
// repeatable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ops/op_list.h"

namespace lmpo {

class Ops {
 public:
  virtual ~Ops() = default;

  // One overload an op.
#define LMPO_DECLARE_RUN(Op, part, direction) virtual void run(const Op& op) = 0;
  LMPO_OPS(LMPO_DECLARE_RUN)
#undef LMPO_DECLARE_RUN

  // device = the device.bytes() bytes at `host`, which may change once the call returns.
  virtual void upload(Tensor device, const void* host) = 0;
  // The bytes at `host` = device.
  virtual void download(void* host, Tensor device) = 0;
  // Sum of x^2 over all elements of all tensors, float32, in double. The order of additions does
  // not depend on the number of threads.
  virtual double sum_of_squares(std::span<const Tensor> tensors) = 0;

  // False for the ops of a plan, which compute nothing: what is downloaded is zeros.
  virtual bool computes() const {
    return true;
  }
  virtual Dtype compute_dtype() const = 0;
  // Whether calls return before the device is done, so that their time is not the op's.
  virtual bool is_asynchronous() const {
    return false;
  }
  // Waits until everything is computed.
  virtual void finish() {}

  // Whether a LinearForward with independent_rows takes weights of any storage for any number of
  // tokens; else, as others do, for kFewTokens.
  virtual bool widens_weights() const {
    return false;
  }

  // UserError where the device cannot compute a model of these sizes: names the key of config.json
  // and the largest value.
  virtual void require_sizes(std::int64_t /*hidden*/, const AttentionShape& /*heads*/) const {}
  // Float32 elements of the head's workspace. `storage` is the weights' type.
  virtual std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden,
                                      std::int64_t vocabulary, Dtype storage) const = 0;

  // Bytes of host memory beside the tensors, in which threads copy rows and panels: of a linear
  // layer in every direction, of the head, and of attention over a pack. attention_scratch throws
  // UserError for more segments than the device can hold.
  virtual std::size_t linear_scratch(std::int64_t /*tokens*/, std::int64_t /*in*/,
                                     std::int64_t /*out*/) const {
    return 0;
  }
  virtual std::size_t head_scratch(std::int64_t /*rows*/, std::int64_t /*hidden*/,
                                   std::int64_t /*vocabulary*/) const {
    return 0;
  }
  virtual std::size_t attention_scratch(std::span<const Pack::Segment> /*segments*/,
                                        const AttentionShape& /*shape*/) const {
    return 0;
  }
  // Of a plan's ops: the bytes that all calls so far need.
  virtual std::size_t planned_scratch() const {
    return 0;
  }
};

// In a class derived from Ops: declares run for every op.
#define LMPO_OVERRIDE_RUN(Op, part, direction) void run(const Op& op) override;

// `factors` float32, or bfloat16: factors of the matrix products of linear layers and head are
// rounded before they are multiplied; sums stay float32. UserError where the processor cannot.
std::unique_ptr<Ops> make_cpu_ops(Dtype factors = Dtype::f32);
// Computes nothing; for running a step against a counting arena. `like` gives the compute type and
// the workspaces and must outlive the result.
std::unique_ptr<Ops> make_plan_ops(const Ops& like);

}  // namespace lmpo
