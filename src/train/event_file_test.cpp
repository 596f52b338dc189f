// Event files read back by a reader of their own: records by bit-wise CRC, messages by the fields
// of protobuf. tools/oracle/tensorboard_parity.py reads them with TensorBoard itself.
#include "train/event_file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstring>
#include <map>
#include <set>

#include "base/error.h"
#include "base/testing/test_folder.h"
#include "text/protobuf_fields.h"

namespace lmpo::event_file_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Pair;

std::uint32_t crc32c(std::string_view data) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char character : data) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool lowest = ((crc ^ (static_cast<unsigned char>(character) >> bit)) & 1U) != 0;
      crc = (crc >> 1) ^ (lowest ? 0x82F63B78U : 0U);
    }
  }
  return ~crc;
}

std::uint32_t masked(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

TEST(Crc32c, OfTheTestIsTheStandards) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);  // RFC 3720 and every catalogue of CRCs
}

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number{};
  std::memcpy(&number, bytes.substr(at, sizeof number).data(), sizeof number);
  return number;
}

std::vector<std::string> payloads(const fs::path& path) {
  const std::string content = read_file(path);
  const std::string_view all = content;
  std::vector<std::string> found;
  for (std::size_t at = 0; at < all.size();) {
    const auto length = number_at<std::uint64_t>(all, at);
    EXPECT_EQ(number_at<std::uint32_t>(all, at + 8), masked(crc32c(all.substr(at, 8))));
    const std::string_view payload = all.substr(at + 12, length);
    EXPECT_EQ(number_at<std::uint32_t>(all, at + 12 + length), masked(crc32c(payload)));
    found.emplace_back(payload);
    at += 16 + length;
  }
  return found;
}

// The fields of a message by number; of those that repeat, all.
using Fields = std::multimap<std::uint64_t, ProtobufField>;
Fields fields(std::string_view message) {
  Fields all;
  while (const auto field = take_field(message, "test")) {
    all.emplace(field->number, *field);
  }
  return all;
}

std::string_view text_of(const Fields& message, std::uint64_t number) {
  return message.find(number)->second.bytes;
}

struct Event {
  std::int64_t step = 0;
  double wall_time = 0;
  std::string version;
  bool starts = false;
  std::map<std::string, float> scalars;
  std::map<std::string, std::string> texts;
  std::map<std::string, std::string> descriptions;
};

Event parse(const std::string& payload) {
  const Fields event = fields(payload);
  Event result;
  result.wall_time = std::bit_cast<double>(event.find(1)->second.value);
  if (event.contains(2)) {
    result.step = static_cast<std::int64_t>(event.find(2)->second.value);
  }
  if (event.contains(3)) {
    result.version = text_of(event, 3);
  }
  if (event.contains(7)) {
    result.starts = fields(text_of(event, 7)).find(1)->second.value == 1;
  }
  if (event.contains(5)) {
    for (const auto& [number, field] : fields(text_of(event, 5))) {
      const Fields value = fields(field.bytes);
      const std::string tag(text_of(value, 1));
      if (value.contains(2)) {
        result.scalars[tag] =
            std::bit_cast<float>(static_cast<std::uint32_t>(value.find(2)->second.value));
        if (value.contains(9)) {
          const Fields metadata = fields(text_of(value, 9));
          EXPECT_EQ(text_of(fields(text_of(metadata, 1)), 1), "scalars");
          EXPECT_EQ(metadata.find(4)->second.value, 1U);  // a scalar
          result.descriptions[tag] = text_of(metadata, 3);
        }
      } else {
        EXPECT_EQ(text_of(fields(text_of(fields(text_of(value, 9)), 1)), 1), "text");
        const Fields tensor = fields(text_of(value, 8));
        EXPECT_EQ(tensor.find(1)->second.value, 7U);  // DT_STRING
        result.texts[tag] = text_of(tensor, 8);
      }
    }
  }
  return result;
}

std::vector<Event> events(const fs::path& path) {
  std::vector<Event> all;
  for (const std::string& payload : payloads(path)) {
    all.push_back(parse(payload));
  }
  return all;
}

class EventFiles : public FolderTest {};

TEST_F(EventFiles, TagsAreThoseOfTransformers) {
  EXPECT_EQ(event_tag("loss"), "train/loss");
  EXPECT_EQ(event_tag("rewards/chosen"), "train/rewards/chosen");
  EXPECT_EQ(event_tag("eval_rewards/chosen"), "eval/rewards/chosen");
  EXPECT_EQ(event_tag("test_loss"), "test/loss");
  EXPECT_EQ(event_tag("evaluations"), "train/evaluations");
}

