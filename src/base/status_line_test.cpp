// What a person sees on a terminal while a program works.
#include "base/status_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/log.h"

namespace lmpo::status_line_test {
namespace {

// Standard error as a terminal, for one test.
class StatusLines : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TERM", "xterm", 1);
    ::setenv("NO_COLOR", "1", 1);
    master_ = Descriptor(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(master_.is_open() && ::grantpt(master_.get()) == 0 &&
                ::unlockpt(master_.get()) == 0);
    terminal_ = Descriptor(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal_.is_open());
    before_ = Descriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    ::dup2(terminal_.get(), STDERR_FILENO);
  }
  void TearDown() override { ::dup2(before_.get(), STDERR_FILENO); }

  // The lines of the screen after what was written: "\r" goes back, "\x1b[K" clears from there on.
  std::vector<std::string> screen() {
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(master_.get(), buffer, sizeof buffer)) > 0;) {
      written_.append(buffer, static_cast<std::size_t>(got));
    }
    std::vector<std::string> lines(1);
    std::size_t column = 0;
    for (std::size_t i = 0; i < written_.size(); ++i) {
      if (written_[i] == '\n') {
        lines.emplace_back();
      } else if (written_[i] == '\r') {
        column = 0;
      } else if (written_.compare(i, 3, "\x1b[K") == 0) {
        lines.back().resize(column);
        i += 2;
      } else {
        lines.back().resize(std::max(lines.back().size(), column + 1));
        lines.back()[column++] = written_[i];
      }
    }
    return lines;
  }

 private:
  Descriptor master_;
  Descriptor terminal_;
  Descriptor before_;
  std::string written_;
};

using Lines = std::vector<std::string>;

TEST_F(StatusLines, MessagesAppearAboveTheMovingLine) {
  {
    StatusLine line(true);
    ASSERT_TRUE(line.is_visible());
    line.show("step 10 of 100");
    EXPECT_EQ(screen(), (Lines{"step 10 of 100"}));
    line.show("step 9");
    EXPECT_EQ(screen(), (Lines{"step 9"}));
    print_line("a message");
    log_warning("careful {}", 1);
    EXPECT_EQ(screen(), (Lines{"a message", "warning: careful 1", "step 9"}));
    {
      StatusLine other(true);
      other.show("loading");
      EXPECT_EQ(screen().back(), "loading");
      line.clear();  // is not what is seen
      EXPECT_EQ(screen().back(), "loading");
    }
    EXPECT_EQ(screen().back(), "");
    line.show("step 11");
  }
  print_line("the end");
  EXPECT_EQ(screen(), (Lines{"a message", "warning: careful 1", "the end", ""}));
}

TEST_F(StatusLines, OneThatIsNotWantedOrCannotBeRedrawnShowsNothing) {
  StatusLine unwanted(false);
  ::setenv("TERM", "dumb", 1);
  StatusLine dumb(true);
  for (StatusLine* line : {&unwanted, &dumb}) {
    EXPECT_FALSE(line->is_visible());
    line->show("text");
  }
  print_line("only this");
  EXPECT_EQ(screen(), (Lines{"only this", ""}));
}

TEST_F(StatusLines, AMessageDoesNotCommandTheTerminal) {
  log_info("file \x1b[2J.json");
  EXPECT_EQ(screen(), (Lines{"info: file \\x1b[2J.json", ""}));
}

}  // namespace
}  // namespace lmpo::status_line_test
