// A study as one page (report_page.h): tables and figures, then the runs of the first seed with their
// settings, curves and answers to held-out prompts.
#pragma once

#include <span>
#include <string>

#include "demo/results.h"

namespace lmpo {

// `tables` and `figures` belong to `chosen`; `tables` is in its order.
std::string study_page(const fs::path& root, std::span<const Part> chosen,
                       std::span<const ResultTable> tables, std::span<const Figure> figures,
                       std::span<const std::int64_t> seeds);

}  // namespace lmpo
