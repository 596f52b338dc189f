#pragma once

namespace lmpo {

// Gives the calling thread a separate stack for signal handlers with SA_ONSTACK, for its life.
// Generated code may use the stack pointer for other purposes.
void use_signal_stack();

}  // namespace lmpo
