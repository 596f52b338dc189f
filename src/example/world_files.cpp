#include "example/world_files.h"

#include <set>

#include "base/json.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

constexpr const char* kSpecials[] = {"<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"};

constexpr const char* kTemplate =
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message.role + '|> ' + message.content "
    "}}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}\n";

// The characters for the bytes of GPT-2's byte-level BPE: printable bytes are themselves, the others
// become code points from 256 on.
std::vector<std::string> byte_letters() {
  std::vector<std::string> letters;
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool prints = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
                        (byte >= 0xAE && byte <= 0xFF);
    std::string letter;
    append_utf8(letter, prints ? byte : next++);
    letters.push_back(std::move(letter));
  }
  return letters;
}

// Byte-level BPE with a token for each word: any text can be encoded, the toy language in few tokens.
ordered_json tokenizer_content() {
  ordered_json vocabulary = ordered_json::object();
  ordered_json added = ordered_json::array();
  const auto add = [&](const std::string& token) { vocabulary[token] = vocabulary.size(); };
  for (const char* special : kSpecials) {
    added.push_back({{"id", vocabulary.size()},
                     {"content", special},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
    add(special);
  }
  const std::vector<std::string> letters = byte_letters();
  for (const std::string& letter : letters) {
    add(letter);
  }
  for (const auto* words : {&list_words(), &other_words()}) {
    for (const std::string& word : *words) {
      add(letters[' '] + word);
    }
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers",
             {{{"type", "Split"},
               {"pattern", {{"Regex", " ?[^\\s]+|\\s+"}}},
               {"behavior", "Isolated"},
               {"invert", false}},
              {{"type", "ByteLevel"},
               {"add_prefix_space", false},
               {"trim_offsets", true},
               {"use_regex", false}}}}}},
          {"post_processor", nullptr},
          {"decoder",
           {{"type", "ByteLevel"},
            {"add_prefix_space", true},
            {"trim_offsets", true},
            {"use_regex", true}}},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", true},
            {"vocab", vocabulary},
            {"merges", ordered_json::array()}}}};
}

ordered_json model_config(std::size_t vocabulary) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", vocabulary},
          {"hidden_size", 96},
          {"intermediate_size", 256},
          {"num_hidden_layers", 3},
          {"num_attention_heads", 6},
          {"num_key_value_heads", 3},
          {"max_position_embeddings", 256},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"tie_word_embeddings", true},
          {"initializer_range", 0.08},
          {"bos_token_id", 0},
          {"eos_token_id", 1},
          {"torch_dtype", "float32"}};
}

ordered_json turn(const char* role, const std::string& content) {
  return {{"role", role}, {"content", content}};
}

std::string lines_of(const std::vector<ordered_json>& rows) {
  std::string text;
  for (const ordered_json& row : rows) {
    text += row.dump() + "\n";
  }
  return text;
}

// Instructions that are not in `taken`.
class FreshInstructions {
 public:
  explicit FreshInstructions(const std::set<std::string>* taken) : taken_(taken) {}

  Instruction next(Random& random) {
    while (true) {
      Instruction instruction = random_instruction(random);
      if (taken_ == nullptr || !taken_->contains(instruction.text())) {
        return instruction;
      }
    }
  }

 private:
  const std::set<std::string>* taken_;
};

std::string prompt_lines(const std::vector<Instruction>& instructions) {
  std::vector<ordered_json> rows;
  for (const Instruction& instruction : instructions) {
    rows.push_back({{"prompt", ordered_json::array({turn("user", instruction.text())})}});
  }
  return lines_of(rows);
}

std::string preference_lines(std::int64_t count, FreshInstructions source, Random& random,
                             std::set<std::string>* used) {
  std::vector<ordered_json> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    const Instruction instruction = source.next(random);
    const Comparison pair = random_comparison(instruction, WorldChances{}, random);
    rows.push_back({{"prompt", ordered_json::array({turn("user", instruction.text())})},
                    {"chosen", ordered_json::array({turn("assistant", pair.chosen)})},
                    {"rejected", ordered_json::array({turn("assistant", pair.rejected)})}});
    if (used != nullptr) {
      used->insert(instruction.text());
    }
  }
  return lines_of(rows);
}

}  // namespace

std::vector<Instruction> write_world(const fs::path& folder, const WorldSizes& sizes,
                                     std::uint64_t seed) {
  const ordered_json tokenizer = tokenizer_content();
  write_file_atomically(folder / "tokenizer.json", tokenizer.dump(1) + "\n");
  const ordered_json tokenizer_config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                                         {"bos_token", kSpecials[0]},
                                         {"eos_token", kSpecials[1]},
                                         {"clean_up_tokenization_spaces", false},
                                         {"model_max_length", 256}};
  write_file_atomically(folder / "tokenizer_config.json", tokenizer_config.dump(2) + "\n");
  write_file_atomically(folder / "chat_template.jinja", kTemplate);
  write_file_atomically(folder / "config.json",
                        model_config(tokenizer["model"]["vocab"].size()).dump(2) + "\n");

  // Held-out instructions are drawn first; training avoids them.
  std::set<std::string> held_out;
  std::vector<Instruction> prompts;
  Random test_random(seed, 1);
  while (std::ssize(prompts) < sizes.held_out_prompts) {
    Instruction instruction = FreshInstructions(&held_out).next(test_random);
    held_out.insert(instruction.text());
    prompts.push_back(std::move(instruction));
  }
  write_file_atomically(folder / "held_out_prompts.jsonl", prompt_lines(prompts));
  write_file_atomically(folder / "held_out_preferences.jsonl",
                        preference_lines(sizes.held_out_preferences, FreshInstructions(nullptr),
                                         test_random, &held_out));

  Random train_random(seed, 2);
  FreshInstructions fresh(&held_out);
  std::vector<ordered_json> answers;
  for (std::int64_t i = 0; i < sizes.answers; ++i) {
    const Instruction instruction = fresh.next(train_random);
    const std::string answer = random_answer(instruction, WorldChances{}, train_random);
    answers.push_back({{"messages", ordered_json::array({turn("user", instruction.text()),
                                                         turn("assistant", answer)})}});
  }
  write_file_atomically(folder / "answers.jsonl", lines_of(answers));
  write_file_atomically(folder / "preferences.jsonl",
                        preference_lines(sizes.preferences, fresh, train_random, nullptr));
  return prompts;
}

}  // namespace lmpo
