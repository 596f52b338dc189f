#include "cli/commands.h"

namespace lmpo {

int run_env(const std::vector<std::string>&) { return 0; }

}  // namespace lmpo
