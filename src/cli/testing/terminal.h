// The real program with its three standard streams on a terminal. For tests only.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/testing/program.h"

namespace lmpo {

struct Window {
  int columns = 80;
  int rows = 24;
};

class TerminalProgram {
 public:
  // Of the surroundings the input and out_to mean nothing. TERM is xterm and the locale one of
  // UTF-8 unless they say otherwise.
  TerminalProgram(const Words& arguments, Window window, Surroundings surroundings = {});
  ~TerminalProgram();  // kills it where it still runs
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  // Reads until the text was written once more than at the end of the last such call; a failure,
  // and false, where the program ended before.
  bool read_until(const std::string& text);
  // Until the program reads single keys, as at a prompt: what is typed before goes to the
  // terminal's own editing, where Ctrl-C and Ctrl-D mean something else.
  bool await_editing() const;
  // As if typed: "\x03" is Ctrl-C, "\x04" Ctrl-D, "\r" the return key.
  void type(const std::string& keys) const;
  void resize(Window window) const;
  void signal(int number) const;
  // Reads to the end; the exit code, or minus the signal.
  int wait();
  // All that was written so far.
  const std::string& written() const { return written_; }

 private:
  bool read_more();

  std::chrono::steady_clock::time_point end_;
  std::string written_;
  std::size_t seen_ = 0;
  pid_t child_ = -1;
  int terminal_ = -1;
};

// What a run that ends well writes to a terminal of this width, with line feeds alone.
std::string written_on_terminal(const Words& arguments, int columns,
                                Surroundings surroundings = {});

// What a terminal would have shown of it, line by line: without colours, and of a line that was
// drawn again and again, each state. Fails for any other command to the terminal.
std::vector<std::string> drawn_lines(const std::string& written);

}  // namespace lmpo
