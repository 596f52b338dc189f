// The date that some chat templates write (strftime_now).
#pragma once

#include <ctime>
#include <string>

namespace lmpo {

struct TextOptions;

// Today, YYYY-MM-DD, in local time.
std::string today();
// Noon of a day YYYY-MM-DD, in local time. UserError where it is none.
std::time_t time_of_date(const std::string& date);
// Whether the chat template asks for the date. Reads no tokenizer.
bool template_writes_date(const TextOptions& options);

}  // namespace lmpo
