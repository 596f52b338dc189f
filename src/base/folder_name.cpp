#include "base/folder_name.h"

namespace lmpo {

std::string folder_name(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder / "").lexically_normal();  // ends with a slash
  return whole.parent_path().filename().string();
}

}  // namespace lmpo
