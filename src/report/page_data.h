// The data behind a report's page, as JSON for its script (page/data.js says how it is read).
#pragma once

#include <span>
#include <string>

#include "report/page_figures.h"
#include "report/report_page.h"

namespace lmpo {

// Runs with their curves, the `charts` in the order of their places in the page, and answers. Safe
// inside a <script> element: ASCII without "<", ">" and "&". Texts are as they are shown
// (base/utf8.h, printable). A curve of many entries is cut into buckets, each with its mean, least
// and greatest: enough for any screen, and a page that opens quickly.
std::string page_data(const Report& report, std::span<const PageChart> charts);

}  // namespace lmpo
