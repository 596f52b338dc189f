// Libraries that are loaded for first use.
#include "base/library.h"

#include <gmock/gmock.h>

namespace lmpo::library_test {
namespace {

using ::testing::HasSubstr;

TEST(LoadedLibrary, FindsFunctions) {
  LoadedLibrary library("libm.so.6");
  const auto cosine = library.find<double (*)(double)>("cos");
  ASSERT_NE(cosine, nullptr) << library.missing();
  EXPECT_EQ(cosine(0.0), 1.0);
  EXPECT_EQ(library.missing(), "");
}

TEST(LoadedLibrary, SaysWhatIsMissing) {
  LoadedLibrary none("libnosuchlibrary.so.1");
  EXPECT_EQ(none.find<int*>("anything"), nullptr);
  EXPECT_THAT(none.missing(), HasSubstr("libnosuchlibrary.so.1"));
  LoadedLibrary old("libm.so.6");
  EXPECT_EQ(old.find<int*>("lmpo_cosine"), nullptr);
  EXPECT_THAT(old.missing(), HasSubstr("lmpo_cosine"));
}

}  // namespace
}  // namespace lmpo::library_test
