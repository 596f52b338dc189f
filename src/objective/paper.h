// Where a method was published.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

struct Paper {
  std::string_view key;  // of its entry in BibTeX
  std::string_view title;
  std::string_view authors;  // in BibTeX's way: "A and B and C"
  std::string_view arxiv;    // "2405.14734"
  int year = 0;              // of its first version there

  std::string url() const;
  std::string bibtex() const;
};

}  // namespace lmpo
