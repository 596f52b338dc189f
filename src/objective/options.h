// The options of all objectives, with their defaults. docs/method.md says what each one means.
//
// Choices are enumerations; choice_names gives the names people type, in the order of the values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lmpo {

enum class Margin { power5, cube, log, sigmoid };
constexpr std::array<std::string_view, 4> choice_names(Margin) {
  return {"power5", "cube", "log", "sigmoid"};
}

enum class LengthNormalization { average, none };
constexpr std::array<std::string_view, 2> choice_names(LengthNormalization) {
  return {"average", "none"};
}

enum class ZscoreMode { ema, running, code, none };
constexpr std::array<std::string_view, 4> choice_names(ZscoreMode) {
  return {"ema", "running", "code", "none"};
}

enum class MarginGradient { detach, full };
constexpr std::array<std::string_view, 2> choice_names(MarginGradient) {
  return {"detach", "full"};
}

enum class PairLossType { sigmoid, hinge, ipo };
constexpr std::array<std::string_view, 3> choice_names(PairLossType) {
  return {"sigmoid", "hinge", "ipo"};
}

// Which tokens of the chosen conversation orpo's NLL counts.
enum class NllTokens { conversation, response };
constexpr std::array<std::string_view, 2> choice_names(NllTokens) {
  return {"conversation", "response"};
}

struct ObjectiveOptions {
  double beta = 2.0;

  // The target margin, said one way or the other.
  std::optional<double> gamma = std::nullopt;             // simpo
  std::optional<double> home_advantage = std::nullopt;    // lmpo: log h
  std::optional<double> gamma_beta_ratio = std::nullopt;  // either of them as a multiple of beta

  PairLossType loss_type = PairLossType::sigmoid;
  double label_smoothing = 0;  // in [0, 0.5)
  double sft_weight = 0;
  double cpo_alpha = 1;   // cpo: weight of the NLL
  double delta = 1;       // slic: margin
  double rdpo_alpha = 0;  // rdpo: reward taken for each token of length
  NllTokens nll_on = NllTokens::conversation;
  double desirable_weight = 1;  // kto
  double undesirable_weight = 1;

  double lambda = 0.2;  // lmpo: weight of the margin; slic: of the likelihood
  Margin margin = Margin::power5;
  double margin_alpha = 1.0;
  double margin_beta = 1.0;
  double margin_scale = 1.0;
  MarginGradient margin_gradient = MarginGradient::detach;
  LengthNormalization length_normalization = LengthNormalization::average;
  ZscoreMode zscore = ZscoreMode::ema;
  double ema_decay = 0.9;         // in (0, 1)
  std::int64_t zscore_group = 8;  // pairs, at least 1
};

}  // namespace lmpo
