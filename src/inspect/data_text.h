// Prints a DataReport to a terminal.
#pragma once

#include "inspect/data_report.h"
#include "inspect/terminal.h"

namespace lmpo {

void print(const DataReport& report, TerminalText& out);

}  // namespace lmpo
