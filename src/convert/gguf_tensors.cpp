#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "convert/gguf_layout.h"
#include "convert/gguf_model.h"
#include "io/finite.h"
#include "model/tensor_table.h"

namespace lmpo {
namespace {

GgufType storage_of(const ModelTensor& tensor, GgufType type) {
  if (tensor.kind != TensorKind::matrix) {
    return GgufType::f32;
  }
  return type == GgufType::q8_0 && tensor.shape.back() % q8_0_block != 0 ? GgufType::f16 : type;
}

GgufTensor divisors_tensor(const char* name, std::vector<float> divisors) {
  const auto count = static_cast<std::int64_t>(divisors.size());
  return {.name = name,
          .type = GgufType::f32,
          .shape = {count},
          .read = [divisors = std::move(divisors)](std::int64_t begin, std::span<float> out) {
            std::copy_n(divisors.begin() + begin, out.size(), out.begin());
          }};
}

// What llama.cpp divides each of the frequencies by, which it computes from the base alone.
std::vector<GgufTensor> rope_divisors(const Rope& rope) {
  if (rope.kind == Rope::Kind::llama3) {
    std::vector<float> divisors =
        rotary_frequencies({.theta = rope.theta, .columns = rope.columns}).inverse;
    std::ranges::transform(divisors, rotary_frequencies(rope).inverse, divisors.begin(),
                           std::divides<>());
    return {divisors_tensor("rope_freqs.weight", std::move(divisors))};
  }
  if (rope.kind == Rope::Kind::longrope) {
    const auto floats = [](const std::vector<double>& factors) {
      return std::vector<float>(factors.begin(), factors.end());
    };
    return {divisors_tensor("rope_factors_long.weight", floats(rope.long_factors)),
            divisors_tensor("rope_factors_short.weight", floats(rope.short_factors))};
  }
  return {};
}

}  // namespace

std::vector<GgufTensor> gguf_tensors(const ModelConfig& config, const Checkpoint& checkpoint,
                                     GgufType type) {
  std::vector<GgufTensor> tensors;
  std::vector<std::string> not_in_blocks;
  for (const ModelTensor& stored : model_tensors(config)) {
    const TensorView view = checkpoint.tensor(stored.name);
    GgufTensor& tensor = tensors.emplace_back(GgufTensor{.name = stored.gguf_name,
                                                         .type = storage_of(stored, type),
                                                         .shape = stored.shape,
                                                         .read = {}});
    const GgufLayout layout(config, stored);
    tensor.read = [&checkpoint, view, layout](std::int64_t begin, std::span<float> out) {
      const auto read = [&](std::int64_t at, std::span<float> part) {
        read_finite(checkpoint, view, at, part);
      };
      layout.to_gguf(read, begin, out);
    };
    tensor.done = [&checkpoint, name = stored.name] { checkpoint.forget(name); };
    if (stored.kind == TensorKind::matrix && tensor.type != type) {
      not_in_blocks.push_back(tensor.name);
    }
  }
  if (!not_in_blocks.empty()) {
    log_warning(
        "{} tensors are stored in float16, because their rows are not multiples of {}: {}, ...",
        not_in_blocks.size(), q8_0_block, not_in_blocks.front());
  }
  std::ranges::move(rope_divisors(config.ropes[0]), std::back_inserter(tensors));
  return tensors;
}

}  // namespace lmpo
