#include "convert/gguf_rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "model/config_reader.h"

namespace lmpo {
namespace {

constexpr const char* kDivisors = "rope_freqs.weight";
constexpr double kUsualTheta = 10000;  // llama.cpp's where the key is absent

constexpr auto kRopeKeys = std::to_array<std::string_view>(
    {"rope.freq_base", "rope.freq_base_swa", "rope.dimension_count", "rope.scale_linear",
     "rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length",
     "rope.scaling.attn_factor", "rope.scaling.finetuned", "rope.scaling.yarn_beta_fast",
     "rope.scaling.yarn_beta_slow", "rope.scaling.yarn_attn_factor", "rope.scaling.yarn_ext_factor",
     "rope.scaling.yarn_log_multiplier", "attention.temperature_scale"});

// Llama 3's scaling (transformers' modeling_rope_utils.py) with the settings that all its models
// share: waves longer than the old context turn `factor` times slower, waves shorter than a quarter
// of it as before.
struct Llama3Scaling {
  static constexpr double kLow = 1;   // low_freq_factor
  static constexpr double kHigh = 4;  // high_freq_factor

  double factor = 1;
  double old_context = 0;

  double divisor(double frequency) const {
    const double waves = old_context * frequency / (2 * std::numbers::pi);  // in the old context
    const double smooth = std::clamp((waves - kLow) / (kHigh - kLow), 0.0, 1.0);
    return 1 / ((1 - smooth) / factor + smooth);
  }
};

class RopeReader {
 public:
  RopeReader(const GgufFile& file, std::string_view architecture, std::int64_t head_size,
             ordered_json& config)
      : file_(file), architecture_(architecture), head_size_(head_size), config_(config) {}

  void read() {
    theta_ = real("rope.freq_base").value_or(kUsualTheta);
    config_["rope_theta"] = gguf_decimal(theta_);
    columns_ = file_.keys().find<std::int64_t>(full("rope.dimension_count")).value_or(head_size_);
    if (columns_ != head_size_) {
      config_["partial_rotary_factor"] =
          static_cast<double>(columns_) / static_cast<double>(head_size_);
    }
    if (architecture_ == "phi3") {
      config_["original_max_position_embeddings"] = original_positions();
    }
    ordered_json scaling = read_scaling();
    if (architecture_ == "mistral3") {
      put_ministral3(std::move(scaling));
    } else if (architecture_ == "olmo2" && config_["model_type"] == "olmo3") {
      put_olmo3(scaling);
    } else if (!scaling.is_null()) {
      config_["rope_scaling"] = std::move(scaling);
    }
  }

 private:
  std::string full(std::string_view key) const { return fmt::format("{}.{}", architecture_, key); }
  std::optional<double> real(std::string_view key) const {
    return file_.keys().find<double>(full(key));
  }
  std::int64_t original_positions() const {
    return file_.keys()
        .find<std::int64_t>(full("rope.scaling.original_context_length"))
        .value_or(config_["max_position_embeddings"].get<std::int64_t>());
  }

  ordered_json read_scaling() const {
    if (file_.find("rope_factors_long.weight") != nullptr) {
      return longrope();
    }
    if (file_.find(kDivisors) != nullptr) {
      return llama3();
    }
    const std::string key = full("rope.scaling.type");
    const auto type = file_.keys().find<std::string>(key).value_or("linear");
    const double factor =
        real("rope.scaling.factor").value_or(real("rope.scale_linear").value_or(1));
    if (type == "yarn") {
      return yarn(factor);
    }
    if (type != "linear" && type != "none" && type != "longrope") {
      user_error("{}: key '{}': '{}' is not known; none, linear, yarn and longrope are",
                 file_.path().string(), key, type);
    }
    const bool none = type != "linear" || factor == 1 || factor == 0;
    return none ? ordered_json()
                : ordered_json{{"rope_type", type}, {"factor", gguf_decimal(factor)}};
  }

  ordered_json yarn(double factor) const {
    const double extrapolation = real("rope.scaling.yarn_ext_factor").value_or(1);
    if (extrapolation != 1) {
      user_error("{}: key '{}': {} is not supported; 1 is", file_.path().string(),
                 full("rope.scaling.yarn_ext_factor"), extrapolation);
    }
    ordered_json scaling = {{"rope_type", "yarn"},
                            {"factor", gguf_decimal(factor)},
                            {"original_max_position_embeddings", original_positions()}};
    for (const auto& [key, name] :
         {std::pair("rope.scaling.yarn_beta_fast", "beta_fast"),
          std::pair("rope.scaling.yarn_beta_slow", "beta_slow"),
          std::pair("rope.scaling.yarn_attn_factor", "attention_factor")}) {
      if (const auto value = real(key)) {
        scaling[name] = gguf_decimal(*value);
      }
    }
    if (const auto part = real("rope.scaling.attn_factor")) {  // of what yarn multiplies by itself
      const double usual = factor <= 1 ? 1 : 0.1 * std::log(factor) + 1;
      scaling["attention_factor"] = shortest(static_cast<float>(*part * usual));
    }
    return scaling;
  }

