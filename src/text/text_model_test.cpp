#include "text/text_model.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "text/template_date.h"

namespace lmpo::text_model_test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const ordered_json kHello = ordered_json::array({{{"role", "user"}, {"content", "Hello"}}});

class TextModelTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    fs::copy(source_folder() / "src/data/testdata/llama3", folder_);
  }
  static std::string render(const TextModel& model, const ordered_json& messages = kHello) {
    return model.render(messages, true, "rows.jsonl:3");
  }
};

TEST_F(TextModelTest, RendersMessagesAndNamesThePlaceOfWhatIsNone) {
  const TextModel model = TextModel::load(folder_);
  EXPECT_THAT(render(model), HasSubstr("Hello"));
  for (const ordered_json& wrong : {ordered_json("Hello"), ordered_json::array(),
                                    ordered_json::array({{{"content", "Hello"}}})}) {
    EXPECT_THAT(
        [&] { render(model, wrong); },
        ThrowsMessage<UserError>(HasSubstr("rows.jsonl:3: a list of messages was expected")));
  }
}

TEST_F(TextModelTest, AModelWithoutATemplateRendersNothing) {
  TextModel model = TextModel::load(folder_);
  model.chat.reset();
  EXPECT_EQ(model.chat_template(), nullptr);
  EXPECT_THAT([&] { render(model); },
              ThrowsMessage<UserError>(HasSubstr("rows.jsonl:3: messages need a chat template")));
}

TEST_F(TextModelTest, LazyTextReadsWhenItIsAskedAndTakesTheGivenTemplate) {
  LazyText text({.folder = folder_,
                 .template_text = "{{ strftime_now('%d %b %Y') }}: {{ messages[0].content }}",
                 .template_source = "mine",
                 .date = "2020-02-29"});
  EXPECT_EQ(text.if_read(), nullptr);
  EXPECT_EQ(render(text.get()), "29 Feb 2020: Hello");
  EXPECT_EQ(text.if_read(), &text.get());
  LazyText broken({.folder = folder_, .template_text = "{% if %}", .template_source = "mine"});
  EXPECT_THAT([&] { broken.get(); }, ThrowsMessage<UserError>(HasSubstr("mine")));
}

TEST_F(TextModelTest, TellsWhetherTheTemplateWritesTheDate) {
  EXPECT_FALSE(template_writes_date({.folder = folder_}));
  EXPECT_TRUE(
      template_writes_date({.folder = folder_, .template_text = "{{ strftime_now('%Y') }}"}));
  write_file_atomically(folder_ / "chat_template.jinja", "{{ strftime_now('%Y') }}");
  EXPECT_TRUE(template_writes_date({.folder = folder_}));
}

TEST(TemplateDate, IsADayOfTheCalendar) {
  for (const std::string& date : {std::string("2024-02-29"), today()}) {
    const std::time_t noon = time_of_date(date);
    std::tm day{};
    localtime_r(&noon, &day);
    EXPECT_EQ(fmt::format("{}-{:02}-{:02}", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday), date);
    EXPECT_EQ(day.tm_hour, 12);
  }
  for (const char* wrong : {"today", "2024-02", "2024-02-29 10:00"}) {
    EXPECT_THAT([&] { time_of_date(wrong); }, ThrowsMessage<UserError>(HasSubstr("is not a date")));
  }
}

}  // namespace
}  // namespace lmpo::text_model_test
