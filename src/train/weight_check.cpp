#include "train/weight_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/finite.h"

namespace lmpo {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;  // elements in memory at a time

bool is_finite(const Tensor& tensor, Ops& ops, std::vector<std::byte>& piece) {
  const Tensor flat = tensor.reshaped({tensor.elements()});
  for (std::int64_t begin = 0; begin < flat.elements(); begin += kPiece) {
    const Tensor part = flat.rows(begin, std::min(begin + kPiece, flat.elements()));
    piece.resize(part.bytes());
    ops.download(piece.data(), part);
    TensorView view;
    view.dtype = part.dtype();
    view.shape = {part.elements()};
    view.bytes = piece;
    if (count_not_finite(view) > 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string first_nonfinite(const Weights& weights, Ops& ops) {
  std::vector<std::byte> piece;
  for (const NamedParameter& named : weights.named()) {
    if (!is_finite(named.parameter.value, ops, piece)) {
      return named.name;
    }
  }
  return {};
}

}  // namespace lmpo
