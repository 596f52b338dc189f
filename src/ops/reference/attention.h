#pragma once

#include "ops/ops.h"
#include "ops/reference/scalar.h"

namespace lmpo::reference {

// Turns the first `turned` columns of the first H+K heads of qkv[T,(H+2K)E] by their positions and
// scales the queries; cos_sin and query_scale as in op_list.h.
template <typename S>
std::vector<S> rope(std::vector<S> qkv, const std::vector<double>& cos_sin,
                    const std::vector<std::int32_t>& positions, const AttentionShape& shape,
                    std::int64_t turned, const std::vector<double>& query_scale = {}) {
  const std::int64_t half = turned / 2;
  const std::int64_t width = (shape.query_heads + 2 * shape.key_heads) * shape.head_size;
  for (std::size_t t = 0; t < positions.size(); ++t) {
    for (std::int64_t head = 0; head < shape.query_heads + shape.key_heads; ++head) {
      for (std::int64_t i = 0; i < half; ++i) {
        const S c(cos_sin[at(positions[t], 2 * half, i)]);
        const S s(cos_sin[at(positions[t], 2 * half, half + i)]);
        S& x1 = qkv[at(static_cast<std::int64_t>(t), width, head * shape.head_size + i)];
        S& x2 = qkv[at(static_cast<std::int64_t>(t), width, head * shape.head_size + half + i)];
        const S first = x1 * c - x2 * s;
        x2 = x2 * c + x1 * s;
        x1 = first;
      }
    }
    for (std::int64_t i = 0; i < shape.out_width() && !query_scale.empty(); ++i) {
      qkv[at(static_cast<std::int64_t>(t), width, i)] *=
          S(query_scale[static_cast<std::size_t>(positions[t])]);
    }
  }
  return qkv;
}

// The rows of the keys that the query at a row of this segment sees.
inline std::vector<std::int64_t> visible_keys(const Pack::Segment& segment, std::int64_t query,
                                              const std::vector<std::int32_t>& positions,
                                              std::int64_t window) {
  std::vector<std::int64_t> keys;
  const auto position = [&](std::int64_t row) { return positions[static_cast<std::size_t>(row)]; };
  for (std::int64_t key = 0; key <= query; ++key) {
    const bool in_context = key >= segment.context_begin && key < segment.context_end;
    const bool in_window = window == 0 || position(key) > position(query) - window;
    if ((in_context || key >= segment.begin) && in_window) {
      keys.push_back(key);
    }
  }
  return keys;
}

template <typename S>
struct Attention {
  std::vector<S> out;  // [T,H*E]
  std::vector<S> lse;  // [H,T]
};

// One query head of one row: out[E] and its log-sum-exp.
template <typename S>
S attend_row(S* out, const std::vector<S>& qkv, std::int64_t query, std::int64_t head,
             const std::vector<std::int64_t>& keys, const AttentionShape& shape) {
  const std::int64_t size = shape.head_size;
  const std::int64_t width = (shape.query_heads + 2 * shape.key_heads) * size;
  const std::int64_t key_head = head / (shape.query_heads / shape.key_heads);
  const std::int64_t key_column = (shape.query_heads + key_head) * size;
  const std::int64_t value_column = key_column + shape.key_heads * size;
  std::vector<S> scores;
  for (const std::int64_t key : keys) {
    S score{};
    for (std::int64_t e = 0; e < size; ++e) {
      score += qkv[at(query, width, head * size + e)] * qkv[at(key, width, key_column + e)];
    }
    score *= S(static_cast<double>(shape.scale));
    const S softcap(static_cast<double>(shape.softcap));
    scores.push_back(shape.softcap == 0 ? score : softcap * std::tanh(score / softcap));
  }
  const S lse = log_sum_exp(scores);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const S probability = std::exp(scores[i] - lse);
    for (std::int64_t e = 0; e < size; ++e) {
      out[e] += probability * qkv[at(keys[i], width, value_column + e)];
    }
  }
  return lse;
}

template <typename S>
Attention<S> attention(const std::vector<S>& qkv, const std::vector<std::int32_t>& positions,
                       std::span<const Pack::Segment> segments, const AttentionShape& shape) {
  const auto tokens = static_cast<std::int64_t>(positions.size());
  const std::int64_t out_width = shape.query_heads * shape.head_size;
  Attention<S> result{std::vector<S>(at(tokens, out_width, 0)),
                      std::vector<S>(at(shape.query_heads, tokens, 0))};
  for (const Pack::Segment& segment : segments) {
    for (std::int64_t query = segment.begin; query < segment.end; ++query) {
      const auto keys = visible_keys(segment, query, positions, shape.window);
      for (std::int64_t head = 0; head < shape.query_heads; ++head) {
        S* out = result.out.data() + at(query, out_width, head * shape.head_size);
        result.lse[at(head, tokens, query)] = attend_row(out, qkv, query, head, keys, shape);
      }
    }
  }
  return result;
}

}  // namespace lmpo::reference
