#include "inspect/checkpoint_difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "io/checkpoint.h"
#include "model/config.h"

namespace lmpo {
namespace {

constexpr std::int64_t kPiece = 1 << 20;  // elements
constexpr std::size_t kTensorsNamed = 20;

constexpr const char* kTextFiles[] = {"tokenizer.json", "tokenizer_config.json",
                                      "special_tokens_map.json", "chat_template.jinja",
                                      "generation_config.json"};

// Objects become one key for each value in them.
void flatten(const ordered_json& value, const std::string& prefix,
             std::vector<std::pair<std::string, ordered_json>>& flat) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      flatten(inner, prefix.empty() ? key : fmt::format("{}.{}", prefix, key), flat);
    }
  } else {
    flat.emplace_back(prefix, value);
  }
}

std::vector<ConfigDifference> compare_configs(const ordered_json& a, const ordered_json& b) {
  std::vector<std::pair<std::string, ordered_json>> first;
  std::vector<std::pair<std::string, ordered_json>> second;
  flatten(a, "", first);
  flatten(b, "", second);
  std::vector<ConfigDifference> differences;
  for (const auto& [key, value] : first) {
    const auto other = std::ranges::find(second, key, [](const auto& item) { return item.first; });
    const ordered_json there = other == second.end() ? ordered_json() : other->second;
    if (there != value) {
      differences.push_back({key, value, there});
    }
  }
  for (const auto& [key, value] : second) {
    if (std::ranges::count(first, key, [](const auto& item) { return item.first; }) == 0) {
      differences.push_back({key, nullptr, value});
    }
  }
  return differences;
}

bool same_file(const fs::path& a, const fs::path& b) {
  const bool there = fs::is_regular_file(a);
  return there == fs::is_regular_file(b) && (!there || read_file(a) == read_file(b));
}

// Adds what numbers differ by; the mean is still a sum.
void compare_piece(std::span<const float> a, std::span<const float> b, TensorDifference& found) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (std::isfinite(difference)) {
      found.most = std::max(found.most, difference);
      found.mean += difference;
    } else {
      ++found.not_finite;
    }
  }
}

TensorDifference compare_numbers(const TensorView& a, const TensorView& b) {
  TensorDifference found{.name = a.name, .why = ""};
  if (a.dtype == b.dtype && std::ranges::equal(a.bytes, b.bytes)) {
    return found;
  }
  std::vector<float> first(static_cast<std::size_t>(std::min(a.elements(), kPiece)));
  std::vector<float> second(first.size());
  for (std::int64_t begin = 0; begin < a.elements(); begin += kPiece) {
    const auto size = static_cast<std::size_t>(std::min(kPiece, a.elements() - begin));
    read_as_float(a, begin, std::span(first).first(size));
    read_as_float(b, begin, std::span(second).first(size));
    compare_piece(std::span(first).first(size), std::span(second).first(size), found);
  }
  const std::int64_t finite = a.elements() - found.not_finite;
  found.mean /= static_cast<double>(std::max<std::int64_t>(finite, 1));
  return found;
}

TensorDifference compare_tensor(const std::string& name, const Checkpoint& first,
                                const Checkpoint& second) {
  const StoredTensor* a = first.find(name);
  const StoredTensor* b = second.find(name);
  if (a == nullptr || b == nullptr) {
    return {.name = name, .why = a == nullptr ? "only in the second" : "only in the first"};
  }
  if (a->shape != b->shape) {
    return {.name = name,
            .why = fmt::format("[{}] in the first, [{}] in the second", fmt::join(a->shape, ", "),
                               fmt::join(b->shape, ", "))};
  }
  TensorDifference found = compare_numbers(first.tensor(name), second.tensor(name));
  first.forget(name);
  second.forget(name);
  return found;
}

}  // namespace

CheckpointDifference checkpoint_difference(const fs::path& first, const fs::path& second) {
  CheckpointDifference result;
  result.first = first.string();
  result.second = second.string();
  result.config =
      compare_configs(read_model_config(first).original, read_model_config(second).original);
  for (const char* name : kTextFiles) {
    if (!same_file(first / name, second / name)) {
      result.files.emplace_back(name);
    }
  }
  const Checkpoint a = Checkpoint::open(first);
  const Checkpoint b = Checkpoint::open(second);
  std::set<std::string> names;
  for (const Checkpoint* checkpoint : {&a, &b}) {
    const std::vector<std::string> own = checkpoint->names();
    names.insert(own.begin(), own.end());
  }
  for (const std::string& name : names) {
    TensorDifference found = compare_tensor(name, a, b);
    if (found.why.empty() && found.most == 0 && found.not_finite == 0) {
      ++result.equal_tensors;
    } else {
      result.tensors.push_back(std::move(found));
    }
  }
  std::ranges::stable_sort(result.tensors, [](const auto& x, const auto& y) {
    return x.why.empty() == y.why.empty() ? x.most > y.most : !x.why.empty();
  });
  return result;
}

ordered_json to_json(const CheckpointDifference& difference) {
  ordered_json config = ordered_json::array();
  for (const ConfigDifference& each : difference.config) {
    config.push_back({{"key", each.key}, {"first", each.first}, {"second", each.second}});
  }
  ordered_json tensors = ordered_json::array();
  for (const TensorDifference& each : difference.tensors) {
    if (!each.why.empty()) {
      tensors.push_back({{"name", each.name}, {"why", each.why}});
    } else {
      tensors.push_back({{"name", each.name},
                         {"max_difference", each.most},
                         {"mean_difference", each.mean},
                         {"not_finite", each.not_finite}});
    }
  }
  return {{"first", difference.first},
          {"second", difference.second},
          {"config", std::move(config)},
          {"files", difference.files},
          {"equal_tensors", difference.equal_tensors},
          {"tensors", std::move(tensors)}};
}

void print(const CheckpointDifference& difference, TerminalText& out) {
  const auto text = [](const ordered_json& value) {
    return value.is_null() ? std::string("not set") : value.dump();
  };
  out.heading(fmt::format("{} compared with {}", difference.first, difference.second));
  for (const ConfigDifference& each : difference.config) {
    out.prose(fmt::format("config.json: {} is {} in the first, {} in the second", each.key,
                          text(each.first), text(each.second)));
  }
  for (const std::string& file : difference.files) {
    out.prose(fmt::format("{} differs", file));
  }
  if (difference.config.empty() && difference.files.empty()) {
    out.prose("configuration, tokenizer and template are equal");
  }
  out.prose(fmt::format("{} tensors are equal, {} differ{}", difference.equal_tensors,
                        difference.tensors.size(),
                        difference.tensors.empty() ? "" : "; differences of their weights:"));
  const std::size_t shown = std::min(difference.tensors.size(), kTensorsNamed);
  for (const TensorDifference& each : std::span(difference.tensors).first(shown)) {
    out.prose(
        each.why.empty()
            ? fmt::format(
                  "  {}: at most {:.3g}, on average {:.3g}{}", each.name, each.most, each.mean,
                  each.not_finite > 0 ? fmt::format(", {} not finite", each.not_finite) : "")
            : fmt::format("  {}: {}", each.name, each.why),
        Ink::plain, 4);
  }
  if (shown < difference.tensors.size()) {
    out.prose(fmt::format("  and {} with smaller differences; --json lists all",
                          difference.tensors.size() - shown));
  }
}

}  // namespace lmpo
