#include "base/line_input.h"

#include "base/error.h"
#include "base/readable.h"

namespace lmpo {

bool LineInput::read(std::string& line) {
  using Traits = std::istream::traits_type;
  line.clear();
  ++number_;
  std::streambuf& buffer = *stream_.rdbuf();
  Traits::int_type next = buffer.sbumpc();
  if (Traits::eq_int_type(next, Traits::eof())) {
    return false;
  }
  for (; !Traits::eq_int_type(next, Traits::eof()) && next != '\n'; next = buffer.sbumpc()) {
    if (line.size() == kLongestLine) {
      user_error("{}: line {} is longer than {}; lines of text were expected", source_, number_,
                 readable_bytes(kLongestLine));
    }
    line += Traits::to_char_type(next);
  }
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return true;
}

}  // namespace lmpo
