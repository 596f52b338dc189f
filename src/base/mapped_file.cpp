// Mapped files, and the handling of files that are cut short while mapped.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/open_input.h"
#include "base/signal_stack.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

// A mapped range and the message if it cannot be read. Slots are never freed, so the handler may walk
// them without a lock while other threads open and close files.
struct Slot {
  std::atomic<const std::byte*> begin = nullptr;  // null: free
  std::atomic<std::size_t> size = 0;
  std::string message;  // changes while the slot is free
  Slot* next = nullptr;
};

std::atomic<Slot*> first_slot = nullptr;
std::mutex slots_mutex;

Slot* slot_at(const void* address) {
  const auto* at = static_cast<const std::byte*>(address);
  for (Slot* slot = first_slot; slot != nullptr; slot = slot->next) {
    const std::byte* begin = slot->begin;
    if (begin != nullptr && at >= begin && at < begin + slot->size) {
      return slot;
    }
  }
  return nullptr;
}

// A page of a mapped file no longer exists. The code that reads it cannot continue, and throwing from a
// handler is not safe beside other threads, so the program ends. Files on the disk are whole.
void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  if (const Slot* slot = slot_at(info->si_addr)) {
    write_all(STDERR_FILENO, slot->message.data(), slot->message.size());
    ::_exit(1);
  }
  ::signal(signal,
           SIG_DFL);  // not a mapped file: the instruction fails again, with the default action
}

void handle_bus_errors() {
  use_signal_stack();
  static const bool once = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  LMPO_CHECK(once);
}

void enter(const std::byte* begin, std::size_t size, const fs::path& path) {
  handle_bus_errors();
  const std::lock_guard lock(slots_mutex);
  Slot* slot = first_slot;
  while (slot != nullptr && slot->begin != nullptr) {
    slot = slot->next;
  }
  if (slot == nullptr) {
    slot = new Slot;  // NOLINT: never freed
    slot->next = first_slot;
    first_slot = slot;
  }
  slot->message = fmt::format(
      "\nerror: {}: was cut short while it was being read, or its disk failed. Restore it and "
      "start again\n",
      printable(path.string(), LineEnds::escape));
  slot->size = size;
  slot->begin = begin;
}

void leave(const std::byte* begin) {
  const std::lock_guard lock(slots_mutex);
  if (Slot* slot = slot_at(begin)) {
    slot->begin = nullptr;
  }
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const Descriptor descriptor = open_input(path, Pipes::refused);
  struct stat status {};
  ::fstat(descriptor.get(), &status);
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) {
    return;
  }
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (mapped == MAP_FAILED) {
    machine_error("{}: cannot be mapped: {}", path_.string(), std::strerror(errno));
  }
  data_ = static_cast<const std::byte*>(mapped);
  enter(data_, size_, path_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    leave(data_);
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

void MappedFile::forget(std::size_t begin, std::size_t end) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = begin / page * page;
  if (data_ != nullptr && end > first && end <= size_) {
    ::madvise(const_cast<std::byte*>(data_ + first), end - first, MADV_DONTNEED);
  }
}

}  // namespace lmpo
