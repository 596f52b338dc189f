#include "model/text_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "model/family.h"

namespace lmpo {
namespace {

struct Multimodal {
  std::string_view model_type;
  std::string_view usual_text;  // text_config's model_type, where it says none
};

// Models whose text passes through a language model of families/, and through nothing else.
constexpr Multimodal kMultimodal[] = {{"gemma3", "gemma3_text"}, {"mistral3", "mistral"}};

// Keys that transformers reads beside text_config.
constexpr std::array kOuterKeys = {"bos_token_id", "eos_token_id", "pad_token_id",
                                   "torch_dtype",  "dtype",        "quantization_config"};

}  // namespace

ordered_json language_model_config(const ordered_json& content, const std::string& source) {
  const std::string type = content.contains("model_type") && content["model_type"].is_string()
                               ? content["model_type"].get<std::string>()
                               : std::string();
  const auto* const found = std::ranges::find(kMultimodal, type, &Multimodal::model_type);
  if (found == std::end(kMultimodal)) {
    return content;
  }
  if (!content.contains("text_config") || !content["text_config"].is_object()) {
    user_error("{}: key 'text_config': an object was expected, the language model of a {}", source,
               type);
  }
  ordered_json text = content["text_config"];
  if (!text.contains("model_type")) {
    text["model_type"] = found->usual_text;
  }
  for (const char* key : kOuterKeys) {
    if (content.contains(key) && !content[key].is_null()) {
      text[key] = content[key];
    }
  }
  text["tie_word_embeddings"] = content.value("tie_word_embeddings", ordered_json(true));
  const Family& family = find_family(required<std::string>(json(text), "model_type", source),
                                     fmt::format("{}: key 'text_config.model_type'", source));
  text["architectures"] = {fmt::format("{}ForCausalLM", family.class_prefix)};
  return text;
}

}  // namespace lmpo
