#include "base/line_input.h"

#include <array>

#include "base/error.h"
#include "base/readable.h"

namespace lmpo {

bool LineInput::read(std::string& line) {
  line.clear();
  ++number_;
  std::array<char, 4096> piece;
  for (bool whole = false; !whole;) {
    stream_.getline(piece.data(), std::ssize(piece));
    const auto count = static_cast<std::size_t>(stream_.gcount());
    if (count == 0) {
      return false;
    }
    whole = stream_.eof() || !stream_.fail();
    line.append(piece.data(), stream_.eof() || !whole ? count : count - 1);  // without "\n"
    if (line.size() > kLongestLine) {
      user_error("{}: line {} is longer than {}; lines of text were expected", source_, number_,
                 readable_bytes(kLongestLine));
    }
    if (!whole) {
      stream_.clear();  // the piece was full
    }
  }
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return true;
}

std::vector<std::string> read_lines(std::istream& stream, const std::string& source) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  std::vector<std::string> lines;
  LineInput input(stream, source);
  std::size_t bytes = 0;
  for (std::string line; input.read(line);) {
    bytes += line.size() + sizeof(std::string);
    if (bytes > kMostBytes) {
      user_error("{}: longer than {}; split it into parts", source, readable_bytes(kMostBytes));
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace lmpo
