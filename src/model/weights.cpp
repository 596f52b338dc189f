#include "model/weights.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "base/threads.h"
#include "io/finite.h"
#include "tensor/arena.h"

namespace lmpo {
namespace {

// Values pass through the host in pieces of this many elements.
constexpr std::int64_t chunk_elements = 1 << 20;

Moment allocate_moment(Arena& arena, bool eight_bit, std::initializer_list<std::int64_t> shape) {
  if (!eight_bit || shape.size() != 2) {
    return arena.allocate("moments", Dtype::f32, shape);
  }
  const std::int64_t rows = shape.begin()[0];
  const std::int64_t blocks = (shape.begin()[1] + kMomentBlock - 1) / kMomentBlock;
  const Tensor codes = arena.allocate("moments", Dtype::u8, shape);
  return {codes, arena.allocate("moments", Dtype::f32, {rows, blocks})};
}

Parameter allocate_parameter(Arena& arena, Dtype storage, WeightUse use,
                             const OptimizerStorage& optimizer,
                             std::initializer_list<std::int64_t> shape) {
  Parameter parameter;
  parameter.value = arena.allocate("weights", storage, shape);
  parameter.decays = shape.size() > 1;
  if (use == WeightUse::training) {
    const auto of = [&arena](Arena* own) -> Arena& { return own == nullptr ? arena : *own; };
    if (storage == Dtype::bf16) {
      parameter.low = of(optimizer.master).allocate("master weights", Dtype::i16, shape);
    } else if (storage == Dtype::f16) {
      parameter.low = of(optimizer.master).allocate("master weights", Dtype::f32, shape);
    }
    parameter.gradient = arena.allocate("gradients", Dtype::f32, shape);
    for (Moment* moment : {&parameter.moment1, &parameter.moment2}) {
      *moment = allocate_moment(of(optimizer.moments), optimizer.eight_bit_moments, shape);
    }
  }
  return parameter;
}

Tensor flat(Tensor x, std::int64_t begin, std::int64_t end) {
  return x.reshaped({x.elements()}).rows(begin, end);
}

// float32 to the 16 bits of the storage type and what they lack.
struct Halves {
  std::vector<std::uint16_t> value;
  std::vector<std::int16_t> low;
};

Halves split(std::span<const float> values, Dtype storage, bool exact_master) {
  Halves halves;
  halves.value.resize(values.size());
  halves.low.resize(exact_master && storage == Dtype::bf16 ? values.size() : 0);
  const auto convert = [&](std::size_t i) {
    if (storage == Dtype::f16) {
      halves.value[i] = to_float16(values[i]).bits;
    } else if (exact_master) {
      const SplitFloat both = split_float(values[i]);
      halves.value[i] = both.high.bits;
      halves.low[i] = both.low;
    } else {
      halves.value[i] = to_bfloat16(values[i]).bits;
    }
  };
  parallel_for(std::ssize(values), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      convert(static_cast<std::size_t>(i));
    }
  });
  return halves;
}

// UserError for values that only float32 holds.
void require_storable(std::span<const float> values, Dtype storage, const TensorView& tensor) {
  constexpr float float16_overflow = 65520;  // rounds to infinity
  const auto fits = [](float value) { return std::fabs(value) < float16_overflow; };
  if (storage == Dtype::f16 && !std::ranges::all_of(values, fits)) {
    user_error(
        "{}: tensor '{}' holds values too large for float16 (beyond 65504): choose --dtype "
        "bfloat16 or float32",
        tensor.source, tensor.name);
  }
}

}  // namespace

Parameter Parameter::rows(std::int64_t begin, std::int64_t end) const {
  const auto part = [&](const Tensor& x) { return x.rank() == 0 ? x : x.rows(begin, end); };
  const auto moment = [&](const Moment& x) { return Moment(part(x.values), part(x.scales)); };
  return {part(value), part(low), part(gradient), moment(moment1), moment(moment2), decays};
}

Weights::Weights(const ModelConfig& config, Dtype storage, WeightUse use, Arena& arena,
                 const OptimizerStorage& optimizer)
    : config_(config), storage_(storage), use_(use), optimizer_(optimizer) {
  const auto allocate = [&](std::initializer_list<std::int64_t> shape) {
    return allocate_parameter(arena, storage, use, optimizer, shape);
  };
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t query_size = config.heads * config.head_size;
  const std::int64_t key_size = config.key_heads * config.head_size;
  embedding = allocate({config.vocab_size, hidden});
  for (std::int64_t l = 0; l < config.layers; ++l) {
    layers.push_back({.input_norm = allocate({hidden}),
                      .qkv = allocate({query_size + 2 * key_size, hidden}),
                      .o = allocate({hidden, query_size}),
                      .post_norm = allocate({hidden}),
                      .gate_up = allocate({2 * config.intermediate_size, hidden}),
                      .down = allocate({hidden, config.intermediate_size})});
  }
  final_norm = allocate({hidden});
  head = config.stores_head() ? allocate({config.head_rows(), hidden}) : embedding;
}

std::vector<Parameter> Weights::parameters() const {
  std::vector<Parameter> all = {embedding};
  for (const LayerWeights& layer : layers) {
    all.insert(all.end(),
               {layer.input_norm, layer.qkv, layer.o, layer.post_norm, layer.gate_up, layer.down});
  }
  all.push_back(final_norm);
  if (config_.stores_head()) {
    all.push_back(head);
  }
  return all;
}

