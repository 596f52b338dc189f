// Of a program that was built without libedit.
#include "chat/line_reader.h"

namespace lmpo {

std::unique_ptr<LineReader> make_edited_line_reader(const std::string&, const fs::path&) {
  return nullptr;
}

}  // namespace lmpo
