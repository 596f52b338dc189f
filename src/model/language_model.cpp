#include "model/language_model.h"

#include <algorithm>
#include <array>

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
      embedding_(weights, ops, arena),
      block_(weights, ops, arena, options.max_positions),
      head_(weights, ops, arena) {}

void LanguageModel::score(const Pack& pack, std::span<double> sums) {
  const Arena::Scope scope(arena_);
  const DevicePack device = upload(pack);
  const Tensor x = forward_layers(device, weights_.layers.size());
  sum_by_response(pack, head_.forward(device, x).logp, sums);
}

void LanguageModel::reward(const Pack& pack, std::span<double> rewards) {
  LMPO_CHECK(config_.head == Head::reward && pack.target_count() == pack.response_count() &&
             std::ssize(rewards) == pack.response_count());
  const Arena::Scope scope(arena_);
  const DevicePack device = upload(pack);
  head_.rewards(device, forward_layers(device, weights_.layers.size()), rewards);
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
    forward_attention(l, device, x[l], state);
    block_.forward_gate_up(l, state);
    ops_.run(Copy{.out = x[l + 1], .in = state.x_mid});
    block_.forward_down(l, x[l + 1], state);
  }

  const Tensor dx = block_.activation(tokens, config_.hidden_size);
  {
    const Arena::Scope head_scope(arena_);
    const OutputHead::State head = head_.forward(device, x[layers]);
    head_.backward(device, head, seed_tokens(pack, head.logp, seed), dx);
  }

  for (std::size_t l = layers; l-- > first_trained_;) {
    const Arena::Scope layer_scope(arena_);
    LayerState state = states[l];
    allocate_rest(state, tokens);
    recompute(l, device, x[l], state);
    backward_layer(l, device, dx, x[l], state);
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
  embedding_.backward(dx, pack.tokens);
}

DevicePack LanguageModel::upload(const Pack& pack) {
  // A reward is read at the last token, after which reward_sequence puts one that does not count.
  const std::int64_t unread = config_.head == Head::reward ? 0 : 1;
  return upload_pack(pack, block_.rotary(), unread, ops_, arena_);
}

Tensor LanguageModel::forward_layers(const DevicePack& pack, std::size_t count) {
  const Tensor x = embedding_.forward(pack.tokens);
  for (std::size_t l = 0; l < count; ++l) {
    block_.forward_in_place(l, pack.rotary_rows, x, attend_over(pack));
  }
  return x;
}

Block::Attend LanguageModel::attend_over(const DevicePack& pack) {
  return [this, &pack](const Block::Attention& attention) {
    ops_.run(AttentionForward{.out = attention.out,
                              .lse = attention.lse,
                              .qkv = attention.qkv,
                              .positions = pack.positions,
                              .segments = pack.pack.segments,
                              .shape = attention.shape});
  };
}

LayerState LanguageModel::allocate_kept(std::int64_t tokens) {
  LayerState state;
  if (options_.recompute != Recompute::layers) {
    block_.allocate_attention(state, tokens);
    block_.allocate_outputs(state, tokens);
    // What norms read is kept instead: the stream follows from it without a matrix product.
    if (!config_.norms_after) {
      state.x_mid = block_.activation(tokens, config_.hidden_size);
    }
  }
  if (options_.recompute == Recompute::none) {
    block_.allocate_mlp(state, tokens);
  }
  return state;
}

void LanguageModel::allocate_rest(LayerState& state, std::int64_t tokens) {
  if (options_.recompute == Recompute::layers) {
    block_.allocate_attention(state, tokens);
    block_.allocate_outputs(state, tokens);
  }
  if (state.x_mid.empty()) {
    state.x_mid = block_.activation(tokens, config_.hidden_size);
  }
  if (options_.recompute != Recompute::none) {
    block_.allocate_mlp(state, tokens);
  }
}

void LanguageModel::forward_attention(std::size_t layer, const DevicePack& pack, Tensor x_in,
                                      LayerState& state) {
  ops_.run(Copy{.out = state.x_mid, .in = x_in});
  block_.forward_attention(layer, pack.rotary_rows, x_in, state, attend_over(pack));
}

void LanguageModel::recompute(std::size_t layer, const DevicePack& pack, Tensor x_in,
                              LayerState& state) {
  if (options_.recompute == Recompute::layers) {
    forward_attention(layer, pack, x_in, state);
  } else if (config_.norms_after) {
    block_.repeat_x_mid(layer, x_in, state);
  }
  if (options_.recompute != Recompute::none) {
    block_.forward_gate_up(layer, state);
  }
  if (options_.recompute == Recompute::layers && config_.norms_after) {
    block_.repeat_mlp_output(layer, state);
  }
}

void LanguageModel::backward_layer(std::size_t layer, const DevicePack& pack, Tensor dx,
                                   Tensor x_in, const LayerState& state) {
  block_.backward_mlp(layer, dx, state);
  const bool trains_below = layer > first_trained_ || weights_.embedding.trains();
  block_.backward_attention(layer, pack.rotary_rows, dx, x_in, state, trains_below,
                            [&](Tensor dqkv, Tensor dout, const Block::Attention& attention) {
                              const Arena::Scope scope(arena_);
                              const Tensor scratch = arena_.allocate("workspace", Dtype::f32,
                                                                     {config_.heads, dout.dim(0)});
                              ops_.run(AttentionBackward{.dqkv = dqkv,
                                                         .dout = dout,
                                                         .out = attention.out,
                                                         .lse = attention.lse,
                                                         .qkv = attention.qkv,
                                                         .positions = pack.positions,
                                                         .segments = pack.pack.segments,
                                                         .shape = attention.shape,
                                                         .scratch = scratch});
                            });
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

Tensor LanguageModel::seed_tokens(const Pack& pack, Tensor logp, const Seed& seed) {
  std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
  std::vector<double> seeds(sums.size());
  sum_by_response(pack, logp, sums);
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

Sequence reward_sequence(std::vector<std::int32_t> tokens, const ModelConfig& config) {
  LMPO_CHECK(!tokens.empty());
  while (tokens.size() > 1 && tokens.back() == config.pad_id) {
    tokens.pop_back();
  }
  const auto length = static_cast<std::int32_t>(tokens.size());
  tokens.push_back(0);
  return {std::move(tokens), length};
}

}  // namespace lmpo
