#include "base/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

#include "base/log.h"

namespace lmpo::progress_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(ReadableTime, AsPythonPrintsIt) {
  EXPECT_EQ(readable_time(0), "0:00:00");
  EXPECT_EQ(readable_time(83.9), "0:01:23");
  EXPECT_EQ(readable_time(3600 * 25 + 61), "1 day, 1:01:01");
  EXPECT_EQ(readable_time(86400 * 12 + 59), "12 days, 0:00:59");
  EXPECT_EQ(readable_time(-1), "0:00:00");
}

TEST(Progress, PlainLinesWhereThereIsNoTerminal) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress({.total = 3});
    progress.step(8, 100, {"loss 1"});
    progress.line("step 1/3");
    progress.step(8, 100, {"loss 0.5"});
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "step 1/3\n");
}

TEST(Progress, FieldsAreWrappedBetweenThem) {
  const std::vector<std::string> fields = {"step 3/9", "loss 0.5", "kl 0.25", "1 pairs/s"};
  EXPECT_EQ(wrapped_fields(fields, 80), "step 3/9  loss 0.5  kl 0.25  1 pairs/s");
  EXPECT_EQ(wrapped_fields(fields, 27), "step 3/9  loss 0.5  kl 0.25\n    1 pairs/s");
  EXPECT_EQ(wrapped_fields(fields, 26), "step 3/9  loss 0.5\n    kl 0.25  1 pairs/s");
  EXPECT_EQ(wrapped_fields(fields, 1), "step 3/9\n    loss 0.5\n    kl 0.25\n    1 pairs/s");
  EXPECT_EQ(wrapped_fields({}, 80), "");
  // What is not a terminal gets at most 120 columns.
  ::testing::internal::CaptureStderr();
  Progress({.total = 3}).fields(std::vector<std::string>(30, "rewards/margins 0.125"));
  std::istringstream lines(::testing::internal::GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(line.size(), 120u);
  }
  EXPECT_EQ(count, 6);
}

