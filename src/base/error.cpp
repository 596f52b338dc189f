#include "base/error.h"

namespace lmpo {

void broken_invariant(const char* condition, const char* file, int line) {
  throw std::logic_error(
      fmt::format("internal error at {}:{}: {} does not hold", file, line, condition));
}

}  // namespace lmpo
