// The whole model as a scalar template, sequence by sequence and without trees: the truth for
// tests.
//
// T is double, or std::complex<double> for derivatives by complex step: d f(x) = Im f(x + ih) / h
// is exact to rounding, since nothing is subtracted (Squire & Trapp 1998).
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "model/config.h"
#include "ops/reference/scalar.h"
#include "tree/tree.h"

namespace lmpo::reference {

template <typename T>
class Model {
 public:
  using Vector = std::vector<T>;

  Model(ModelConfig config, std::map<std::string, Vector> weights)
      : config_(std::move(config)), weights_(std::move(weights)) {
    for (const auto& [name, values] : weights_) {
      if (const auto end = name.find("embed_tokens.weight"); end != std::string::npos) {
        prefix_ = name.substr(0, end);
      } else if (name.ends_with("lm_head.weight")) {
        head_ = name;
      }
    }
    head_ = head_.empty() ? prefix_ + "embed_tokens.weight" : head_;
  }

  Vector& weight(const std::string& name) { return weights_.at(name); }

  // Summed log-probability of a sequence's scored tokens, for rotary tables of sequences of so many
  // tokens.
  T logp(const Sequence& sequence, std::size_t length) const {
    std::vector<Vector> x;
    for (std::size_t t = 0; t + 1 < sequence.tokens.size(); ++t) {
      const Vector& table = weights_.at(prefix_ + "embed_tokens.weight");
      const auto row = table.begin() + sequence.tokens[t] * config_.hidden_size;
      x.push_back(scaled({row, row + config_.hidden_size}, config_.embedding_scale));
    }
    for (std::int64_t l = 0; l < config_.layers; ++l) {
      layer(x, l, length);
    }
    T sum = 0;
    for (const TokenRun run : sequence.scored_runs()) {
      for (auto t = static_cast<std::size_t>(run.begin); t < static_cast<std::size_t>(run.end);
           ++t) {
        const Vector logits = next_logits(x[t - 1]);
        sum += logits[static_cast<std::size_t>(sequence.tokens[t])] - log_sum_exp(logits);
      }
    }
    return sum;
  }

  T logp(const Sequence& sequence) const { return logp(sequence, sequence.tokens.size()); }

 private:
  // Of the token after the one whose residual stream this is.
  Vector next_logits(const Vector& x) const {
    Vector logits = scaled(times(head_, norm(x, prefix_ + "norm.weight")),
                           static_cast<double>(config_.logit_scale));
    for (T& logit : logits) {
      logit = capped(logit, static_cast<double>(config_.logit_softcap));
    }
    return logits;
  }

