// Checks of memory, disk and processors.
#include <fmt/format.h>

#include <algorithm>

#include "validate/checks.h"

namespace lmpo {
namespace {

// A run that needs more than this share of the free memory leaves little for other programs.
constexpr double kTight = 0.9;
// A smaller speed-up is not worth the lower precision.
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
    "to save memory: dtype bfloat16, recompute layers, a smaller per_device_train_batch_size with "
    "more "
    "gradient_accumulation_steps, max_pack_tokens, max_length, optim paged_adamw_32bit or "
    "adamw_8bit; lmpo plan shows what each saves";

// With bfloat16 instructions some processors multiply twice as fast, others more slowly.
void check_bfloat16(const RunFacts& facts, const MachineFacts& machine, Findings& findings) {
  if (!machine.computes_on_cpu || machine.bfloat16_rate == 0) {
    return;
  }
  const std::string measured = fmt::format(
      "bfloat16 matrix products are {:.1f} times as fast as float32 ones on this machine",
      machine.bfloat16_rate);
  if (facts.recipe.compute == "bfloat16" && machine.bfloat16_rate < 1) {
    findings.warning("bfloat16_slower", facts.where("compute"), measured,
                     "remove compute: float32 is faster here, and more precise");
  }
  if (facts.recipe.compute == "auto" && facts.recipe.dtype == "bfloat16" &&
      machine.bfloat16_rate > kWorthwhile) {
    findings.note("bfloat16_of_weights_alone", facts.where("dtype"),
                  "weights are stored in bfloat16 (with a float32 master); matrix products are "
                  "computed in float32",
                  fmt::format("for speed set compute: bfloat16; {}", measured));
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
      fmt::format("the run needs {} of memory ({}); {} {}", readable_bytes(memory.plan.total()),
                  largest_parts(memory.plan), readable_bytes(memory.allowed),
                  limited ? "are allowed" : "are free");
  if (memory.plan.total() > memory.allowed) {
    findings.error("memory_too_small", place, needed, kLessMemory);
    return;
  }
  if (memory.plan.host > memory.host_allowed) {
    findings.error(
        "host_memory_too_small", place,
        fmt::format("the run needs {} of host memory; {} are free",
                    readable_bytes(memory.plan.host), readable_bytes(memory.host_allowed)),
        kLessMemory);
    return;
  }
  const bool tight =
      static_cast<double>(memory.plan.total()) > kTight * static_cast<double>(memory.allowed);
  findings.add(
      {tight && !limited ? Severity::warning : Severity::note,
       tight && !limited ? "memory_tight" : "memory", place, needed,
       fmt::format("micro-batch of {} example{}; recomputed in the backward pass: {}",
                   memory.micro_batch, memory.micro_batch == 1 ? "" : "s", memory.recompute)});
}

void check_disk(const RunFacts& facts, Findings& findings) {
  if (!facts.disk) {
    return;
  }
  const DiskFacts& disk = *facts.disk;
  const std::string needed = fmt::format(
      "the run writes {} of {}{}{} and a model of {}: {} in total; {} are free{}",
      disk.written == 1 ? "a checkpoint" : fmt::format("{} checkpoints", disk.written),
      readable_bytes(disk.checkpoint),
      disk.most < disk.written ? fmt::format(", at most {} of them at a time", disk.most) : "",
      disk.paged > 0 ? fmt::format(", moments of {}", readable_bytes(disk.paged)) : "",
      readable_bytes(disk.model), readable_bytes(disk.needed()), readable_bytes(disk.free),
      disk.freed > 0
          ? fmt::format(" ({} more after the earlier run is removed)", readable_bytes(disk.freed))
          : "");
  const std::string place = facts.where("output_dir");
  if (disk.needed() > disk.free + disk.freed) {
    findings.error(
        "disk_too_small", place, needed,
        "to save space: save_total_limit, larger save_steps, save_strategy no, or an output_dir "
        "on another disk");
  } else {
    findings.note("disk", place, needed,
                  "save_steps and save_total_limit set the number of checkpoints");
  }
}

void check_processor(const RunFacts& facts, Findings& findings) {
  if (!facts.machine) {
    return;
  }
  const MachineFacts& machine = *facts.machine;
  if (facts.recipe.threads > machine.processors) {
    findings.warning(
        "threads_exceed_processors", facts.where("threads"),
        fmt::format("{} threads share {} processor{} and wait for each other", facts.recipe.threads,
                    machine.processors, machine.processors == 1 ? "" : "s"),
        "remove it: by default there is one thread per processor");
  }
  if (machine.has_unused_gpu) {
    findings.note("gpu_unused", facts.where("device"),
                  "this machine has a GPU, but the run uses the CPU",
                  "remove device, or set it to cuda");
  }
  check_bfloat16(facts, machine, findings);
}

}  // namespace lmpo
