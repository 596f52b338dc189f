// The language of a text, as the Python package `langdetect` 1.0.9 finds it: a naive Bayes
// classifier over pieces of one to three characters (Nakatani Shuyo's language-detection).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lmpo::grade {

// The code of the most probable language, such as "en" or "zh-cn"; "unknown" if none has a
// probability above 0.1; nothing if the text has no letters to go by (langdetect raises an error).
// The text is valid UTF-8; its first 10,000 characters count. langdetect draws at random which
// pieces it looks at, without a seed, so unclear texts vary from run to run; this is langdetect
// with DetectorFactory.seed = 0, so that a text always has the same language. Thread-safe.
std::optional<std::string> detect_language(std::string_view text);

}  // namespace lmpo::grade
