// A terminal for tests of what programs show on one.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/file.h"

namespace lmpo {

// A terminal of its own for the program's standard output.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(unsigned short columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    ::grantpt(master_);
    ::unlockpt(master_);
    slave_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    const winsize size = {.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(slave_, TIOCSWINSZ, &size);
    reader_ = std::thread([this] {
      std::array<char, 4096> buffer{};
      for (ssize_t got = 0; (got = ::read(master_, buffer.data(), buffer.size())) > 0;) {
        text_.append(buffer.data(), static_cast<std::size_t>(got));
      }
    });
  }
  ~PseudoTerminal() {
    if (reader_.joinable()) {
      text();
    }
    ::close(master_);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  fs::path path() const { return ::ptsname(master_); }
  // All that was written, after the last writer is gone.
  const std::string& text() {
    ::close(slave_);
    reader_.join();
    std::erase(text_, '\r');  // the terminal's own
    return text_;
  }

 private:
  int master_;
  int slave_ = -1;
  std::string text_;
  std::thread reader_;
};

}  // namespace lmpo
