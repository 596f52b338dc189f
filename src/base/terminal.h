// What standard output is: how wide, and whether it has colours.
#pragma once

namespace lmpo {

struct Terminal {
  int columns = 80;
  bool wraps = false;    // false: content keeps its own lines, as for a file
  bool colours = false;  // on a terminal, without NO_COLOR

  // What standard output is. COLUMNS, where set, wins over what the terminal says.
  static Terminal standard_output();
};

}  // namespace lmpo
