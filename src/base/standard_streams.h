// Standard input, output and error.
#pragma once

#include <string_view>

namespace lmpo {

// Call this first in main. Opens closed streams on /dev/null, so that no file gets their numbers;
// writing to a closed standard output still fails. A closed pipe or a file that reaches its size
// limit becomes an error of the write, not a signal that ends the program.
void prepare_standard_streams();

// Writes text on standard error. If it cannot be written (terminal closed, disk full), it is lost:
// that must not end a run.
void put_on_standard_error(std::string_view text);

// Whether standard output is a pipe that nobody reads any more, as after "| head".
bool output_has_no_reader();

// Ends the program like an unhandled SIGPIPE.
[[noreturn]] void end_without_reader();

// For loops that compute what they print: ends the program once nobody reads.
void require_reader();

}  // namespace lmpo
