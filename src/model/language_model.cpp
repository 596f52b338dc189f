#include "model/language_model.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace lmpo {
namespace {

constexpr std::array<std::string_view, 3> kRecomputeNames = {"none", "mlp", "layers"};

std::size_t first_trained(const Weights& weights) {
  if (weights.embedding.trains()) {
    return 0;
  }
  const auto first = std::ranges::find_if(weights.layers, [](const LayerWeights& layer) {
    return std::ranges::any_of(parameters_of(layer), &Parameter::trains);
  });
  return static_cast<std::size_t>(first - weights.layers.begin());
}

}  // namespace

Recompute parse_recompute(std::string_view name) {
  const auto* found = std::find(kRecomputeNames.begin(), kRecomputeNames.end(), name);
  LMPO_CHECK(found != kRecomputeNames.end());
  return static_cast<Recompute>(found - kRecomputeNames.begin());
}

std::string_view recompute_name(Recompute recompute) {
  return kRecomputeNames[static_cast<std::size_t>(recompute)];
}

LanguageModel::LanguageModel(Weights& weights, Ops& ops, Arena& arena,
                             const LanguageModelOptions& options)
    : weights_(weights),
      ops_(ops),
      arena_(arena),
      config_(weights.config()),
      options_(options),
      first_trained_(first_trained(weights)),
      block_(config_, ops, arena, options.max_positions) {}

void LanguageModel::score(const Pack& pack, std::span<double> sums) {
  const Arena::Scope scope(arena_);
  const DevicePack device = upload(pack);
  sum_by_response(pack, forward_head(device, forward_layers(device, weights_.layers.size())).logp,
                  sums);
}

void LanguageModel::reward(const Pack& pack, std::span<double> rewards) {
  LMPO_CHECK(config_.head == Head::reward && pack.target_count() == pack.response_count() &&
             std::ssize(rewards) == pack.response_count());
  const Arena::Scope scope(arena_);
  const DevicePack device = upload(pack);
  const std::vector<float> rows =
      to_host(gather_head_rows(device, forward_layers(device, weights_.layers.size())).normed);
  const std::vector<float> weight = to_host(weights_.head.value);
  for (std::size_t m = 0; m < rewards.size(); ++m) {
    const auto row = rows.begin() + pack.target_row[m] * config_.hidden_size;
    rewards[static_cast<std::size_t>(pack.target_response[m])] = std::transform_reduce(
        weight.begin(), weight.end(), row, 0.0, std::plus<>(),
        [](float w, float x) { return static_cast<double>(w) * static_cast<double>(x); });
  }
}

void LanguageModel::train(const Pack& pack, const Seed& seed) {
  const Arena::Scope scope(arena_);
  const DevicePack device = upload(pack);
  const std::int64_t tokens = pack.input_count();
  const std::size_t layers = weights_.layers.size();
  std::vector<LayerState> states(layers);
  std::vector<Tensor> x(layers + 1);  // the residual stream before each layer, and after the last

  x[first_trained_] = forward_layers(device, first_trained_);
  for (std::size_t l = first_trained_; l < layers; ++l) {
    x[l + 1] = block_.activation(tokens, config_.hidden_size);
    states[l] = allocate_kept(tokens);
    const Arena::Scope layer_scope(arena_);
    LayerState state = states[l];
    allocate_rest(state, tokens);
    forward_attention(weights_.layers[l], device, x[l], state);
    block_.forward_gate_up(weights_.layers[l], state);
    ops_.run(Copy{.out = x[l + 1], .in = state.x_mid});
    block_.forward_down(weights_.layers[l], x[l + 1], state);
  }

  const Tensor dx = block_.activation(tokens, config_.hidden_size);
  {
    const Arena::Scope head_scope(arena_);
    const HeadState head = forward_head(device, x[layers]);
    backward_head(device, head, seed_tokens(pack, head, seed), dx);
  }

  for (std::size_t l = layers; l-- > first_trained_;) {
    const Arena::Scope layer_scope(arena_);
    LayerState state = states[l];
    allocate_rest(state, tokens);
    recompute(weights_.layers[l], device, x[l], state);
    backward_layer(weights_.layers[l], device, dx, x[l], state);
  }
  if (weights_.embedding.trains()) {
    backward_embedding(device, dx);
  }
}

