// A study as one page (report_page.h): tables and figures, then settings, curves and answers of the
// first seed's runs.
#pragma once

#include <span>
#include <string>

#include "demo/results.h"

namespace lmpo {

// `tables` has one table for each of `chosen`, in its order; `figures` are those of `chosen`.
std::string study_page(const fs::path& root, std::span<const Part> chosen,
                       std::span<const ResultTable> tables, std::span<const Figure> figures,
                       std::span<const std::int64_t> seeds);

}  // namespace lmpo
