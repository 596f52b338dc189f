#include "ops/device.h"

#include <charconv>
#include <mutex>

#include "base/error.h"
#include "base/log.h"

namespace lmpo {

bool has_gpu() {
  return !cuda_is_emulated() && !cuda_devices().empty();
}

std::unique_ptr<Device> open_device(std::string_view name) {
  if (name == "cpu") {
    return make_cpu_device();
  }
  if (name == "auto" && !has_gpu()) {
    if (const std::string trouble = cuda_trouble(); !trouble.empty()) {
      static std::once_flag told;  // a run opens its device more than once
      std::call_once(told, [&] { log_info("on the CPU: {}", trouble); });
    }
    return make_cpu_device();
  }
  if (name == "auto" || name == "cuda") {
    return make_cuda_device(0);
  }
  constexpr std::string_view kPrefix = "cuda:";
  int index = 0;
  if (name.starts_with(kPrefix)) {
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, index);
    if (parsed.ec == std::errc() && parsed.ptr == end && index >= 0) {
      return make_cuda_device(index);
    }
  }
  user_error("device {}: auto, cpu, cuda or cuda:NUMBER was expected", name);
}

Dtype compute_type(const Device& device, std::string_view name) {
  return name == "auto" ? device.usual_compute() : parse_dtype(name);
}

}  // namespace lmpo
