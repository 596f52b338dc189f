// Checks of what the machine has.
#include <fmt/format.h>

#include <algorithm>

#include "validate/checks.h"

namespace lmpo {
namespace {

// Above this part of what is free a run fits, and little else beside it.
constexpr double kTight = 0.9;
// Faster by less than this is not worth another arithmetic.
constexpr double kWorthwhile = 1.2;

// "weights 1.2 GB, gradients 1.2 GB": the largest parts of the plan.
std::string largest_parts(const MemoryPlan& plan) {
  std::vector<std::pair<std::string, std::size_t>> parts(plan.at_peak.begin(), plan.at_peak.end());
  std::ranges::stable_sort(parts, std::ranges::greater(), &decltype(parts)::value_type::second);
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, parts.size()); ++i) {
    text +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", parts[i].first, readable_bytes(parts[i].second));
  }
  return text;
}

constexpr const char* kLessMemory =
    "what helps: dtype bfloat16, recompute layers, a smaller per_device_train_batch_size with more "
    "gradient_accumulation_steps, max_pack_tokens, max_length, optim paged_adamw_32bit or "
    "adamw_8bit; lmpo plan shows what each saves";

// Processors with instructions for it differ: some multiply twice as fast, some more slowly.
void check_bfloat16(const RunFacts& facts, const MachineFacts& machine, Findings& findings) {
  if (!machine.computes_on_cpu || machine.bfloat16_rate == 0) {
    return;
  }
  const std::string measured = fmt::format(
      "products with factors in bfloat16 are {:.1f} times as fast as in float32 on this machine",
      machine.bfloat16_rate);
  if (facts.recipe.compute == "bfloat16" && machine.bfloat16_rate < 1) {
    findings.warning("bfloat16_slower", facts.where("compute"), measured,
                     "leave compute out: float32 is faster here, and more exact");
  }
  if (facts.recipe.compute == "auto" && facts.recipe.dtype == "bfloat16" &&
      machine.bfloat16_rate > kWorthwhile) {
    findings.note("bfloat16_of_weights_alone", facts.where("dtype"),
                  "weights are kept in bfloat16 (with an exact float32 master), products are "
                  "computed in float32",
                  fmt::format("compute: bfloat16; {}", measured));
  }
}

}  // namespace

void check_memory(const RunFacts& facts, Findings& findings) {
  if (!facts.memory) {
    return;
  }
  const MemoryFacts& memory = *facts.memory;
  const bool limited = facts.recipe.max_memory.count > 0;
  const std::string place = limited ? facts.where("max_memory") : memory.device;
  const std::string needed =
      fmt::format("the run needs {} of memory ({}), and {} {}", readable_bytes(memory.plan.total()),
                  largest_parts(memory.plan), readable_bytes(memory.allowed),
                  limited ? "are allowed" : "are free");
  if (memory.plan.total() > memory.allowed) {
    findings.error("memory_too_small", place, needed, kLessMemory);
    return;
  }
  if (memory.plan.host > memory.host_allowed) {
    findings.error(
        "host_memory_too_small", place,
        fmt::format("the run needs {} of the host's memory, and {} are free",
                    readable_bytes(memory.plan.host), readable_bytes(memory.host_allowed)),
        kLessMemory);
    return;
  }
  const bool tight =
      static_cast<double>(memory.plan.total()) > kTight * static_cast<double>(memory.allowed);
  findings.add({tight && !limited ? Severity::warning : Severity::note,
                tight && !limited ? "memory_tight" : "memory", place, needed,
                fmt::format("{} examples are computed at once; recomputed in backward: {}",
                            memory.computed_at_once, memory.recompute)});
}

void check_disk(const RunFacts& facts, Findings& findings) {
  if (!facts.disk) {
    return;
  }
  const DiskFacts& disk = *facts.disk;
  const std::string needed = fmt::format(
      "the run writes {} of {}{}{}, and a model of {}: {} in all, and {} are free{}",
      disk.written == 1 ? "a checkpoint" : fmt::format("{} checkpoints", disk.written),
      readable_bytes(disk.checkpoint),
      disk.most < disk.written ? fmt::format(", at most {} of them there at once", disk.most) : "",
      disk.paged > 0 ? fmt::format(", moments of {}", readable_bytes(disk.paged)) : "",
      readable_bytes(disk.model), readable_bytes(disk.needed()), readable_bytes(disk.free),
      disk.freed > 0
          ? fmt::format(" ({} more once the earlier run is removed)", readable_bytes(disk.freed))
          : "");
  const std::string place = facts.where("output_dir");
  if (disk.needed() > disk.free + disk.freed) {
    findings.error(
        "disk_too_small", place, needed,
        "what helps: save_total_limit, larger save_steps, save_strategy no, an output_dir "
        "on another disk");
  } else {
    findings.note("disk", place, needed,
                  "save_steps and save_total_limit say how many checkpoints there are");
  }
}

void check_processor(const RunFacts& facts, Findings& findings) {
  if (!facts.machine) {
    return;
  }
  const MachineFacts& machine = *facts.machine;
  if (facts.recipe.threads > machine.processors) {
    findings.warning("threads_exceed_processors", facts.where("threads"),
                     fmt::format("{} threads share {} processors, and wait for each other",
                                 facts.recipe.threads, machine.processors),
                     "leave it out: 0 takes one for each processor");
  }
  if (machine.has_unused_gpu) {
    findings.note("gpu_unused", facts.where("device"), "there is a GPU, and the run is the CPU's",
                  "leave device out, or set it to cuda");
  }
  check_bfloat16(facts, machine, findings);
}

}  // namespace lmpo
