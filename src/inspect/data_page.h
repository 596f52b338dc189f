// A DataReport as one self-contained HTML page, light and dark, without scripts or network access.
#pragma once

#include <string>

#include "inspect/data_report.h"

namespace lmpo {

std::string data_page(const DataReport& report);

}  // namespace lmpo
