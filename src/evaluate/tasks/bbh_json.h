// bbh.json as a string of the program.
#pragma once

namespace lmpo {

extern const char* const kBbhJson;

}  // namespace lmpo
