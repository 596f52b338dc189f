#include "io/finite.h"

#include <fmt/ranges.h>

#include <array>
#include <atomic>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"

namespace lmpo {
namespace {

// Numbers whose bits without the sign reach `infinity`. A block at a time, so that the inner loop
// becomes vector instructions.
template <typename Bits>
std::int64_t count(const std::byte* from, std::size_t numbers, Bits magnitude, Bits infinity) {
  constexpr std::size_t kBlock = 64;
  std::array<Bits, kBlock> block{};
  std::int64_t total = 0;
  for (std::size_t begin = 0; begin < numbers; begin += kBlock) {
    const std::size_t size = std::min(kBlock, numbers - begin);
    if (size < kBlock) {
      block.fill(0);
    }
    std::memcpy(block.data(), from + begin * sizeof(Bits), size * sizeof(Bits));
    Bits found = 0;
    for (const Bits bits : block) {
      found = static_cast<Bits>(found + ((bits & magnitude) >= infinity ? 1 : 0));
    }
    total += found;
  }
  return total;
}

std::int64_t count_stored(Dtype dtype, const std::byte* from, std::size_t numbers) {
  switch (dtype) {
    case Dtype::f32:
      return count<std::uint32_t>(from, numbers, 0x7FFFFFFF, 0x7F800000);
    case Dtype::bf16:
      return count<std::uint16_t>(from, numbers, 0x7FFF, 0x7F80);
    case Dtype::f16:
      return count<std::uint16_t>(from, numbers, 0x7FFF, 0x7C00);
    case Dtype::i32:
    case Dtype::i16:
    case Dtype::i8:
    case Dtype::u8:
      break;
  }
  return 0;
}

bool is_readable(const StoredTensor& tensor) {
  return tensor.dtype == "F32" || tensor.dtype == "BF16" || tensor.dtype == "F16";
}

}  // namespace

std::int64_t count_not_finite(std::span<const float> values) {
  return count_stored(Dtype::f32, std::as_bytes(values).data(), values.size());
}

std::int64_t count_not_finite(const TensorView& tensor) {
  const std::size_t size = dtype_size(tensor.dtype);
  std::atomic<std::int64_t> total = 0;
  parallel_for(tensor.elements(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    total +=
        count_stored(tensor.dtype, tensor.bytes.data() + static_cast<std::size_t>(begin) * size,
                     static_cast<std::size_t>(end - begin));
  });
  return total;
}

void require_finite(const Checkpoint& checkpoint) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> found;
  for (const std::string& name : checkpoint.names()) {
    if (!is_readable(*checkpoint.find(name))) {
      continue;
    }
    const TensorView tensor = checkpoint.tensor(name);
    if (const std::int64_t count = count_not_finite(tensor); count > 0) {
      found.push_back(fmt::format("{} ({} of {})", name, count, tensor.elements()));
    }
    checkpoint.forget(name);
  }
  if (!found.empty()) {
    const std::size_t shown = std::min(kShown, found.size());
    user_error(
        "{}: {} hold{} values that are NaN or infinite: {}{}. The file is damaged, or the training "
        "that wrote it diverged: use another checkpoint",
        checkpoint.path().string(),
        found.size() == 1 ? "a tensor" : fmt::format("{} tensors", found.size()),
        found.size() == 1 ? "s" : "", fmt::join(std::span(found).first(shown), ", "),
        found.size() > shown ? ", ..." : "");
  }
}

void read_finite(const Checkpoint& checkpoint, const TensorView& tensor, std::int64_t begin,
                 std::span<float> out) {
  read_as_float(tensor, begin, out);
  if (count_not_finite(out) > 0) {
    require_finite(checkpoint);
  }
}

}  // namespace lmpo
