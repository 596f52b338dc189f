// What a model folder holds: what `lmpo inspect FOLDER` tells.
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

// Of tokens and template; empty texts for what there is not.
struct TextFacts {
  std::int64_t ids = 0;  // the tokenizer's
  // "bos_token", "eos_token", "unk_token", "pad_token": text and id (-1: not in the vocabulary).
  std::vector<std::pair<std::string, std::pair<std::string, std::int64_t>>> special;
  std::vector<std::pair<std::string, std::int64_t>> stops;  // where generation stops
  std::int64_t template_size = 0;                           // characters; 0: none
  std::string example;         // what the template makes of a turn of each role
  std::string template_error;  // why it makes nothing of them

  // Whether the example holds a token at which generation stops.
  bool template_ends_turns() const;
};

TextFacts text_facts(const Tokenizer& tokenizer, const ChatTemplate* chat,
                     const std::vector<std::int64_t>& stop_ids);

struct CheckpointFacts {
  std::string folder;
  ModelConfig config;
  std::map<std::string, StoredPart> parts;  // by the type's name in the file
  std::int64_t parameters = 0;              // that config.json asks for, tied ones once
  TextFacts text;
  // Planned bytes: a step of two pairs of 512 + 2 x 512 tokens, everything kept in float32 beside
  // weights as they are stored; and one answer of at most `served_length` tokens.
  std::size_t train_bytes = 0;
  std::size_t serve_bytes = 0;
  std::int64_t served_length = 0;
  std::vector<std::string> warnings;
};

// That config.json asks for, tied ones once.
std::int64_t parameter_count(const ModelConfig& config);

// Reads headers and texts, not the weights. What does not belong together (tensors and config.json,
// tokenizer and embedding) becomes a warning; UserError for what cannot be read.
CheckpointFacts checkpoint_facts(const fs::path& folder);

ordered_json to_json(const CheckpointFacts& facts);
void print(const CheckpointFacts& facts, TerminalText& out);

}  // namespace lmpo
