// What terminals are: how wide, whether they have colours.
#pragma once

namespace lmpo {

bool is_terminal(int descriptor);
// As the terminal says now, so that a window that changes is followed; 0 where it does not say.
int terminal_columns(int descriptor);
// On a terminal, and without NO_COLOR.
bool has_colours(int descriptor);
// Whether the cursor can be moved: on a terminal that is not TERM=dumb.
bool can_redraw(int descriptor);
// By LC_ALL, LC_CTYPE or LANG, the first that says something.
bool speaks_utf8();

struct Terminal {
  int columns = 80;
  bool wraps = false;    // false: content keeps its own lines, as for a file
  bool colours = false;  // on a terminal, without NO_COLOR

  // What standard output is. COLUMNS, where set, wins over what the terminal says.
  static Terminal standard_output();
};

}  // namespace lmpo
