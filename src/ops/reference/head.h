#pragma once

#include "ops/ops.h"
#include "ops/reference/linear.h"

namespace lmpo::reference {

template <typename S>
struct Head {
  std::vector<S> logp;  // [M]
  std::vector<S> lse;   // [N]
};

template <typename S>
S shaped_logit(S logit, const LogitShape& shape) {
  logit *= S(static_cast<double>(shape.scale));
  const S softcap(static_cast<double>(shape.softcap));
  return shape.softcap == 0 ? logit : softcap * std::tanh(logit / softcap);
}

// hidden[N,D], w[V,D].
template <typename S>
Head<S> head(const std::vector<S>& hidden, const std::vector<S>& w, std::int64_t rows,
             std::int64_t vocabulary, const std::vector<std::int32_t>& target_row,
             const std::vector<std::int32_t>& target_token, const LogitShape& shape = {}) {
  const std::int64_t width = static_cast<std::int64_t>(w.size()) / vocabulary;
  std::vector<S> logits = linear(hidden, w, rows, width, vocabulary);
  for (S& logit : logits) {
    logit = shaped_logit(logit, shape);
  }
  Head<S> result;
  for (std::int64_t n = 0; n < rows; ++n) {
    const auto row = logits.begin() + n * vocabulary;
    result.lse.push_back(log_sum_exp(std::vector<S>(row, row + vocabulary)));
  }
  for (std::size_t m = 0; m < target_row.size(); ++m) {
    const S logit = logits[at(target_row[m], vocabulary, target_token[m])];
    result.logp.push_back(logit - result.lse[static_cast<std::size_t>(target_row[m])]);
  }
  return result;
}

}  // namespace lmpo::reference
