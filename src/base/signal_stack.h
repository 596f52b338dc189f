#pragma once

namespace lmpo {

// Gives the calling thread, for its life, a stack of its own for handlers that ask for one
// (SA_ONSTACK): generated code may keep other things in the stack pointer.
void use_signal_stack();

}  // namespace lmpo
