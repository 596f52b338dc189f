#include "model/rotary.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lmpo {
namespace {

// Where the first of the tables that have long factors takes them; 0: none has.
std::int64_t shortest_original(const std::vector<Rope>& ropes) {
  const auto found = std::ranges::find(ropes, Rope::Kind::longrope, &Rope::kind);
  return found == ropes.end() ? 0 : found->original_positions;
}

}  // namespace

std::vector<float> rotary_table(const Rope& rope, bool is_long, std::int64_t positions) {
  const auto [inverse, factor] = rotary_frequencies(rope, is_long);
  std::vector<float> table;
  table.reserve(static_cast<std::size_t>(positions) * 2 * inverse.size());
  for (std::int64_t position = 0; position < positions; ++position) {
    for (const bool sine : {false, true}) {
      for (const float frequency : inverse) {
        const auto angle = static_cast<double>(static_cast<float>(position) * frequency);
        table.push_back(static_cast<float>(sine ? std::sin(angle) : std::cos(angle)) * factor);
      }
    }
  }
  return table;
}

std::vector<float> query_scales(const ModelConfig& config, std::int64_t positions) {
  std::vector<float> scales;
  for (std::int64_t position = 0; position < positions; ++position) {
    const std::int64_t whole = position / config.query_scale_positions;
    const double logarithm = std::log(1 + static_cast<double>(whole));
    scales.push_back(static_cast<float>(1 + config.query_scale_beta * logarithm));
  }
  return scales;
}

Rotary::Rotary(const ModelConfig& config, Ops& ops, Arena& arena, std::int64_t positions)
    : ops_(ops), positions_(positions), longest_short_(shortest_original(config.ropes)) {
  const bool has_long = longest_short_ > 0 && positions > longest_short_;
  const auto add = [](std::vector<float>& values, const std::vector<float>& more) {
    values.insert(values.end(), more.begin(), more.end());
  };
  // Fills the rows of short sequences, and those of long ones.
  const auto fill = [&](Tensor tensor, const auto& values_of) {
    std::vector<float> values = values_of(false);
    if (has_long) {
      add(values, values_of(true));
    }
    ops_.upload(tensor, values.data());
  };
  const std::int64_t rows = has_long ? 2 * positions : positions;
  for (const Rope& rope : config.ropes) {
    tables_.push_back(arena.allocate("rotary table", Dtype::f32, {rows, rope.columns}));
    if (ops_.computes()) {
      fill(tables_.back(), [&](bool is_long) { return rotary_table(rope, is_long, positions); });
    }
  }
  if (config.query_scale_beta != 0) {
    query_scale_ = arena.allocate("rotary table", Dtype::f32, {rows});
    if (ops_.computes()) {
      fill(query_scale_, [&](bool /*is_long*/) { return query_scales(config, positions); });
    }
  }
}

void Rotary::forward(std::size_t table, Tensor qkv, Tensor rows, const AttentionShape& shape) {
  ops_.run(RopeForward{.qkv = qkv,
                       .cos_sin = tables_[table],
                       .positions = rows,
                       .shape = shape,
                       .query_scale = query_scale_});
}

void Rotary::backward(std::size_t table, Tensor dqkv, Tensor rows, const AttentionShape& shape) {
  ops_.run(RopeBackward{.dqkv = dqkv,
                        .cos_sin = tables_[table],
                        .positions = rows,
                        .shape = shape,
                        .query_scale = query_scale_});
}

}  // namespace lmpo
