// A pack's index arrays on the device, beside the pack itself.
#pragma once

#include <cstdint>
#include <span>

#include "model/rotary.h"
#include "ops/ops.h"
#include "tensor/arena.h"
#include "tree/tree.h"

namespace lmpo {

struct DevicePack {
  const Pack& pack;
  Tensor tokens;        // [T] i32
  Tensor positions;     // [T] i32
  Tensor rotary_rows;   // [T] i32: positions itself unless trees differ in their rotary tables
  Tensor head_rows;     // [N] i32
  Tensor target_row;    // [M] i32
  Tensor target_token;  // [M] i32
};

// In the caller's scope of the arena. The pack must outlive the result. The tokens of a tree have
// the rotary table of its longest sequence. `unread` is the number of tokens at the end of each
// sequence that are no inputs, but count for its length.
DevicePack upload_pack(const Pack& pack, const Rotary& rotary, std::int64_t unread, Ops& ops,
                       Arena& arena);
// [indices.size()] i32 in the caller's scope.
Tensor upload_indices(std::span<const std::int32_t> indices, Ops& ops, Arena& arena);

}  // namespace lmpo
