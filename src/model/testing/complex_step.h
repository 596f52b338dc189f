// A model beside a scalar one in double, whose derivatives are by complex step. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/reference_model.h"
#include "model/testing/golden.h"

namespace lmpo::testing {

// The summed log-probabilities of a tree's two sequences, s_0 and s_1, and the gradient of
// s_0 - s_1 / 2 by twelve elements of every tensor.
inline void expect_gradients_of_reference(const Golden& golden, const Tree& tree) {
  Trained trained(golden, Dtype::f32, Recompute::none);
  std::vector<double> found;
  trained.model.train(make_pack({&tree}), [&](auto sums, std::span<double> seeds) {
    found.assign(sums.begin(), sums.end());
    seeds[0] = 1;
    seeds[1] = -0.5;
  });
  std::map<std::string, std::vector<std::complex<double>>> values;
  for (const NamedParameter& named : trained.weights.named()) {
    const auto host = to_host(*trained.ops, named.parameter.value);
    values[named.name].assign(host.begin(), host.end());
  }
  reference::Model<std::complex<double>> truth(golden.config, values);
  const std::size_t length =
      std::max(tree.sequences[0].tokens.size(), tree.sequences[1].tokens.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], truth.logp(tree.sequences[i], length).real(), 1e-4) << "sequence " << i;
  }
  constexpr double step = 1e-100;
  Random random(5, 0);
  for (const NamedParameter& named : trained.weights.named()) {
    const auto gradient = to_host(*trained.ops, named.parameter.gradient);
    double norm = 0;
    for (const float value : gradient) {
      norm = std::max(norm, std::abs(static_cast<double>(value)));
    }
    for (int sample = 0; sample < 12; ++sample) {
      const std::size_t index = random.below(gradient.size());
      std::complex<double>& weight = truth.weight(named.name)[index];
      weight += std::complex<double>(0, step);
      const auto sum =
          truth.logp(tree.sequences[0], length) - 0.5 * truth.logp(tree.sequences[1], length);
      weight = weight.real();
      EXPECT_NEAR(gradient[index], sum.imag() / step, 2e-5 * norm) << named.name << " " << index;
    }
  }
}

}  // namespace lmpo::testing
