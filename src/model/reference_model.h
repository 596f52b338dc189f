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
      : config_(std::move(config)),
        weights_(std::move(weights)),
        frequencies_(inverse_frequencies(config_)) {}

  Vector& weight(const std::string& name) { return weights_.at(name); }

  // Summed log-probability of a sequence's scored tokens.
  T logp(const Sequence& sequence) const {
    std::vector<Vector> x;
    for (std::size_t t = 0; t + 1 < sequence.tokens.size(); ++t) {
      const Vector& table = weights_.at("model.embed_tokens.weight");
      const auto row = table.begin() + sequence.tokens[t] * config_.hidden_size;
      x.emplace_back(row, row + config_.hidden_size);
    }
    for (std::int64_t l = 0; l < config_.layers; ++l) {
      layer(x, "model.layers." + std::to_string(l) + ".");
    }
    const std::string head =
        config_.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
    T sum = 0;
    for (auto t = static_cast<std::size_t>(sequence.scored_begin); t < sequence.tokens.size();
         ++t) {
      const Vector logits = times(head, norm(x[t - 1], "model.norm.weight"));
      sum += logits[static_cast<std::size_t>(sequence.tokens[t])] - log_sum_exp(logits);
    }
    return sum;
  }

 private:
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

  Vector norm(const Vector& x, const std::string& name) const {
    T square = 0;
    for (const T& value : x) {
      square += value * value;
    }
    const T scale = 1.0 / std::sqrt(square / static_cast<double>(x.size()) +
                                    static_cast<double>(config_.rms_norm_eps));
    const Vector& w = weights_.at(name);
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = x[i] * scale * w[i];
    }
    return y;
  }

  static T log_sum_exp(const Vector& z) {
    double largest = real_part(z[0]);
    for (const T& value : z) {
      largest = std::max(largest, real_part(value));
    }
    T sum = 0;
    for (const T& value : z) {
      sum += std::exp(value - largest);
    }
    return std::log(sum) + largest;
  }

  void rotate(Vector& heads, std::size_t position) const {
    const std::size_t half = frequencies_.size();
    for (std::size_t first = 0; first < heads.size(); first += 2 * half) {
      for (std::size_t i = 0; i < half; ++i) {
        const auto angle = static_cast<double>(static_cast<float>(position) * frequencies_[i]);
        const T a = heads[first + i];
        const T b = heads[first + half + i];
        heads[first + i] = a * std::cos(angle) - b * std::sin(angle);
        heads[first + half + i] = b * std::cos(angle) + a * std::sin(angle);
      }
    }
  }

  void layer(std::vector<Vector>& x, const std::string& prefix) const {
    std::vector<Vector> q(x.size());
    std::vector<Vector> k(x.size());
    std::vector<Vector> v(x.size());
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Vector h = norm(x[t], prefix + "input_layernorm.weight");
      q[t] = linear(prefix + "self_attn.q_proj", h);
      k[t] = linear(prefix + "self_attn.k_proj", h);
      v[t] = linear(prefix + "self_attn.v_proj", h);
      rotate(q[t], t);
      rotate(k[t], t);
    }
    for (std::size_t t = 0; t < x.size(); ++t) {
      add(x[t], linear(prefix + "self_attn.o_proj", attend(q[t], k, v, t)));
      const Vector h = norm(x[t], prefix + "post_attention_layernorm.weight");
      Vector gate = linear(prefix + "mlp.gate_proj", h);
      const Vector up = linear(prefix + "mlp.up_proj", h);
      for (std::size_t f = 0; f < gate.size(); ++f) {
        gate[f] = gate[f] / (1.0 + std::exp(-gate[f])) * up[f];
      }
      add(x[t], linear(prefix + "mlp.down_proj", gate));
    }
  }

  Vector attend(const Vector& q, const std::vector<Vector>& k, const std::vector<Vector>& v,
                std::size_t t) const {
    const auto size = static_cast<std::size_t>(config_.head_size);
    const auto group = static_cast<std::size_t>(config_.heads / config_.key_heads);
    const auto window = static_cast<std::size_t>(config_.sliding_window);
    const std::size_t first = window > 0 && t + 1 > window ? t + 1 - window : 0;
    Vector out(q.size(), T(0));
    for (std::size_t head = 0; head * size < q.size(); ++head) {
      const std::size_t key = head / group * size;
      Vector scores;
      for (std::size_t s = first; s <= t; ++s) {
        T dot = 0;
        for (std::size_t e = 0; e < size; ++e) {
          dot += q[head * size + e] * k[s][key + e];
        }
        scores.push_back(dot / std::sqrt(static_cast<double>(size)));
      }
      const T lse = log_sum_exp(scores);
      for (std::size_t s = first; s <= t; ++s) {
        const T weight = std::exp(scores[s - first] - lse);
        for (std::size_t e = 0; e < size; ++e) {
          out[head * size + e] += weight * v[s][key + e];
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
  std::vector<float> frequencies_;
};

}  // namespace lmpo::reference
