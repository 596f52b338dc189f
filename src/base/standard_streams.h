// Standard input, output and error as this program needs them.
#pragma once

#include <string_view>

namespace lmpo {

// Called first in main. What is closed is opened on nothing, so that no file takes its number:
// writing results to a closed standard output still fails. A reader that goes away, or a file that
// reaches the limit of sizes, is an error of the write and not a signal that ends the program.
void prepare_standard_streams();

// Text for a person on standard error. What cannot be written is lost: the terminal may be closed
// or the disk full, which no run should end of.
void put_on_standard_error(std::string_view text);

// Whether nobody can read standard output any more, as after "| head".
bool output_has_no_reader();

// Ends the program as SIGPIPE ends those that do not handle it.
[[noreturn]] void end_without_reader();

// For loops that compute what they print: ends them once nobody reads.
void require_reader();

}  // namespace lmpo