  // W x, W stored row by row.
  Vector times(const std::string& name, const Vector& x) const {
    const Vector& w = weights_.at(name);
    Vector y(w.size() / x.size(), T(0));
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        y[o] += w[o * x.size() + i] * x[i];
      }
    }
    return y;
  }

  // The layer's weight and, where there is one, its bias.
  Vector linear(const std::string& name, const Vector& x) const {
    Vector y = times(name + ".weight", x);
    if (const auto bias = weights_.find(name + ".bias"); bias != weights_.end()) {
      add(y, bias->second);
    }
    return y;
  }

  bool has(const std::string& name) const { return weights_.contains(name + ".weight"); }

  // Each group of the weight's size by itself.
  Vector norm(const Vector& x, const std::string& name) const {
    const Vector& w = weights_.at(name);
    Vector y(x.size());
    for (std::size_t first = 0; first < x.size(); first += w.size()) {
      T square = 0;
      for (std::size_t i = 0; i < w.size(); ++i) {
        square += x[first + i] * x[first + i];
      }
      const T scale = 1.0 / std::sqrt(square / static_cast<double>(w.size()) +
                                      static_cast<double>(config_.rms_norm_eps));
      for (std::size_t i = 0; i < w.size(); ++i) {
        y[first + i] = x[first + i] * scale * (static_cast<double>(config_.norm_offset) + w[i]);
      }
    }
    return y;
  }

  static T capped(T value, double cap) { return cap == 0 ? value : cap * std::tanh(value / cap); }

  static Vector scaled(Vector x, double factor) {
    for (T& value : x) {
      value *= factor;
    }
    return x;
  }

  // The first columns of each head; its halves are the pairs.
  void rotate(Vector& heads, std::size_t position, const RotaryFrequencies& table) const {
    const std::size_t half = table.inverse.size();
    const auto factor = static_cast<double>(table.factor);
    for (std::size_t first = 0; first < heads.size();
         first += static_cast<std::size_t>(config_.head_size)) {
      for (std::size_t i = 0; i < half; ++i) {
        const auto angle = static_cast<double>(static_cast<float>(position) * table.inverse[i]);
        const double cosine = factor * std::cos(angle);
        const double sine = factor * std::sin(angle);
        const T a = heads[first + i];
        const T b = heads[first + half + i];
        heads[first + i] = a * cosine - b * sine;
        heads[first + half + i] = b * cosine + a * sine;
      }
    }
  }

  double query_scale(std::size_t position) const {
    if (config_.query_scale_beta == 0) {
      return 1;
    }
    const auto periods =
        static_cast<double>(position) / static_cast<double>(config_.query_scale_positions);
    return 1 + config_.query_scale_beta * std::log(1 + std::floor(periods));
  }

  struct Projected {
    Vector q, k, v;
  };
  Projected project(const Vector& h, const std::string& attention) const {
    const auto queries = static_cast<std::ptrdiff_t>(config_.heads * config_.head_size);
    const auto keys = queries + static_cast<std::ptrdiff_t>(config_.key_heads * config_.head_size);
    Projected result;
    if (has(attention + "qkv_proj")) {
      const Vector all = linear(attention + "qkv_proj", h);
      result = {{all.begin(), all.begin() + queries},
                {all.begin() + queries, all.begin() + keys},
                {all.begin() + keys, all.end()}};
    } else {
      result = {linear(attention + "q_proj", h), linear(attention + "k_proj", h),
                linear(attention + "v_proj", h)};
    }
    if (has(attention + "q_norm")) {
      result.q = norm(result.q, attention + "q_norm.weight");
      result.k = norm(result.k, attention + "k_norm.weight");
    }
    return result;
  }

  Vector mlp(const Vector& h, const std::string& name) const {
    Vector gate;
    Vector up;
    if (has(name + "gate_up_proj")) {
      const Vector both = linear(name + "gate_up_proj", h);
      const auto half = static_cast<std::ptrdiff_t>(config_.intermediate_size);
      gate.assign(both.begin(), both.begin() + half);
      up.assign(both.begin() + half, both.end());
    } else {
      gate = linear(name + "gate_proj", h);
      up = linear(name + "up_proj", h);
    }
    for (std::size_t f = 0; f < gate.size(); ++f) {
      gate[f] = activated(gate[f]) * up[f];
    }
    return linear(name + "down_proj", gate);
  }

  T activated(T x) const {
    if (config_.activation == Activation::silu) {
      return x / (1.0 + std::exp(-x));
    }
    return 0.5 * x *
           (1.0 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  }

  // A model with norms before and after calls the MLP's "feedforward"; with either of them alone,
  // what stands after attention's name is before the MLP, or after attention.
  void layer(std::vector<Vector>& x, std::int64_t l, std::size_t length) const {
    const std::string prefix = prefix_ + "layers." + std::to_string(l) + ".";
    const bool before = config_.norms_before;
    const bool after = config_.norms_after;
    const std::string middle = after ? "pre_feedforward_layernorm" : "post_attention_layernorm";
    const auto normed = [&](const Vector& v, bool has_norm, const std::string& name) {
      return has_norm ? norm(v, prefix + name + ".weight") : v;
    };
    const auto add_scaled = [&](Vector& to, const Vector& v) {
      add(to, scaled(v, static_cast<double>(config_.residual_scale)));
    };
    const LayerAttention& kind = config_.layer_attention[static_cast<std::size_t>(l)];
    std::vector<Projected> all;
    for (std::size_t t = 0; t < x.size(); ++t) {
      Projected& heads =
          all.emplace_back(project(normed(x[t], before, "input_layernorm"), prefix + "self_attn."));
      if (kind.rope) {
        const Rope& rope = config_.ropes[*kind.rope];
        const bool is_long = static_cast<std::int64_t>(length) > rope.original_positions;
        const RotaryFrequencies table = rotary_frequencies(rope, is_long);
        rotate(heads.q, t, table);
        rotate(heads.k, t, table);
        heads.q = scaled(heads.q, query_scale(t));
      }
    }
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Vector mixed = linear(prefix + "self_attn.o_proj", attend(all, t, kind.window));
      add_scaled(x[t], normed(mixed, after, "post_attention_layernorm"));
      const Vector out = mlp(normed(x[t], before, middle), prefix + "mlp.");
      add_scaled(x[t], normed(out, after, "post_feedforward_layernorm"));
    }
  }

  Vector attend(const std::vector<Projected>& all, std::size_t t, std::int64_t window) const {
    const auto size = static_cast<std::size_t>(config_.head_size);
    const auto group = static_cast<std::size_t>(config_.heads / config_.key_heads);
    const auto seen = static_cast<std::size_t>(window);
    const std::size_t first = seen > 0 && t + 1 > seen ? t + 1 - seen : 0;
    const Vector& q = all[t].q;
    Vector out(q.size(), T(0));
    for (std::size_t head = 0; head * size < q.size(); ++head) {
      const std::size_t key = head / group * size;
      Vector scores;
      for (std::size_t s = first; s <= t; ++s) {
        T dot = 0;
        for (std::size_t e = 0; e < size; ++e) {
          dot += q[head * size + e] * all[s].k[key + e];
        }
        scores.push_back(capped(dot * static_cast<double>(config_.attention_scale),
                                static_cast<double>(config_.attention_softcap)));
      }
      const T lse = log_sum_exp(scores);
      for (std::size_t s = first; s <= t; ++s) {
        const T weight = std::exp(scores[s - first] - lse);
        for (std::size_t e = 0; e < size; ++e) {
          out[head * size + e] += weight * all[s].v[key + e];
        }
      }
    }
    return out;
  }

  static void add(Vector& x, const Vector& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] += y[i];
    }
  }

  ModelConfig config_;
  std::map<std::string, Vector> weights_;
  std::string prefix_;  // "model."
  std::string head_;
};

}  // namespace lmpo::reference
