#include "grade/embedded.h"

// The assembler copies a file; the C++ compiler never sees its megabyte.
#define LMPO_EMBED(name, file)                             \
  asm(".pushsection .rodata\n"                             \
      ".balign 16\n"                                       \
      "lmpo_grade_" name                                   \
      "_begin:\n"                                          \
      ".incbin \"" LMPO_GRADE_DATA "/" file                \
      "\"\n"                                               \
      "lmpo_grade_" name                                   \
      "_end:\n"                                            \
      ".popsection\n");                                    \
  /* Hidden, so that no symbol is looked up at run time */ \
  asm(".globl lmpo_grade_" name "_begin, lmpo_grade_" name \
      "_end\n"                                             \
      ".hidden lmpo_grade_" name "_begin, lmpo_grade_" name "_end\n")

LMPO_EMBED("punkt_english", "punkt_english.txt");
LMPO_EMBED("languages", "languages.zst");

extern "C" {
extern const char lmpo_grade_punkt_english_begin[] __attribute__((visibility("hidden")));
extern const char lmpo_grade_punkt_english_end[] __attribute__((visibility("hidden")));
extern const char lmpo_grade_languages_begin[] __attribute__((visibility("hidden")));
extern const char lmpo_grade_languages_end[] __attribute__((visibility("hidden")));
}

namespace lmpo::grade {

std::string_view punkt_english_file() {
  return {lmpo_grade_punkt_english_begin, lmpo_grade_punkt_english_end};
}

std::string_view languages_file() {
  return {lmpo_grade_languages_begin, lmpo_grade_languages_end};
}

}  // namespace lmpo::grade