std::vector<NamedParameter> Weights::named() const {
  const std::int64_t query_size = config_.heads * config_.head_size;
  const std::int64_t key_size = config_.key_heads * config_.head_size;
  const std::int64_t feed_forward = config_.intermediate_size;
  std::vector<NamedParameter> all = {{"model.embed_tokens.weight", embedding}};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerWeights& layer = layers[l];
    const auto add = [&](const char* name, const Parameter& parameter) {
      all.push_back({fmt::format("model.layers.{}.{}.weight", l, name), parameter});
    };
    add("self_attn.q_proj", layer.qkv.rows(0, query_size));
    add("self_attn.k_proj", layer.qkv.rows(query_size, query_size + key_size));
    add("self_attn.v_proj", layer.qkv.rows(query_size + key_size, query_size + 2 * key_size));
    add("self_attn.o_proj", layer.o);
    add("mlp.gate_proj", layer.gate_up.rows(0, feed_forward));
    add("mlp.up_proj", layer.gate_up.rows(feed_forward, 2 * feed_forward));
    add("mlp.down_proj", layer.down);
    add("input_layernorm", layer.input_norm);
    add("post_attention_layernorm", layer.post_norm);
  }
  all.push_back({"model.norm.weight", final_norm});
  if (config_.stores_head()) {
    all.push_back({config_.head_name(), head});
  }
  return all;
}

std::int64_t Weights::count() const {
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters()) {
    total += parameter.value.elements();
  }
  return total;
}

void Weights::zero_gradients(Ops& ops) {
  for (const Parameter& parameter : parameters()) {
    ops.run(Zero{.x = parameter.gradient});
  }
}

void Weights::zero_moments(Ops& ops) {
  for (const Parameter& parameter : parameters()) {
    for (const Tensor& part : {parameter.moment1.values, parameter.moment1.scales,
                               parameter.moment2.values, parameter.moment2.scales}) {
      if (!part.empty()) {
        ops.run(Zero{.x = part});
      }
    }
    page_out_moments(parameter);
  }
}

void Weights::page_out_moments(const Parameter& parameter) const {
  if (optimizer_.moments != nullptr) {
    for (const Moment& moment : {parameter.moment1, parameter.moment2}) {
      optimizer_.moments->page_out(moment.values);
      optimizer_.moments->page_out(moment.scales);
    }
  }
}

void Weights::assign(const Parameter& parameter, Ops& ops,
                     const std::function<void(std::int64_t, std::span<float>)>& fill) const {
  const std::int64_t count = parameter.value.elements();
  std::vector<float> values(static_cast<std::size_t>(std::min(count, chunk_elements)));
  const bool has_master = !parameter.low.empty();
  for (std::int64_t begin = 0; begin < count; begin += chunk_elements) {
    const std::int64_t end = std::min(count, begin + chunk_elements);
    const std::span<float> chunk(values.data(), static_cast<std::size_t>(end - begin));
    fill(begin, chunk);
    if (storage_ == Dtype::f32) {
      ops.upload(flat(parameter.value, begin, end), chunk.data());
      continue;
    }
    const Halves halves = split(chunk, storage_, has_master);
    ops.upload(flat(parameter.value, begin, end), halves.value.data());
    if (has_master) {
      const void* low =
          storage_ == Dtype::f16 ? static_cast<const void*>(chunk.data()) : halves.low.data();
      ops.upload(flat(parameter.low, begin, end), low);
    }
  }
}

void Weights::load(const Checkpoint& checkpoint, Ops& ops) {
  check_tensors(config_, checkpoint);
  for (const NamedParameter& named_parameter : named()) {
    const TensorView stored = checkpoint.tensor(named_parameter.name);
    assign(named_parameter.parameter, ops, [&](std::int64_t begin, std::span<float> out) {
      parallel_for(std::ssize(out), 1 << 14, [&](std::int64_t first, std::int64_t last) {
        const std::span<float> part =
            out.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
        read_finite(checkpoint, stored, begin + first, part);
        require_storable(part, storage_, stored);
      });
    });
    checkpoint.forget(named_parameter.name);
  }
}

void Weights::initialize_from(std::span<const float> values, Ops& ops) {
  for (const Parameter& parameter : parameters()) {
    const bool is_norm = parameter.value.rank() == 1;
    assign(parameter, ops, [&](std::int64_t begin, std::span<float> out) {
      if (is_norm) {
        std::ranges::fill(out, 1.0F);
        return;
      }
      for (std::size_t i = 0, next = static_cast<std::size_t>(begin); i < out.size();) {
        const auto from = values.subspan(next % values.size());
        const std::size_t count = std::min(from.size(), out.size() - i);
        std::copy_n(from.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(i));
        i += count;
        next += count;
      }
    });
  }
}

void Weights::initialize(std::uint64_t seed, Ops& ops) {
  std::uint64_t stream = 0;
  for (const NamedParameter& named_parameter : named()) {
    Random random(seed, stream++);
    const Tensor value = named_parameter.parameter.value;
    const bool is_norm = value.rank() == 1;
    const bool is_embedding = named_parameter.name == "model.embed_tokens.weight";
    const std::int64_t columns = config_.hidden_size;
    assign(named_parameter.parameter, ops, [&](std::int64_t begin, std::span<float> out) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::int64_t row = (begin + static_cast<std::int64_t>(i)) / columns;
        const auto drawn =
            is_norm ? 1.0F : static_cast<float>(random.normal() * config_.initializer_range);
        out[i] = is_embedding && config_.pad_id == row ? 0.0F : drawn;
      }
    });
  }
}

}  // namespace lmpo