// Standard error as a pipe.
class Pipe {
 public:
  Pipe() : saved_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[1]);
      end_ = ends[0];
    }
  }
  ~Pipe() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(end_);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // What was written up to this text, which is waited for.
  std::string read_until(const std::string& text) {
    pollfd ready{.fd = end_, .events = POLLIN, .revents = 0};
    std::size_t at = 0;
    while ((at = read_.find(text)) == std::string::npos && ::poll(&ready, 1, 60'000) == 1) {
      std::array<char, 4096> piece{};
      const auto count = ::read(end_, piece.data(), piece.size());
      read_.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    const std::string before = read_.substr(0, at);
    read_.erase(0, at == std::string::npos ? at : at + text.size());
    return before;
  }

 private:
  int saved_;
  int end_ = -1;
  std::string read_;
};

// Without a terminal: after each silence a line says where it is, also within a step that is long.
TEST(Progress, SpeaksAfterASilence) {
  constexpr std::chrono::milliseconds kSilence{2};
  Pipe pipe;
  Progress progress({.what = "training", .total = 3, .silence = kSilence});
  EXPECT_EQ(pipe.read_until("training 0/3\n"), "");
  {
    const Progress inner({.what = "evaluation", .total = 9, .silence = kSilence});
    pipe.read_until("evaluation 0/9\n");
    EXPECT_EQ(pipe.read_until("evaluation 0/9\n"), "");  // the outer one is silent
  }
  progress.step(8, 100, {"loss 1"});
  progress.within("pack 2/4");
  pipe.read_until("\ntraining 1/3 pack 2/4 loss 1 ");
}

// What is written to standard error is worth less than a run.
TEST(Progress, ALineThatCannotBeWrittenIsLost) {
  const int saved = ::dup(STDERR_FILENO);
  const int full = ::open("/dev/full", O_WRONLY);
  ::dup2(full, STDERR_FILENO);
  Progress progress({.total = 3});
  EXPECT_NO_THROW(progress.line("step 1/3"));
  EXPECT_NO_THROW(log_warning("watch out"));
  ::dup2(saved, STDERR_FILENO);
  ::close(full);
  ::close(saved);
}

TEST(Progress, SpeedIsThatOfThisProcess) {
  Progress progress({.begin = 92, .total = 100, .bar = false});  // resumed after 92 steps
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (int i = 0; i < 4; ++i) {
    progress.step(4, 50);
  }
  // Each is measured between two readings of the clock; half the steps are left.
  const double before = progress.elapsed_seconds();
  const double examples = progress.examples_per_second();
  const double tokens = progress.tokens_per_second();
  const double remaining = progress.remaining_seconds();
  const double after = progress.elapsed_seconds();
  EXPECT_GE(before, 0.02);
  EXPECT_THAT(examples, AllOf(Ge(16 / after), Le(16 / before)));
  EXPECT_THAT(tokens, AllOf(Ge(200 / after), Le(200 / before)));
  EXPECT_THAT(remaining, AllOf(Ge(before), Le(after)));
  EXPECT_THAT(progress.speed(),
              ElementsAre(MatchesRegex("[0-9.]+ pairs/s"), MatchesRegex("[0-9]+ tokens/s"),
                          MatchesRegex("[0-9:]+ left")));
}

std::vector<ProgressPart> parts_of_training() {
  return {{"training", 7},     {"120/500", 0},       {"loss 0.6931", 3}, {"acc 0.75", 5},
          {"12.3 pairs/s", 4}, {"4512 tokens/s", 6}, {"0:01:23 left", 2}};
}

std::int64_t width(const std::string& line) {
  return std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
}

TEST(ProgressLine, GivesUpWhatMattersLess) {
  const auto line = [](int columns) {
    return progress_line(parts_of_training(), 2, 0.5, columns, {.utf8 = false});
  };
  EXPECT_EQ(
      line(140),
      "training 120/500 ###############--------------- loss 0.6931 acc 0.75 12.3 pairs/s 4512 "
      "tokens/s 0:01:23 left");
  EXPECT_EQ(line(80),
            "120/500 #####----- loss 0.6931 acc 0.75 12.3 pairs/s 4512 tokens/s 0:01:23 left");
  EXPECT_EQ(line(50), "120/500 ########-------- loss 0.6931 0:01:23 left");
  EXPECT_EQ(line(20), "120/500 #####------");
  EXPECT_EQ(line(12), "120/500");
  EXPECT_EQ(line(6), "120/5");
  EXPECT_EQ(line(1), "");
}

TEST(ProgressLine, IsNeverAsWideAsTheTerminal) {
  for (int columns = 1; columns < 200; ++columns) {
    for (const double share : {-1.0, 0.0, 0.3, 1.0}) {
      EXPECT_LT(width(progress_line(parts_of_training(), 2, share, columns, {})), columns);
    }
  }
}

TEST(ProgressLine, ColoursAndCharacters) {
  const std::vector<ProgressPart> count = {{"1/4", 0}};
  EXPECT_EQ(progress_line(count, 1, 0.25, 13, {}), "1/4 ━━──────");
  EXPECT_EQ(progress_line(count, 1, 0.25, 13, {.utf8 = false}), "1/4 ##------");
  EXPECT_EQ(progress_line(count, 1, 0.25, 13, {.utf8 = false, .colours = true}),
            "1/4 \x1b[32m##\x1b[0;2m------\x1b[0m");
  EXPECT_EQ(progress_line(count, 1, -1, 13, {}), "1/4");
}

// Standard error on a pseudo-terminal, and what was written to it.
class Terminal {
 public:
  Terminal() : main_(::posix_openpt(O_RDWR | O_NOCTTY)), saved_(::dup(STDERR_FILENO)) {
    if (main_ >= 0 && ::grantpt(main_) == 0 && ::unlockpt(main_) == 0) {
      const int side = ::open(::ptsname(main_), O_RDWR | O_NOCTTY);
      ::dup2(side, STDERR_FILENO);
      ::close(side);
    }
  }
  ~Terminal() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(main_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool works() const { return ::isatty(STDERR_FILENO) == 1; }
  // Waits for something, and then until nothing more comes: the kernel hands it over in pieces.
  std::string written() const {
    std::string text;
    pollfd ready{.fd = main_, .events = POLLIN, .revents = 0};
    while (::poll(&ready, 1, text.empty() ? 10'000 : 100) == 1) {
      std::array<char, 4096> piece{};
      const auto count = ::read(main_, piece.data(), piece.size());
      if (count <= 0) {
        break;
      }
      text.append(piece.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int main_;
  int saved_;
};

TEST(Progress, AMovingLineOnATerminal) {
  const std::string clear = "\r\x1b[K";
  std::string begun;
  std::string drawn;
  std::string with_line;
  std::string with_warning;
  std::string ended;
  {
    const Terminal terminal;
    if (!terminal.works()) {
      GTEST_SKIP() << "this machine gives no pseudo-terminals";
    }
    {
      Progress progress({.total = 4});
      begun = terminal.written();
      progress.step(8, 100, {"loss 1"});
      drawn = terminal.written();
      progress.line("saved");
      with_line = terminal.written();
      log_warning("watch out");
      with_warning = terminal.written();
    }
    ended = terminal.written();
    Progress({.total = 4, .bar = false}).step(8, 100, {"loss 1"});  // --disable_tqdm
    Progress({.total = 4, .bar = false}).line("end");
    ended += terminal.written();
  }
  EXPECT_THAT(begun, StartsWith(clear + "0/4 "));
  EXPECT_THAT(begun, ::testing::Not(HasSubstr("/s")));  // nothing is known of the speed
  EXPECT_THAT(drawn, StartsWith(clear + "1/4 "));
  EXPECT_THAT(drawn, HasSubstr(" loss 1 "));
  EXPECT_THAT(drawn, EndsWith(" left"));
  EXPECT_THAT(with_line, StartsWith(clear + "saved\r\n1/4 "));
  EXPECT_THAT(with_warning, StartsWith(clear));
  EXPECT_THAT(with_warning, HasSubstr(": watch out\r\n1/4 "));
  EXPECT_EQ(ended, clear + "end\r\n");
}

}  // namespace
}  // namespace lmpo::progress_test