TEST_F(EventFiles, HoldWhatWasWritten) {
  EventFile file(folder_ / "runs/one", 1);
  EXPECT_FALSE(fs::exists(file.path()));
  file.text(0, "args", "seed");
  file.scalars(300, {{"loss", 0.5}, {"eval_loss", -1e-7}, {"step", 300}, {"name", "x"}});
  file.scalars(301, {{"loss", std::nan("")}, {"num_tokens", 12345678}});
  EXPECT_THAT(file.path().filename().string(),
              MatchesRegex("events\\.out\\.tfevents\\.[0-9]+\\..+\\.[0-9]+\\.[0-9]+"));
  const std::vector<Event> all = events(file.path());
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].version, "brain.Event:2");
  EXPECT_NEAR(all[0].wall_time, static_cast<double>(std::time(nullptr)), 60);
  EXPECT_EQ(all[1].texts, (std::map<std::string, std::string>{{"args/text_summary", "seed"}}));
  EXPECT_EQ(all[2].step, 300);
  EXPECT_EQ(all[2].scalars,
            (std::map<std::string, float>{{"train/loss", 0.5F}, {"eval/loss", -1e-7F}}));
  EXPECT_TRUE(std::isnan(all[3].scalars.at("train/loss")));
  EXPECT_EQ(all[3].scalars.at("train/num_tokens"), 12345678.0F);
  for (const Event& event : all) {
    EXPECT_FALSE(event.starts);  // nothing to forget
  }
}

// Said once a file, with the first number of a tag.
TEST_F(EventFiles, SayWhatMustNotBeCompared) {
  EventFile file(folder_, 1);
  for (const int step : {1, 2}) {
    file.scalars(step, {{"loss", 1},
                        {"rewards/accuracies", 1},
                        {"eval_rewards/margins", 1},
                        {"logps/chosen", -1},
                        {"logps_per_token/chosen", -1}});
  }
  const std::vector<Event> all = events(file.path());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].scalars.size(), 5U);
  EXPECT_THAT(all[1].descriptions,
              ElementsAre(Pair("eval/rewards/margins", HasSubstr("Scaled by the method's beta")),
                          Pair("train/logps/chosen", HasSubstr("not comparable")),
                          Pair("train/logps_per_token/chosen", HasSubstr("the same for every")),
                          Pair("train/rewards/accuracies", HasSubstr("Share of pairs"))));
  EXPECT_EQ(all[2].scalars.size(), 5U);
  EXPECT_TRUE(all[2].descriptions.empty());
}

TEST_F(EventFiles, ALaterFileVoidsLaterSteps) {
  const fs::path folder = folder_ / "runs/one";
  EventFile first(folder, 1);
  first.scalars(8, {{"loss", 1}});
  EventFile second(folder, 6);
  second.scalars(6, {{"loss", 2}});
  EXPECT_LT(first.path().filename(), second.path().filename());  // the order they are read in
  const std::vector<Event> all = events(second.path());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[1].starts);
  EXPECT_EQ(all[1].step, 6);
  EXPECT_EQ(newest_event_folder(folder_ / "runs"), folder);
  EXPECT_EQ(newest_event_folder(folder_ / "nothing"), std::nullopt);
  EXPECT_THAT(new_event_folder("runs").string(),
              MatchesRegex("runs/[A-Z][a-z][a-z][0-9]+_[0-9]+-[0-9]+-[0-9]+_.+"));
}

TEST_F(EventFiles, AFailureLeavesWholeRecords) {
  EventFile file(folder_, 1);
  file.scalars(1, {{"loss", 1}});
  const std::string before = read_file(file.path());
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {before.size() + 10, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(file.scalars(2, {{"loss", 2}}), MachineError);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(file.path()), before);
  file.scalars(3, {{"loss", 3}});
  const std::vector<Event> all = events(file.path());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].step, 3);
}

TEST_F(EventFiles, AreRemovedAlone) {
  EventFile one(folder_ / "runs/one", 1);
  one.scalars(1, {{"loss", 1}});
  EventFile two(folder_ / "runs/two", 1);
  two.scalars(1, {{"loss", 1}});
  write_file_atomically(folder_ / "runs/two/notes.txt", "mine");
  remove_event_files(folder_ / "runs");
  EXPECT_FALSE(fs::exists(folder_ / "runs/one"));
  EXPECT_FALSE(fs::exists(two.path()));
  EXPECT_TRUE(fs::exists(folder_ / "runs/two/notes.txt"));
  fs::remove(folder_ / "runs/two/notes.txt");
  remove_event_files(folder_ / "runs");
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
  remove_event_files(folder_ / "runs");
}

TEST(LiteralMarkdown, MovesEveryLineIn) {
  EXPECT_EQ(literal_markdown("# a\n\n<b>"), "    # a\n    \n    <b>");
}

}  // namespace
}  // namespace lmpo::event_file_test
