#include "text/special_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "text/json_part.h"

namespace lmpo {
namespace {

constexpr const char* config_file = "tokenizer_config.json";
constexpr const char* map_file = "special_tokens_map.json";

// A string, or an object with the string under "content"; "" where there is none.
std::string token_text(const JsonPart& config, const char* key) {
  const JsonPart token = config.child(key);
  return token.value().is_object() ? token.required<std::string>("content")
                                   : config.optional<std::string>(key, "");
}

json read_if_there(const fs::path& path) {
  return fs::exists(path) ? read_json(path) : json();
}

void add_names(const JsonPart& root, SpecialNames& names) {
  const std::array<std::pair<const char*, std::string*>, 4> keys = {{{"bos_token", &names.bos},
                                                                     {"eos_token", &names.eos},
                                                                     {"unk_token", &names.unk},
                                                                     {"pad_token", &names.pad}}};
  for (const auto& [key, name] : keys) {
    if (name->empty()) {
      *name = token_text(root, key);
    }
  }
}

json added_token(std::int64_t id, std::string_view content, bool special) {
  return {{"id", id},        {"content", content}, {"single_word", false},  {"lstrip", false},
          {"rstrip", false}, {"special", special}, {"normalized", !special}};
}

std::int64_t id_of_key(const JsonPart& part, const std::string& key) {
  std::int64_t id = -1;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size() || id < 0) {
    part.refuse("key '{}': a token's id was expected", key);
  }
  return id;
}

// {"32000": {"content": "<|im_end|>", "special": true, ...}}
void read_decoder_of_added_tokens(const JsonPart& part, SpecialTokens& tokens) {
  if (!part.value().is_object()) {
    part.refuse("an object from ids to tokens was expected");
  }
  for (const auto& [key, value] : part.value().items()) {
    const JsonPart element = part.child(key);
    const std::int64_t id = id_of_key(part, key);
    json token = added_token(id, element.required<std::string>("content"),
                             element.optional<bool>("special", false));
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) {
      token[flag] = element.optional<bool>(flag, token[flag].get<bool>());
    }
    tokens.added[id] = std::move(token);
  }
}

void add_names_of_list(const JsonPart& root, const char* key, std::set<std::string>& special) {
  const JsonPart list = root.child(key);
  if (!list.value().is_array()) {
    return;
  }
  for (const json& element : list.value()) {
    if (element.is_string()) {
      special.insert(element.get<std::string>());
    }
  }
}

// {"<|im_end|>": 32000}, of older versions; the other files say which are special.
void read_added_tokens(const JsonPart& part, const std::set<std::string>& special,
                       SpecialTokens& tokens) {
  if (!part.value().is_object()) {
    part.refuse("an object from tokens to ids was expected");
  }
  for (const auto& [content, value] : part.value().items()) {
    const auto id = part.required<std::int64_t>(content);
    if (id < 0) {
      part.refuse("token '{}': the id {} is negative", content, id);
    }
    tokens.added[id] = added_token(id, content, special.contains(content));
  }
}

}  // namespace

json special_token(std::int64_t id, std::string_view content) {
  return added_token(id, content, true);
}

SpecialNames read_special_names(const fs::path& folder) {
  SpecialNames names;
  for (const char* file : {config_file, map_file}) {
    if (const json content = read_if_there(folder / file); !content.is_null()) {
      add_names(JsonPart(content, (folder / file).string()), names);
    }
  }
  return names;
}

SpecialTokens read_special_tokens(const fs::path& folder) {
  SpecialTokens tokens;
  tokens.names = read_special_names(folder);
  const json config_json = read_if_there(folder / config_file);
  const json map_json = read_if_there(folder / map_file);
  std::set<std::string> special = {tokens.names.bos, tokens.names.eos, tokens.names.unk,
                                   tokens.names.pad};
  if (!map_json.is_null()) {
    add_names_of_list(JsonPart(map_json, map_file), "additional_special_tokens", special);
  }
  if (!config_json.is_null()) {
    const JsonPart config(config_json, (folder / config_file).string());
    const auto flag = [&](const char* key) {
      return config.child(key).absent() ? std::nullopt : std::optional(config.required<bool>(key));
    };
    tokens.add_bos = flag("add_bos_token");
    tokens.add_eos = flag("add_eos_token");
    tokens.add_prefix_space = flag("add_prefix_space");
    tokens.legacy = flag("legacy").value_or(false);
    add_names_of_list(config, "additional_special_tokens", special);
    if (const JsonPart added = config.child("added_tokens_decoder"); !added.absent()) {
      read_decoder_of_added_tokens(added, tokens);
      return tokens;
    }
  }
  if (const json added = read_if_there(folder / "added_tokens.json"); !added.is_null()) {
    read_added_tokens(JsonPart(added, (folder / "added_tokens.json").string()), special, tokens);
  }
  return tokens;
}

}  // namespace lmpo