void LanguageModel::backward_embedding(const DevicePack& pack, Tensor dx) {
  if (!options_.pad_gradient && config_.pad_id) {
    for (std::int64_t t = 0; t < pack.pack.input_count(); ++t) {
      if (pack.pack.tokens[static_cast<std::size_t>(t)] == *config_.pad_id) {
        ops_.run(Zero{.x = dx.rows(t, t + 1)});
      }
    }
  }
  ops_.run(
      EmbeddingBackward{.dtable = weights_.embedding.gradient, .dy = dx, .tokens = pack.tokens});
}

Sequence reward_sequence(std::vector<std::int32_t> tokens, const ModelConfig& config) {
  LMPO_CHECK(!tokens.empty());
  while (tokens.size() > 1 && tokens.back() == config.pad_id) {
    tokens.pop_back();
  }
  const auto length = static_cast<std::int32_t>(tokens.size());
  tokens.push_back(0);
  return {std::move(tokens), length};
}

// --- layers
// ---------------------------------------------------------------------------------------------------

Tensor LanguageModel::forward_layers(const DevicePack& pack, std::size_t count) {
  const Tensor x = block_.activation(pack.pack.input_count(), config_.hidden_size);
  ops_.run(EmbeddingForward{.y = x, .table = weights_.embedding.value, .tokens = pack.tokens});
  for (std::size_t l = 0; l < count; ++l) {
    block_.forward_in_place(weights_.layers[l], pack.positions, x, attend_over(pack));
  }
  return x;
}

Block::Attend LanguageModel::attend_over(const DevicePack& pack) {
  return [this, &pack](const LayerState& state) {
    ops_.run(AttentionForward{.out = state.attention,
                              .lse = state.lse,
                              .qkv = state.qkv,
                              .positions = pack.positions,
                              .segments = pack.pack.segments,
                              .shape = block_.shape()});
  };
}

LayerState LanguageModel::allocate_kept(std::int64_t tokens) {
  LayerState state;
  if (options_.recompute != Recompute::layers) {
    block_.allocate_attention(state, tokens);
    state.x_mid = block_.activation(tokens, config_.hidden_size);
  }
  if (options_.recompute == Recompute::none) {
    block_.allocate_mlp(state, tokens);
  }
  return state;
}

void LanguageModel::allocate_rest(LayerState& state, std::int64_t tokens) {
  if (options_.recompute == Recompute::layers) {
    block_.allocate_attention(state, tokens);
    state.x_mid = block_.activation(tokens, config_.hidden_size);
  }
  if (options_.recompute != Recompute::none) {
    block_.allocate_mlp(state, tokens);
  }
}

void LanguageModel::forward_attention(const LayerWeights& layer, const DevicePack& pack,
                                      Tensor x_in, LayerState& state) {
  ops_.run(Copy{.out = state.x_mid, .in = x_in});
  block_.forward_attention(layer, pack.positions, x_in, state, attend_over(pack));
}

void LanguageModel::recompute(const LayerWeights& layer, const DevicePack& pack, Tensor x_in,
                              LayerState& state) {
  if (options_.recompute == Recompute::layers) {
    forward_attention(layer, pack, x_in, state);
  }
  if (options_.recompute != Recompute::none) {
    block_.forward_gate_up(layer, state);
  }
}

void LanguageModel::backward_layer(const LayerWeights& layer, const DevicePack& pack, Tensor dx,
                                   Tensor x_in, const LayerState& state) {
  block_.backward_mlp(layer, dx, state);
  block_.backward_attention(
      layer, pack.positions, dx, x_in, state, [&](Tensor dqkv, Tensor dattention) {
        const Arena::Scope scope(arena_);
        const Tensor scratch =
            arena_.allocate("workspace", Dtype::f32, {config_.heads, dattention.dim(0)});
        ops_.run(AttentionBackward{.dqkv = dqkv,
                                   .dout = dattention,
                                   .out = state.attention,
                                   .lse = state.lse,
                                   .qkv = state.qkv,
                                   .positions = pack.positions,
                                   .segments = pack.pack.segments,
                                   .shape = block_.shape(),
                                   .scratch = scratch});
      });
}

// --- head
// -----------------------------------------------------------------------------------------------------

LanguageModel::HeadState LanguageModel::gather_head_rows(const DevicePack& pack, Tensor x) {
  const std::int64_t rows = pack.pack.row_count();
  HeadState head;
  head.x = block_.activation(rows, config_.hidden_size);
  head.rstd = arena_.allocate("head", Dtype::f32, {rows});
  head.normed = block_.activation(rows, config_.hidden_size);
  ops_.run(GatherRows{.y = head.x, .x = x, .rows = pack.head_rows});
  ops_.run(RmsNormForward{.y = head.normed,
                          .rstd = head.rstd,
                          .x = head.x,
                          .w = weights_.final_norm.value,
                          .eps = config_.rms_norm_eps});
  return head;
}

