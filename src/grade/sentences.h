// Sentences and words as nltk 3.10 finds them in English text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmpo::grade {

// nltk.sent_tokenize: the Punkt algorithm (Kiss and Strunk, 2006) with nltk's English model. Parts
// of the text, which is valid UTF-8, in order; none if the text is blank. Thread-safe.
std::vector<std::string_view> sentences(std::string_view text);

// nltk.word_tokenize: words, marks and parts of contractions, sentence by sentence. Thread-safe.
std::vector<std::string> word_tokens(std::string_view text);

// How many words nltk's RegexpTokenizer(r"\w+") finds. Since nltk 3.10, which uses the package
// `regex`, marks that join letters are parts of words, as in Hindi, and fractions such as "½" are
// no words. Thread-safe.
std::size_t count_words(std::string_view text);

}  // namespace lmpo::grade
