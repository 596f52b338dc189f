// Properties of terminals: width, colours.
#pragma once

namespace lmpo {

bool is_terminal(int descriptor);
// The current width, which follows the window; 0 if unknown.
int terminal_columns(int descriptor);
// On a terminal, and without NO_COLOR.
bool has_colours(int descriptor);
// Whether the cursor can be moved: on a terminal that is not TERM=dumb.
bool can_redraw(int descriptor);
// According to LC_ALL, LC_CTYPE or LANG, the first that is set.
bool speaks_utf8();

struct Terminal {
  int columns = 80;
  bool wraps = false;    // false: lines are not wrapped, as for a file
  bool colours = false;  // on a terminal, without NO_COLOR

  // The properties of standard output. COLUMNS, if set, overrides the terminal's width.
  static Terminal standard_output();
};

}  // namespace lmpo
