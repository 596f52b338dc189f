#include "chat/line_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/line_input.h"
#include "base/standard_streams.h"
#include "base/terminal.h"

namespace lmpo {
namespace {

class PlainLineReader : public LineReader {
 public:
  explicit PlainLineReader(std::string prompt) : prompt_(std::move(prompt)) {}

  ReadLine read() override {
    put_on_standard_error(prompt_);  // standard output may be a file
    std::string line;
    if (!input_.read(line)) {
      return {};
    }
    return {.kind = ReadLine::Kind::line, .text = line};
  }

 private:
  std::string prompt_;
  LineInput input_{std::cin, "standard input"};
};

}  // namespace

std::unique_ptr<LineReader> make_line_reader(const std::string& prompt, const fs::path& history) {
  if (!is_terminal(STDIN_FILENO)) {
    return std::make_unique<PlainLineReader>("");
  }
  if (can_redraw(STDOUT_FILENO)) {
    if (auto edited = make_edited_line_reader(prompt, history)) {
      return edited;
    }
  }
  return std::make_unique<PlainLineReader>(prompt);
}

}  // namespace lmpo
