// Checks that a rendering by a template contains the turns of a conversation.
#pragma once

#include <string>
#include <string_view>

#include "data/message.h"

namespace lmpo {

// Looks for turns in a rendering, in order. Finds them also if the template trims texts, writes
// them as JSON, moves a system turn into a later one, or leaves out the reasoning of earlier
// answers. The rendering must outlive it.
class TurnSearch {
 public:
  explicit TurnSearch(std::string_view rendering) : rendering_(rendering) {}

  // Whether the turn's text and the names of the functions it calls are there.
  bool find(const Message& turn);
  // Whether a text is there, in any of these forms.
  bool find_text(std::string_view text);

  // The end of the last text found.
  std::size_t end() const { return end_; }
  // Whether only the part after "</think>" of some answer was found.
  bool reasoning_left_out() const { return reasoning_left_out_; }

 private:
  bool find_as_it_is(std::string_view text);

  std::string_view rendering_;
  std::size_t next_ = 0;  // where the next turn is looked for first
  std::size_t end_ = 0;
  bool reasoning_left_out_ = false;
};

// "system: Be brief.", shortened to one line.
std::string excerpt(const Message& turn);

}  // namespace lmpo
