// What a model folder holds, for `lmpo inspect FOLDER`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"
#include "model/config.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lmpo {

// Tensors of one storage type.
struct StoredPart {
  std::int64_t tensors = 0;
  std::int64_t elements = 0;
  std::int64_t bytes = 0;
};

// Tokens and chat template. What is missing is empty.
struct TextFacts {
  std::int64_t ids = 0;  // of the tokenizer
  // "bos_token", "eos_token", "unk_token", "pad_token": text and id (-1: not in the vocabulary).
  std::vector<std::pair<std::string, std::pair<std::string, std::int64_t>>> special;
  std::vector<std::pair<std::string, std::int64_t>> stops;  // where generation stops
  std::int64_t template_size = 0;                           // characters; 0: none
  std::string example;         // a user's and an assistant's turn, rendered by the template
  std::string template_error;  // why it cannot be rendered

  // True if the example holds a token at which generation stops.
  bool template_ends_turns() const;
};

TextFacts text_facts(const Tokenizer& tokenizer, const ChatTemplate* chat,
                     const std::vector<std::int64_t>& stop_ids);

struct CheckpointFacts {
  std::string folder;
  ModelConfig config;
  std::map<std::string, StoredPart> parts;  // by the type's name in the file
  std::int64_t parameters = 0;              // by config.json, tied ones once
  TextFacts text;
  // Planned bytes of a training step on two pairs of 512 + 2 * 512 tokens (weights as stored, the
  // rest in float32), and of generating one answer of at most `served_length` tokens.
  std::size_t train_bytes = 0;
  std::size_t serve_bytes = 0;
  std::int64_t served_length = 0;
  std::vector<std::string> warnings;
};

// The number of parameters by config.json; tied ones count once.
std::int64_t parameter_count(const ModelConfig& config);

// Reads headers and text files, not the weights. Contradictions (tensors and config.json, tokenizer
// and embedding) become warnings. UserError if something cannot be read.
CheckpointFacts checkpoint_facts(const fs::path& folder);

ordered_json to_json(const CheckpointFacts& facts);
void print(const CheckpointFacts& facts, TerminalText& out);

}  // namespace lmpo
