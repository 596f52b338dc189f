#include "evaluate/wiki_how.h"

#include "jinja/text_functions.h"

namespace lmpo {

std::string without_wiki_how_marks(std::string_view text) {
  const std::string titled =
      jinja::replace(jinja::strip(text, {}, true, true), " [title]", ". ", -1);
  std::string kept;
  for (std::size_t at = 0; at < titled.size();) {
    // A mark ends at the first bracket after it, in the same line.
    const std::size_t end = titled[at] == '[' ? titled.find_first_of("]\n", at) : std::string::npos;
    if (end != std::string::npos && titled[end] == ']') {
      at = end + 1;
    } else {
      kept += titled[at++];
    }
  }
  return jinja::replace(kept, "  ", " ", -1);
}

}  // namespace lmpo
