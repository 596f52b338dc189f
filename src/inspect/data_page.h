// A DataReport as one HTML page that needs nothing else: no scripts, no network; light and dark.
#pragma once

#include <string>

#include "inspect/data_report.h"

namespace lmpo {

std::string data_page(const DataReport& report);

}  // namespace lmpo
