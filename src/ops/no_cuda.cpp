// Linked where the program is built without CUDA.
#include "base/error.h"
#include "ops/device.h"

namespace lmpo {

bool has_cuda() {
  return false;
}

bool cuda_is_emulated() {
  return false;
}

std::vector<std::string> cuda_devices() {
  return {};
}

std::string cuda_trouble() {
  return "";
}

std::unique_ptr<Device> make_cuda_device(int) {
  user_error(
      "this lmpo was built without CUDA. Build it where NVIDIA's toolkit is: cmake --preset cuda "
      "&& "
      "cmake --build --preset cuda");
}

}  // namespace lmpo
