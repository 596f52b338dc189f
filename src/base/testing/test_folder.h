// A folder for one test, removed with all it holds. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace lmpo {

class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // The names of what lies in the folder.
  std::set<std::string> listing() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  const fs::path folder_ = fs::path(::testing::TempDir()) / name_of_test();

 private:
  // Names of parameterised tests have slashes.
  static std::string name_of_test() {
    const ::testing::TestInfo& test = *::testing::UnitTest::GetInstance()->current_test_info();
    std::string name =
        fmt::format("lmpo_{}_{}_{}", ::getpid(), test.test_suite_name(), test.name());
    std::ranges::replace(name, '/', '_');
    return name;
  }
};

// The message of the UserError that `action` throws; "" where it throws none.
template <typename Action>
std::string user_error_of(Action&& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace lmpo