LanguageModel::HeadState LanguageModel::forward_head(const DevicePack& pack, Tensor x) {
  const std::int64_t rows = pack.pack.row_count();
  const auto vector = [&](std::int64_t size) {
    return arena_.allocate("head", Dtype::f32, {size});
  };
  HeadState head = gather_head_rows(pack, x);
  head.lse = vector(rows);
  head.logp = vector(pack.pack.target_count());
  head.workspace = vector(
      ops_.head_workspace(rows, config_.hidden_size, config_.vocab_size, weights_.storage()));
  ops_.run(HeadForward{.logp = head.logp,
                       .lse = head.lse,
                       .hidden = head.normed,
                       .w = weights_.head.value,
                       .target_row = pack.target_row,
                       .target_token = pack.target_token,
                       .workspace = head.workspace});
  return head;
}

void LanguageModel::backward_head(const DevicePack& pack, const HeadState& head, Tensor dlogp,
                                  Tensor dx) {
  const Arena::Scope scope(arena_);
  const Tensor dnormed = block_.activation(head.x.dim(0), config_.hidden_size);
  const Tensor drows = block_.activation(head.x.dim(0), config_.hidden_size);
  ops_.run(HeadBackward{.dhidden = dnormed,
                        .dw = weights_.head.gradient,
                        .dlogp = dlogp,
                        .lse = head.lse,
                        .hidden = head.normed,
                        .w = weights_.head.value,
                        .target_row = pack.target_row,
                        .target_token = pack.target_token,
                        .workspace = head.workspace});
  ops_.run(Zero{.x = drows});
  ops_.run(RmsNormBackward{.dx = drows,
                           .dw = weights_.final_norm.gradient,
                           .dy = dnormed,
                           .x = head.x,
                           .w = weights_.final_norm.value,
                           .rstd = head.rstd});
  ops_.run(ScatterRows{.dx = dx, .dy = drows, .rows = pack.head_rows});
}

std::vector<float> LanguageModel::to_host(Tensor x) {
  const Arena::Scope scope(arena_);
  const bool is_float = x.dtype() == Dtype::f32;
  const Tensor wide = is_float ? x : arena_.allocate("head", Dtype::f32, {x.dim(0), x.dim(1)});
  if (!is_float) {
    ops_.run(Cast{.out = wide, .in = x});
  }
  std::vector<float> host(static_cast<std::size_t>(x.elements()));
  ops_.download(host.data(), wide);
  return host;
}

void LanguageModel::sum_by_response(const Pack& pack, Tensor logp, std::span<double> sums) {
  LMPO_CHECK(static_cast<std::int64_t>(sums.size()) == pack.response_count());
  std::vector<float> host(static_cast<std::size_t>(pack.target_count()));
  ops_.download(host.data(), logp);
  std::fill(sums.begin(), sums.end(), 0.0);
  for (std::size_t m = 0; m < host.size(); ++m) {
    sums[static_cast<std::size_t>(pack.target_response[m])] += static_cast<double>(host[m]);
  }
}

Tensor LanguageModel::seed_tokens(const Pack& pack, const HeadState& head, const Seed& seed) {
  std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
  std::vector<double> seeds(sums.size());
  sum_by_response(pack, head.logp, sums);
  seed(sums, seeds);
  std::vector<float> spread;
  spread.reserve(pack.target_response.size());
  for (const std::int32_t response : pack.target_response) {
    spread.push_back(static_cast<float>(seeds[static_cast<std::size_t>(response)]));
  }
  const Tensor dlogp = arena_.allocate("head", Dtype::f32, {pack.target_count()});
  ops_.upload(dlogp, spread.data());
  return dlogp;
}

// --- packs on the device
// --------------------------------------------------------------------------------------

LanguageModel::DevicePack LanguageModel::upload(const Pack& pack) {
  return {.pack = pack,
          .tokens = upload_indices(pack.tokens),
          .positions = upload_indices(pack.positions),
          .head_rows = upload_indices(pack.head_rows),
          .target_row = upload_indices(pack.target_row),
          .target_token = upload_indices(pack.target_token)};
}

Tensor LanguageModel::upload_indices(const std::vector<std::int32_t>& indices) {
  const Tensor result =
      arena_.allocate("indices", Dtype::i32, {static_cast<std::int64_t>(indices.size())});
  ops_.upload(result, indices.data());
  return result;
}

}  // namespace lmpo
