#include "model/weights.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "base/threads.h"
#include "io/finite.h"
#include "model/eight_bits.h"
#include "tensor/arena.h"

namespace lmpo {
namespace {

// Values pass through the host in pieces of this many elements.
constexpr std::int64_t kChunkElements = 1 << 20;

using Shape = std::vector<std::int64_t>;

Tensor allocate_tensor(Arena& arena, std::string_view group, Dtype dtype, const Shape& shape) {
  return shape.size() == 1 ? arena.allocate(group, dtype, {shape[0]})
                           : arena.allocate(group, dtype, {shape[0], shape[1]});
}

Moment allocate_moment(Arena& arena, bool eight_bit, const Shape& shape) {
  if (!eight_bit) {
    return allocate_tensor(arena, "moments", Dtype::f32, shape);
  }
  const std::int64_t blocks = (shape[1] + kMomentBlock - 1) / kMomentBlock;
  const Tensor codes = allocate_tensor(arena, "moments", Dtype::u8, shape);
  return {codes, arena.allocate("moments", Dtype::f32, {shape[0], blocks})};
}

void allocate_value(Parameter& parameter, const Shape& shape, TensorKind kind, Dtype storage,
                    Arena& arena) {
  const bool eight_bits = storage == Dtype::i8;
  parameter.kind = kind;
  if (eight_bits && kind == TensorKind::matrix) {
    parameter.scales = arena.allocate("weights", Dtype::f32, {shape[0]});
  }
  const Dtype own = eight_bits && parameter.scales.empty() ? Dtype::f32 : storage;
  parameter.value = allocate_tensor(arena, "weights", own, shape);
}

// What training needs of a parameter.
void allocate_training(Parameter& parameter, const Shape& shape, Arena& arena,
                       const OptimizerStorage& optimizer) {
  Arena& master = optimizer.master == nullptr ? arena : *optimizer.master;
  Arena& moments = optimizer.moments == nullptr ? arena : *optimizer.moments;
  if (parameter.value.dtype() != Dtype::f32) {
    const Dtype low = parameter.value.dtype() == Dtype::bf16 ? Dtype::i16 : Dtype::f32;
    parameter.low = allocate_tensor(master, "master weights", low, shape);
  }
  parameter.gradient = allocate_tensor(arena, "gradients", Dtype::f32, shape);
  const bool eight_bit = optimizer.eight_bit_moments && parameter.kind == TensorKind::matrix;
  for (Moment* moment : {&parameter.moment1, &parameter.moment2}) {
    *moment = allocate_moment(moments, eight_bit, shape);
  }
}

Tensor flat(Tensor x, std::int64_t begin, std::int64_t end) {
  return x.reshaped({x.elements()}).rows(begin, end);
}

// Of what is not drawn at random: every norm multiplies by 1.
float initial_value(TensorKind kind, const ModelConfig& config) {
  return kind == TensorKind::norm ? 1.0F - config.norm_offset : 0.0F;
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
  return {part(value),     part(scales),    part(low), part(gradient),
          moment(moment1), moment(moment2), kind};
}

Weights::Weights(const ModelConfig& config, Dtype storage, WeightUse use, Arena& arena,
                 const OptimizerStorage& optimizer)
    : layers(static_cast<std::size_t>(config.layers)),
      config_(config),
      storage_(storage),
      use_(use),
      optimizer_(optimizer) {
  const std::vector<ModelTensor> tensors = model_tensors(config);
  allocate(tensors, arena);
  for (const ModelTensor& tensor : tensors) {
    const std::int64_t end = tensor.first_row + tensor.shape[0];
    named_.push_back({tensor.name, at(tensor).rows(tensor.first_row, end)});
  }
  if (!config.stores_head()) {
    head = embedding;
  }
}

Parameter& Weights::at(const ModelTensor& tensor) {
  if (const auto* of_model = std::get_if<Parameter Weights::*>(&tensor.place)) {
    return this->**of_model;
  }
  LayerWeights& layer = layers[tensor.layer];
  if (const auto* of_layer = std::get_if<Parameter LayerWeights::*>(&tensor.place)) {
    return layer.**of_layer;
  }
  Linear& linear = layer.*std::get<Linear LayerWeights::*>(tensor.place);
  return tensor.kind == TensorKind::bias ? linear.bias : linear.weight;
}

void Weights::allocate(const std::vector<ModelTensor>& tensors, Arena& arena) {
  struct Wanted {
    Shape shape;
    TensorKind kind = TensorKind::matrix;
    bool trains = false;
  };
  std::map<const Parameter*, Wanted> wanted;
  for (const ModelTensor& tensor : tensors) {
    const bool trains = use_ == WeightUse::training && !is_frozen(tensor.name, optimizer_.freeze);
    const auto [found, is_new] =
        wanted.try_emplace(&at(tensor), Wanted{tensor.shape, tensor.kind, trains});
    if (!is_new) {
      found->second.trains |= trains;
      found->second.shape[0] += tensor.shape[0];
    }
  }
  std::vector<Parameter*> places = {&embedding};
  for (LayerWeights& layer : layers) {
    std::ranges::copy(parameters_of(layer), std::back_inserter(places));
  }
  places.insert(places.end(), {&final_norm, &head});
  for (Parameter* place : places) {
    if (const auto found = wanted.find(place); found != wanted.end()) {
      const auto& [shape, kind, trains] = found->second;
      allocate_value(*place, shape, kind, storage_, arena);
      if (trains) {
        allocate_training(*place, shape, arena, optimizer_);
      }
      parameters_.push_back(*place);
    }
  }
}

std::vector<Parameter> Weights::trained() const {
  std::vector<Parameter> trained;
  std::ranges::copy_if(parameters_, std::back_inserter(trained), &Parameter::trains);
  return trained;
}

std::int64_t Weights::count() const {
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters_) {
    total += parameter.value.elements();
  }
  return total;
}

void Weights::zero_gradients(Ops& ops) {
  for (const Parameter& parameter : trained()) {
    ops.run(Zero{.x = parameter.gradient});
  }
}

void Weights::zero_moments(Ops& ops) {
  for (const Parameter& parameter : trained()) {
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
  const bool eight_bits = !parameter.scales.empty();
  const std::int64_t whole = eight_bits ? parameter.value.dim(1) : 1;
  const std::int64_t step = std::max(kChunkElements / whole, std::int64_t{1}) * whole;
  std::vector<float> values(static_cast<std::size_t>(std::min(count, step)));
  const bool has_master = !parameter.low.empty();
  for (std::int64_t begin = 0; begin < count; begin += step) {
    const std::int64_t end = std::min(count, begin + step);
    const std::span<float> chunk(values.data(), static_cast<std::size_t>(end - begin));
    fill(begin, chunk);
    if (eight_bits) {
      const EightBitRows rows = round_to_eight_bits(chunk, whole);
      ops.upload(flat(parameter.value, begin, end), rows.codes.data());
      ops.upload(parameter.scales.rows(begin / whole, end / whole), rows.scales.data());
      continue;
    }
    if (parameter.value.dtype() == Dtype::f32) {
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
  for (const NamedParameter& named_parameter : named_) {
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
  for (const Parameter& parameter : parameters_) {
    assign(parameter, ops, [&](std::int64_t begin, std::span<float> out) {
      if (parameter.kind != TensorKind::matrix) {
        std::ranges::fill(out, initial_value(parameter.kind, config_));
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
  for (const auto& [name, parameter] : named_) {
    Random random(seed, stream++);
    const TensorKind kind = parameter.kind;
    const bool is_embedding = parameter.value.data() == embedding.value.data();
    assign(parameter, ops, [&](std::int64_t begin, std::span<float> out) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::int64_t row = (begin + static_cast<std::int64_t>(i)) / config_.hidden_size;
        const auto drawn = kind == TensorKind::matrix
                               ? static_cast<float>(random.normal() * config_.initializer_range)
                               : initial_value(kind, config_);
        out[i] = is_embedding && config_.pad_id == row ? 0.0F : drawn;
      }
    });
  }
}

}  // namespace lmpo
