// Pages of memory and of mapped files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unistd.h>

namespace luq::kernels {

// Calls action with the system's whole pages that lie within a range, if there are any.
template <typename Action> void whole_pages(const void * start, size_t size, Action && action) {
    const auto page = (uintptr_t) sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t) start + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t) start + size) / page * page;
    if (begin < end) {
        action((void *) begin, end - begin);
    }
}

// Ends the residence of a range that maps a file: read again, it comes from the page cache or the disk. Does nothing
// for memory of any other kind, whose content would be lost.
void give_back_file_pages(const void * start, size_t size);

} // namespace luq::kernels
