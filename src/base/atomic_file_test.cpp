#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/path_kind.h"
#include "base/replace_folder.h"
#include "base/temporary_name.h"
#include "base/testing/test_folder.h"

namespace {

// The calls by which files and folders get their names or lose them: a process can end before any.
struct Calls {
  int made = 0;
  int end_before = -1;
  bool can_exchange = true;

  void next() {
    if (made++ == end_before) {
      ::_exit(1);
    }
  }
};
Calls calls;

}  // namespace

extern "C" int rename(const char* from, const char* to) noexcept {
  calls.next();
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                         unsigned flags) noexcept {
  calls.next();
  if (!calls.can_exchange && flags != 0) {
    errno = EINVAL;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}
extern "C" int unlinkat(int folder, const char* name, int flags) noexcept {
  calls.next();
  return static_cast<int>(::syscall(SYS_unlinkat, folder, name, flags));
}
extern "C" int fsync(int descriptor) {
  calls.next();
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace lmpo::atomic_file_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class AtomicFiles : public FolderTest {
 protected:
  fs::path make_folder(const fs::path& path, const std::string& text) {
    fs::create_directories(path);
    write_file_atomically(path / "x", text);
    return path;
  }
};

// Does something in a process of its own, which is killed at once when it has done it.
template <typename Action>
void in_a_killed_process(Action&& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
}

TEST_F(AtomicFiles, AppearWholeOrNotAtAll) {
  const fs::path path = folder_ / "a.txt";
  {
    AtomicFile file(path);
    file.write("half");
    EXPECT_FALSE(fs::exists(path));
    AtomicFolder folder(folder_ / "b");
    write_file_atomically(folder.path() / "x", "half");
    EXPECT_FALSE(fs::exists(folder_ / "b"));
  }
  EXPECT_THAT(listing(), IsEmpty());
  write_file_atomically(path, "whole");
  EXPECT_EQ(read_file(path), "whole");
  EXPECT_EQ(MappedFile(path).bytes().size(), 5U);
  EXPECT_THROW(read_file(folder_ / "none"), UserError);
}

TEST_F(AtomicFiles, NamesThatPeopleChooseAreNotTemporary) {
  const fs::path temporary = temporary_beside(folder_ / "checkpoint-6");
  EXPECT_EQ(temporary.parent_path(), folder_);
  EXPECT_EQ(final_name(temporary.filename().string()), "checkpoint-6");
  EXPECT_NE(temporary, temporary_beside(folder_ / "checkpoint-6"));
  for (const char* name :
       {"notes.incomplete-draft", "notes.incomplete-2", ".incomplete-", "a.incomplete-12-old", "a",
        "notes.incomplete-0123456789abcdef", ".incomplete-0123456789abcdef"}) {
    EXPECT_EQ(final_name(name), "") << name;
  }
  // Renamed by hand it is a person's.
  std::string renamed = temporary.filename().string();
  renamed[0] = 'C';
  EXPECT_EQ(final_name(renamed), "");
}

TEST_F(AtomicFiles, WhatKilledProgramsLeftIsRemovedAndNothingElse) {
  for (const char* name : {"notes.incomplete-draft", "notes.incomplete-2", "other"}) {
    make_folder(folder_ / name, "mine");
    write_file_atomically(folder_ / (std::string("file-") + name), "mine");
  }
  const auto before = listing();
  in_a_killed_process([&] {
    AtomicFile file(folder_ / "model.safetensors");
    file.write("half");
    AtomicFolder folder(folder_ / "checkpoint-6");
    write_file_atomically(folder.path() / "x", "half");
    ::raise(SIGKILL);
  });
  EXPECT_EQ(listing().size(), before.size() + 2);
  remove_incomplete(folder_);
  EXPECT_EQ(listing(), before);
}

TEST_F(AtomicFiles, WritingAgainRemovesTheLeftoversOfTheSameName) {
  in_a_killed_process([&] {
    AtomicFile one(folder_ / "one");
    AtomicFile two(folder_ / "two");
    ::raise(SIGKILL);
  });
  write_file_atomically(folder_ / "one", "whole");
  EXPECT_EQ(listing().size(), 2U);  // "one" and what is left of "two"
  { AtomicFolder folder(folder_ / "two"); }
  EXPECT_THAT(listing(), UnorderedElementsAre("one"));
}

TEST_F(AtomicFiles, WhatARunningProgramWritesStays) {
  AtomicFile file(folder_ / "a");
  file.write("text");
  AtomicFolder folder(folder_ / "b");
  // Also in the eyes of another process.
  const pid_t child = ::fork();
  if (child == 0) {
    remove_incomplete(folder_);
    AtomicFile same(folder_ / "a");
    same.write("other");
    same.commit();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(read_file(folder_ / "a"), "other");
  write_file_atomically(folder.path() / "x", "y");
  file.commit();
  folder.commit();
  EXPECT_EQ(read_file(folder_ / "a"), "text");
  EXPECT_EQ(read_file(folder_ / "b/x"), "y");
  EXPECT_THAT(listing(), UnorderedElementsAre("a", "b"));
}

TEST_F(AtomicFiles, AFolderIsReplacedWithoutAMomentInWhichItIsGone) {
  const fs::path path = folder_ / "checkpoint";
  make_folder(path, "0");
  std::atomic<bool> done = false;
  std::atomic<int> missing = 0;
  std::thread reader([&] {
    struct stat status {};
    while (!done) {
      missing += ::stat(path.c_str(), &status) != 0 ? 1 : 0;
    }
  });
  for (int i = 1; i <= 50; ++i) {
    AtomicFolder folder(path);
    write_file_atomically(folder.path() / "x", std::to_string(i));
    folder.commit();
    EXPECT_EQ(read_file(path / "x"), std::to_string(i));
  }
  done = true;
  reader.join();
  EXPECT_EQ(missing, 0);
  EXPECT_THAT(listing(), UnorderedElementsAre("checkpoint"));
}

// Whether a process of its own that does `action` was ended before the call of that number.
template <typename Action>
bool ends_before(int call, bool can_exchange, Action&& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    calls = {.made = 0, .end_before = call, .can_exchange = can_exchange};
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

// Every program is killed before every call it makes, and so is the next one that cleans up.
TEST_F(AtomicFiles, AKillBeforeAnyCallLosesNeitherVersion) {
  const fs::path path = folder_ / "checkpoint";
  const auto write = [&](const std::string& text) {
    AtomicFolder folder(path);
    write_file_atomically(folder.path() / "x", text);
    write_file_atomically(folder.path() / "y", text);
    folder.commit();
  };
  // What both files hold; "" where they do not agree or one is not there.
  const auto version = [&]() -> std::string {
    if (!fs::exists(path / "x") || !fs::exists(path / "y")) {
      return "";
    }
    return read_file(path / "x") == read_file(path / "y") ? read_file(path / "x") : "";
  };
  for (const bool can_exchange : {true, false}) {
    std::string kept = "old";
    int call = 0;
    for (bool ended = true; ended; ++call) {
      SCOPED_TRACE(fmt::format("call {}, {}", call, can_exchange ? "exchange" : "renames"));
      write("old");
      ended = ends_before(call, can_exchange, [&] { write("new"); });
      const bool is_gone = version().empty();  // between two renames: the new one was whole
      EXPECT_FALSE(can_exchange && is_gone);
      for (int again = 0; ends_before(again, can_exchange, [&] { remove_incomplete(folder_); });
           ++again) {
      }
      // Once the new one was kept it is kept by those that were killed later too.
      EXPECT_TRUE((version() == kept && !is_gone) || version() == "new") << version();
      kept = version();
      EXPECT_THAT(listing(), UnorderedElementsAre("checkpoint"));
    }
    EXPECT_EQ(kept, "new");
    EXPECT_GT(call, 10);
  }
}

TEST_F(AtomicFiles, AFileIsOldOrNewWhereverItsWriterIsKilled) {
  const fs::path path = folder_ / "a";
  int call = 0;
  for (bool ended = true; ended; ++call) {
    write_file_atomically(path, "old");
    ended = ends_before(call, true, [&] { write_file_atomically(path, "new"); });
    EXPECT_EQ(read_file(path), call < 2 ? "old" : "new") << call;  // after fsync and rename
    remove_incomplete(folder_);
    EXPECT_THAT(listing(), UnorderedElementsAre("a"));
  }
  EXPECT_EQ(call, 4);  // the last sync, of the folder, and the end
}

// A replaced folder whose new one a person took away.
TEST_F(AtomicFiles, OnlyTheOldOneIsLeft) {
  const fs::path path = folder_ / "checkpoint";
  make_folder(replaced_name(temporary_beside(path)), "old");
  remove_incomplete(folder_);
  EXPECT_EQ(read_file(path / "x"), "old");
  EXPECT_THAT(listing(), UnorderedElementsAre("checkpoint"));
}

TEST_F(AtomicFiles, AFolderDoesNotReplaceAFile) {
  write_file_atomically(folder_ / "a", "text");
  EXPECT_THAT(user_error_of([&] { AtomicFolder folder(folder_ / "a"); }),
              HasSubstr("not a folder"));
  fs::create_directory(folder_ / "b");
  EXPECT_THAT(user_error_of([&] { AtomicFile file(folder_ / "b"); }), HasSubstr("is a folder"));
  EXPECT_EQ(read_file(folder_ / "a"), "text");
}

TEST_F(AtomicFiles, AnEndingSlashChangesNothing) {
  AtomicFolder folder(folder_ / "a/");
  folder.commit();
  EXPECT_THAT(listing(), UnorderedElementsAre("a"));
}

TEST_F(AtomicFiles, LinksAreFollowed) {
  fs::create_directory(folder_ / "there");
  fs::create_symlink("there/file", folder_ / "link");
  write_file_atomically(folder_ / "link", "one");
  EXPECT_EQ(read_file(folder_ / "there/file"), "one");
  write_file_atomically(folder_ / "link", "two");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "there/file"), "two");
}

TEST_F(AtomicFiles, StreamsAreWrittenIntoAndStay) {
  EXPECT_TRUE(is_stream("/dev/null"));
  EXPECT_TRUE(is_stream("/dev/stdout"));
  EXPECT_FALSE(is_stream(folder_ / "none"));
  EXPECT_FALSE(is_stream(folder_));
  write_file_atomically("/dev/null", "lost");
  EXPECT_THROW(write_file_atomically("/dev/full", "x"), MachineError);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string got(4, ' ');
  std::thread reader([&] {
    const Descriptor input(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(::read(input.get(), got.data(), got.size()), 4);
  });
  write_file_atomically(fifo, "text");
  reader.join();
  EXPECT_EQ(got, "text");
  EXPECT_TRUE(fs::is_fifo(fifo));
}

TEST_F(AtomicFiles, AnOpenDescriptorIsWrittenOnWhereItStands) {
  const fs::path path = folder_ / "out";
  const Descriptor out(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(write_all(out.get(), "one ", 4), 0);
  write_file_atomically(fmt::format("/dev/fd/{}", out.get()), "two ");
  EXPECT_EQ(write_all(out.get(), "three", 5), 0);
  EXPECT_EQ(read_file(path), "one two three");
}

}  // namespace
}  // namespace lmpo::atomic_file_test
