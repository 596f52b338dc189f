// Whether a text that a template wrote holds what the turns of a conversation say.
#pragma once

#include <string>
#include <string_view>

#include "data/message.h"

namespace lmpo {

// Looks for turns one after the other in a rendering. Templates trim texts, write them as JSON, put
// a system turn into a later one, and leave out the reasoning of earlier answers: all of that is
// found. The rendering must outlive it.
class TurnSearch {
 public:
  explicit TurnSearch(std::string_view rendering) : rendering_(rendering) {}

  // Whether the turn's text and the names of the functions that it calls are there.
  bool find(const Message& turn);
  // Whether a text is there, however it is written.
  bool find_text(std::string_view text);

  // How far what was found reaches.
  std::size_t end() const { return end_; }
  // Whether of some answer only what follows its "</think>" was found.
  bool reasoning_left_out() const { return reasoning_left_out_; }

 private:
  bool find_as_it_is(std::string_view text);

  std::string_view rendering_;
  std::size_t next_ = 0;  // where the next turn is looked for first
  std::size_t end_ = 0;
  bool reasoning_left_out_ = false;
};

// "system: Be brief.", cut to a line.
std::string excerpt(const Message& turn);

}  // namespace lmpo