  // Ministral 3 has one more setting of yarn's cosines, and queries that grow with their position.
  void put_ministral3(ordered_json scaling) {
    if (scaling.is_null()) {
      user_error("{}: key '{}': yarn was expected, as Ministral 3 has it", file_.path().string(),
                 full("rope.scaling.type"));
    }
    scaling["rope_theta"] = config_["rope_theta"];
    if (const auto multiplier = real("rope.scaling.yarn_log_multiplier")) {
      scaling["mscale"] = 1.0;
      scaling["mscale_all_dim"] = gguf_decimal(*multiplier);
    }
    scaling["llama_4_scaling_beta"] =
        gguf_decimal(file_.keys().at<double>(full("attention.temperature_scale")));
    config_["rope_parameters"] = std::move(scaling);
  }

  // OLMo 3's layers with a window are never stretched.
  void put_olmo3(const ordered_json& scaling) {
    ordered_json full_table = scaling.is_null() ? ordered_json{{"rope_type", "default"}} : scaling;
    full_table["rope_theta"] = config_["rope_theta"];
    const double window_theta = real("rope.freq_base_swa").value_or(theta_);
    config_["rope_parameters"] = {
        {"full_attention", std::move(full_table)},
        {"sliding_attention",
         {{"rope_type", "default"}, {"rope_theta", gguf_decimal(window_theta)}}}};
  }

  std::vector<float> factors(const char* name) const {
    const StoredGgufTensor* tensor = file_.find(name);
    if (tensor == nullptr || tensor->shape != std::vector{columns_ / 2}) {
      user_error("{}: a tensor '{}' of {} values was expected", file_.path().string(), name,
                 columns_ / 2);
    }
    std::vector<float> values(static_cast<std::size_t>(columns_ / 2));
    file_.read(name, 0, values);
    return values;
  }

  ordered_json longrope() const {
    ordered_json scaling = {{"rope_type", "longrope"}};
    for (const auto& [name, key] : {std::pair("rope_factors_short.weight", "short_factor"),
                                    std::pair("rope_factors_long.weight", "long_factor")}) {
      for (const float factor : factors(name)) {
        scaling[key].push_back(gguf_decimal(static_cast<double>(factor)));
      }
    }
    // transformers computes this factor from the two lengths; llama.cpp reads it.
    const auto length = static_cast<double>(config_["max_position_embeddings"].get<std::int64_t>());
    const auto original = static_cast<double>(original_positions());
    const double usual =
        length <= original ? 1 : std::sqrt(1 + std::log(length / original) / std::log(original));
    const double factor = real("rope.scaling.attn_factor").value_or(1);
    if (std::fabs(factor - usual) > 1e-6 * usual) {
      scaling["attention_factor"] = gguf_decimal(factor);
    }
    scaling["original_max_position_embeddings"] = original_positions();
    return scaling;
  }

  ordered_json llama3() const {
    const std::vector<float> divisors = factors(kDivisors);
    const double factor = static_cast<double>(*std::ranges::max_element(divisors));
    for (const std::int64_t context : old_contexts()) {
      const Llama3Scaling scaling{factor, static_cast<double>(context)};
      if (fits(scaling, divisors)) {
        return {{"rope_type", "llama3"},
                {"factor", gguf_decimal(factor)},
                {"low_freq_factor", Llama3Scaling::kLow},
                {"high_freq_factor", Llama3Scaling::kHigh},
                {"original_max_position_embeddings", context}};
      }
    }
    user_error(
        "{}: tensor '{}': its divisors are not those of Llama 3's scaling with low_freq_factor 1, "
        "high_freq_factor 4 and an original context that is a power of two",
        file_.path().string(), kDivisors);
  }

  // Few frequencies may fit several. Llama 3's own comes first, unless the model's whole context is
  // no longer.
  std::vector<std::int64_t> old_contexts() const {
    constexpr std::int64_t kUsual = 8192;
    std::vector<std::int64_t> contexts;
    if (config_["max_position_embeddings"].get<std::int64_t>() > kUsual) {
      contexts.push_back(kUsual);
    }
    for (std::int64_t context = 16; context <= (1 << 20); context *= 2) {
      contexts.push_back(context);
    }
    return contexts;
  }

  bool fits(const Llama3Scaling& scaling, const std::vector<float>& divisors) const {
    constexpr double kTolerance = 1e-4;
    for (std::size_t i = 0; i < divisors.size(); ++i) {
      const double turn = -2 * static_cast<double>(i) / static_cast<double>(columns_);
      const double expected = scaling.divisor(std::pow(theta_, turn));
      if (std::fabs(static_cast<double>(divisors[i]) - expected) > kTolerance * expected) {
        return false;
      }
    }
    return true;
  }

  const GgufFile& file_;
  std::string_view architecture_;
  std::int64_t head_size_;
  ordered_json& config_;
  double theta_ = kUsualTheta;
  std::int64_t columns_ = 0;  // R, those that turn
};

}  // namespace

bool is_gguf_rope_key(std::string_view key) {
  return std::ranges::find(kRopeKeys, key) != kRopeKeys.end();
}

void put_gguf_rope(const GgufFile& file, std::string_view architecture, std::int64_t head_size,
                   ordered_json& config) {
  RopeReader(file, architecture, head_size, config).read();
}

double gguf_decimal(double number) {
  const auto single = static_cast<float>(number);
  return static_cast<double>(single) == number ? shortest(single) : number;
}

}  // namespace lmpo
