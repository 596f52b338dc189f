#include "generate/conversation.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "generate/token_text.h"

namespace lmpo::conversation_test {
namespace {

ordered_json message(const char* role, const char* content) {
  return {{"role", role}, {"content", content}};
}

TEST(Conversation, IsSaidAndTakenBack) {
  Conversation talk;
  EXPECT_TRUE(talk.empty());
  EXPECT_EQ(talk.undo(), std::nullopt);
  talk.set_system("be kind");
  EXPECT_TRUE(talk.empty());
  talk.add_user("a");
  talk.add_assistant("b");
  talk.add_user("c");
  EXPECT_EQ(talk.messages(), (ordered_json{message("system", "be kind"), message("user", "a"),
                                           message("assistant", "b"), message("user", "c")}));
  EXPECT_EQ(talk.undo(), "c");
  EXPECT_EQ(talk.undo(), "a");  // with its answer
  EXPECT_EQ(talk.messages(), ordered_json::array({message("system", "be kind")}));
  talk.add_user("d");
  talk.set_system("");
  EXPECT_EQ(talk.messages(), ordered_json::array({message("user", "d")}));
  talk.set_system("be brief");
  talk.reset();
  EXPECT_EQ(talk.system(), "be brief");
  EXPECT_TRUE(talk.empty());
}

TEST(Conversation, IsLoadedWholeOrNotAtAll) {
  Conversation talk;
  const ordered_json list = {message("user", "a"), message("assistant", "b")};
  talk.load(list, "x.json");
  EXPECT_EQ(talk.messages(), list);
  talk.load({{"model", "m"}, {"messages", ordered_json::array({message("user", "c")})}}, "x.json");
  EXPECT_EQ(talk.undo(), "c");
  talk.load(list, "x.json");
  for (const char* bad : {"{}", "[]", "3", "null", R"({"messages": []})", R"([{"role": "user"}])",
                          R"([{"role": "user", "content": "a"}, {"role": 1, "content": "b"}])"}) {
    EXPECT_THROW(talk.load(ordered_json::parse(bad), "x.json"), UserError) << bad;
  }
  EXPECT_EQ(talk.messages(), list);
}

// Tokens for single bytes and a few words, joined as GPT-2 joins them.
Tokenizer byte_tokenizer() {
  json vocabulary = json::object();
  int id = 0;
  for (const char* token :
       {"a", "b", "\xC4\xA0", "\xC3\xA2", "\xC4\xA4", "\xC2\xAC", "\xC4\xA0wolf"}) {
    vocabulary[token] = id++;  // a, b, a space, the bytes E2 82 AC of the euro sign, " wolf"
  }
  const json content = {
      {"added_tokens",
       {{{"id", 7},
         {"content", "<end>"},
         {"special", true},
         {"single_word", false},
         {"lstrip", false},
         {"rstrip", false},
         {"normalized", false}}}},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", json::array()}}}};
  return Tokenizer::from_json(content.dump(), "test");
}

TEST(TokenText, HoldsBackUntilACharacterIsWhole) {
  const Tokenizer tokenizer = byte_tokenizer();
  ASSERT_EQ(tokenizer.decode(std::vector<TokenId>{3, 4, 5}, true), "\xE2\x82\xAC");
  TokenText text(tokenizer);
  EXPECT_EQ(text.add(0), "a");
  EXPECT_EQ(text.add(3), "");
  EXPECT_EQ(text.add(4), "");
  EXPECT_EQ(text.add(5), "\xE2\x82\xAC");
  EXPECT_EQ(text.add(7), "");  // a special token
  EXPECT_EQ(text.add(6), " wolf");
  EXPECT_EQ(text.add(3), "");
  EXPECT_EQ(text.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(text.finish(), "");
}

TEST(TokenText, BytesThatAreNoCharacterCome) {
  const Tokenizer tokenizer = byte_tokenizer();
  TokenText text(tokenizer);
  std::string all;
  for (const TokenId token : {4, 4, 4, 4, 4, 0, 1}) {
    all += text.add(token);
  }
  all += text.finish();
  EXPECT_TRUE(all.ends_with("ab")) << all;
  EXPECT_TRUE(all.starts_with("\xEF\xBF\xBD")) << all;
}

}  // namespace
}  // namespace lmpo::conversation_test
