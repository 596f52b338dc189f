#include "objective/paper.h"

#include <fmt/format.h>

namespace lmpo {

std::string Paper::url() const {
  return fmt::format("https://arxiv.org/abs/{}", arxiv);
}

std::string Paper::bibtex() const {
  return fmt::format(
      "@article{{{},\n"
      "  title   = {{{{{}}}}},\n"
      "  author  = {{{}}},\n"
      "  journal = {{arXiv preprint arXiv:{}}},\n"
      "  year    = {{{}}},\n"
      "  url     = {{{}}}\n"
      "}}\n",
      key, title, authors, arxiv, year, url());
}

}  // namespace lmpo
