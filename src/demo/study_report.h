// A study as one page (report_page.h): its tables and figures, then the runs of its first seed,
// their settings, curves and answers to the held-out prompts.
#pragma once

#include <span>
#include <string>

#include "demo/results.h"

namespace lmpo {

// `tables` and `figures` are those of `chosen`, the former in its order.
std::string study_page(const fs::path& root, std::span<const Part> chosen,
                       std::span<const ResultTable> tables, std::span<const Figure> figures,
                       std::span<const std::int64_t> seeds);

}  // namespace lmpo
