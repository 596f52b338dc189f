// The socket at which a server waits for connections.
#pragma once

#include <atomic>
#include <string>

#include "base/descriptor.h"

namespace lmpo {

// Port 0 is any that is free. UserError if it cannot listen there.
Descriptor listen_on(const std::string& host, int port);
int port_of(const Descriptor& listener);

// Waits for a connection; none after `stopping` is set and the listener shut down. Where the machine
// has no descriptor or memory for a connection, those who connect wait until it has.
Descriptor next_connection(const Descriptor& listener, const std::atomic<bool>& stopping);

}  // namespace lmpo
