#include "train/memory_plan.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/machine_memory.h"
#include "tensor/arena.h"

namespace lmpo {
namespace {

std::size_t allowed_memory(const Device& device, std::size_t limit) {
  return limit > 0 ? limit : device.available_memory();
}

// Of moments in a file, those of one parameter are in memory at a time.
std::size_t largest_moments(const Weights& weights) {
  std::size_t largest = 0;
  for (const Parameter& parameter : weights.trained()) {
    largest =
        std::max(largest, parameter.moment1.values.bytes() + parameter.moment2.values.bytes());
  }
  return largest;
}

}  // namespace

void LargestPacks::add(std::span<const Tree* const> batch, const PackLimits& limits) {
  std::vector<PackSize> sizes;
  for (const Tree* tree : batch) {
    sizes.push_back(size_of(*tree));
  }
  add(batch, sizes, limits);
}

void LargestPacks::add(std::span<const Tree* const> batch, std::span<const PackSize> sizes,
                       const PackLimits& limits) {
  std::vector<std::int64_t> tokens;
  for (const PackSize& size : sizes) {
    tokens.push_back(size.tokens);
  }
  for (const PackIndices& indices : cut_into_packs(tokens, limits.micro_batch, limits.max_tokens)) {
    PackSize size;
    for (const std::size_t index : indices) {
      size.add(sizes[index]);
    }
    if (takes(size)) {
      packs_.push_back(at_indices(batch, indices));
    }
  }
}

void LargestPacks::add_pack(const Trees& pack) {
  PackSize size;
  for (const Tree* tree : pack) {
    size.add(size_of(*tree));
  }
  if (takes(size)) {
    packs_.push_back(pack);
  }
}

bool LargestPacks::takes(const PackSize& size) {
  constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max();
  if (std::max(size.tokens, size.targets) > kMostTokens) {
    user_error(
        "a pack has {} tokens, and at most {} are possible: choose a smaller "
        "--per_device_train_batch_size, --per_device_eval_batch_size or --max_pack_tokens",
        std::max(size.tokens, size.targets), kMostTokens);
  }
  if (std::ranges::any_of(sizes_, [&](const PackSize& kept) { return kept.covers(size); })) {
    return false;
  }
  for (std::size_t i = sizes_.size(); i-- > 0;) {
    if (size.covers(sizes_[i])) {
      sizes_.erase(sizes_.begin() + static_cast<std::ptrdiff_t>(i));
      packs_.erase(packs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  sizes_.push_back(size);
  return true;
}

std::string MemoryPlan::table() const {
  std::vector<std::pair<std::string, std::size_t>> lines(at_peak.begin(), at_peak.end());
  std::ranges::stable_sort(lines, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [group, bytes] : lines) {
    if (bytes > 0) {
      text += fmt::format("  {:<28}{:>12}\n", group, readable_bytes(bytes));
    }
  }
  if (fixed > 0) {
    text += fmt::format("  {:<28}{:>12}\n", "program, data, libraries", readable_bytes(fixed));
  }
  text += fmt::format("  {:<28}{:>12}\n", "total", readable_bytes(total()));
  if (disk > 0) {
    text += fmt::format("  {:<28}{:>12}\n", "moments, on disk", readable_bytes(disk));
  }
  if (host > 0) {
    text += fmt::format("  {:<28}{:>12}\n", "in the host's memory", readable_bytes(host));
  }
  return text;
}

MemoryPlan plan_memory(const ModelConfig& config, const StoragePlan& storage,
                       const LanguageModelOptions& options, const LargestPacks& training,
                       const LargestPacks& evaluation, const Ops& ops, std::size_t beside,
                       const EngineSize& samples) {
  Arena arena = Arena::counting();
  const std::unique_ptr<Ops> plan_ops = make_plan_ops(ops);
  Arena moments = Arena::counting();
  Arena master = Arena::counting();
  Weights weights(config, storage.weights, WeightUse::training, arena,
                  storage.optimizer(&moments, &master));
  LanguageModel model(weights, *plan_ops, arena, options);
  for (const auto& trees : training.packs()) {
    model.train(make_pack(trees), [](std::span<const double>, std::span<double>) {});
  }
  for (const auto& trees : evaluation.packs()) {
    const Pack pack = make_pack(trees);
    std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
    model.score(pack, sums);
  }
  count_generation(samples, weights, *plan_ops, arena);
  const bool in_file = storage.moments == Place::file;
  return {.arena = arena.peak(),
          .at_peak = arena.at_peak(),
          .fixed = beside + plan_ops->planned_scratch() + (in_file ? largest_moments(weights) : 0),
          .disk = in_file ? moments.peak() : 0,
          .host = (in_file ? 0 : moments.peak()) + master.peak()};
}

bool fits_in_memory(const MemoryPlan& plan, const Device& device, std::size_t limit) {
  return plan.total() <= allowed_memory(device, limit) && plan.host <= available_memory();
}

void require_memory(const MemoryPlan& plan, const Device& device, std::size_t limit) {
  if (fits_in_memory(plan, device, limit)) {
    return;
  }
  if (plan.host > available_memory()) {
    user_error("the run needs {} of the host's memory, and {} are free:\n{}",
               readable_bytes(plan.host), readable_bytes(available_memory()), plan.table());
  }
  user_error(
      "the run needs {} of memory{}, and {} {}:\n{}Smaller: --dtype bfloat16, "
      "--recompute layers, a smaller --per_device_train_batch_size (with more "
      "--gradient_accumulation_steps, for the same result), --max_pack_tokens, --max_length, "
      "--optim "
      "paged_adamw_32bit or adamw_8bit",
      readable_bytes(plan.total()), device.is_cpu() ? "" : " of " + device.name(),
      readable_bytes(allowed_memory(device, limit)),
      limit > 0 ? "are allowed by --max_memory" : "are free", plan.table());
}

}  // namespace lmpo
