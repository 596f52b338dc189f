// Completion of command lines: the program itself answers, and each shell has a short script that
// asks it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/command_description.h"

namespace lmpo {

struct Candidate {
  std::string word;
  std::string meaning;  // "" where the word says it all
};

// What may stand in place of a word.
struct Candidates {
  std::vector<Candidate> words;        // not only those that begin as the word does
  ValueKind others = ValueKind::text;  // files or folders: the shell offers these, too

  // Lines for the scripts: "files", "folders" or "words", then a candidate a line, "WORD" or
  // "WORD<TAB>MEANING".
  std::string text() const;
};

// Completes the last of the words after a command's name; it may be empty. A value may stand in a
// word of its own, after "--flag=", or, as bash cuts words, after "=" as a word of its own.
Candidates complete(const CommandDescription& command, std::span<const std::string> words);

// The script for "bash", "zsh" or "fish"; throws UserError for another shell. It runs
// `lmpo --complete INDEX WORD...` with the words of the line up to the cursor, the program's name
// first; INDEX is that of the last.
std::string completion_script(std::string_view shell);

}  // namespace lmpo
