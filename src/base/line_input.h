// Lines of a stream, with a limit of their length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace lmpo {

// The longest line, or row of data, that is read: about 16 million tokens. A longer one is not text
// (/dev/zero, or a file that unpacks to one endless line).
inline constexpr std::size_t kLongestLine = std::size_t{64} << 20;

class LineInput {
 public:
  LineInput(std::istream& stream, std::string source)
      : stream_(stream), source_(std::move(source)) {}

  // The next line without its end ("\n" or "\r\n"); false at the end of the stream. Throws
  // UserError with source and line number if it is too long.
  bool read(std::string& line);

 private:
  std::istream& stream_;
  std::string source_;
  std::int64_t number_ = 0;
};

// All lines of the stream. Throws UserError if they take more than a gigabyte.
std::vector<std::string> read_lines(std::istream& stream, const std::string& source);

}  // namespace lmpo
