#include "data/load_rows.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"

namespace lmpo::load_rows_test {
namespace {

class LoadRowsTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    write_file_atomically(folder_ / "rows.jsonl",
                          R"({"prompt": "One", "chosen": " two", "rejected": " three"})"
                          "\n");
  }
  // Whether the rows came from the cache.
  bool cached(const LoadRowsOptions& options, const std::string& template_text = "") {
    TextOptions given{.folder = source_folder() / "src/data/testdata/llama3"};
    if (!template_text.empty()) {
      given.template_text = template_text;
    }
    LazyText text(given);
    const auto sources = find_sources({folder_ / "rows.jsonl"}, DataPurpose::training);
    const Dataset dataset = load_rows(sources, DataPurpose::training, text, options);
    EXPECT_EQ(dataset.trees.size(), 1u);
    EXPECT_EQ(dataset.id_limit, Tokenizer::load(given.folder).id_limit());
    return text.if_read() == nullptr;
  }
};

TEST_F(LoadRowsTest, ACacheServesTheSameRowsUnderTheSameOptions) {
  LoadRowsOptions options{.token_cache = (folder_ / "cache").string(), .bar = false};
  EXPECT_FALSE(cached(options));
  EXPECT_TRUE(cached(options));
  EXPECT_FALSE(cached(options, "{{ messages }}"));
  options.data.max_length = 7;
  EXPECT_FALSE(cached(options));
  options.data.chat_template_kwargs = {{"enable_thinking", false}};
  EXPECT_FALSE(cached(options));
  EXPECT_TRUE(cached(options));
  write_file_atomically(folder_ / "rows.jsonl",
                        R"({"prompt": "Two", "chosen": " two", "rejected": " three"})"
                        "\n");
  EXPECT_FALSE(cached(options));
}

TEST_F(LoadRowsTest, LittleDataAndNoneAreNotCached) {
  for (const char* where : {"auto", "none"}) {
    EXPECT_FALSE(cached({.token_cache = where, .bar = false}));
    EXPECT_FALSE(cached({.token_cache = where, .bar = false}));
  }
}

}  // namespace
}  // namespace lmpo::load_rows_test
