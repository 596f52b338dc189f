// What a report's page draws, as JSON for its script (page/data.js says how it is read).
#pragma once

#include <string>
#include <vector>

#include "report/report_page.h"
#include "report/run_charts.h"

namespace lmpo {

// `plans` and `charts` in the order of their places in the page; `charts` are drawn as they are.
// Safe inside a <script> element: ASCII, without "<", ">" and "&". Texts are as they are shown
// (base/utf8.h, printable). Curves of many entries are cut into buckets, of which mean, least and
// most are kept: enough for any screen, and a page that opens quickly.
std::string page_data(const Report& report, std::span<const ChartPlan> plans,
                      std::span<const Chart> charts);

}  // namespace lmpo
