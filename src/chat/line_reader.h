// Lines that a person types, or that come through a pipe.
#pragma once

#include <memory>
#include <string>

#include "base/file.h"

namespace lmpo {

struct ReadLine {
  enum class Kind { line, interrupted, end };
  Kind kind = Kind::end;
  std::string text = "";
};

class LineReader {
 public:
  virtual ~LineReader() = default;
  // Shows the prompt where there is someone to see it. Interrupted: by Ctrl-C, on a terminal.
  virtual ReadLine read() = 0;
};

// On a terminal: with editing and a history, where the program was built with them. The history is
// kept in the file; "" keeps none.
std::unique_ptr<LineReader> make_line_reader(const std::string& prompt, const fs::path& history);

// Null where the program was built without editing.
std::unique_ptr<LineReader> make_edited_line_reader(const std::string& prompt,
                                                    const fs::path& history);

}  // namespace lmpo
