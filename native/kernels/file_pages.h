// Pages of memory and of mapped files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace luq::kernels {

// Calls action with the whole 4 KiB pages that lie within a range, if there are any.
template <typename Action> void whole_pages(const void * start, size_t size, Action && action) {
    constexpr uintptr_t PAGE = 4096;
    const uintptr_t begin = ((uintptr_t) start + PAGE - 1) / PAGE * PAGE;
    const uintptr_t end = ((uintptr_t) start + size) / PAGE * PAGE;
    if (begin < end) {
        action((void *) begin, end - begin);
    }
}

// Ends the residence of a range that maps a file: read again, it comes from the page cache or the disk. Does nothing
// for memory of any other kind, whose content would be lost.
void give_back_file_pages(const void * start, size_t size);

} // namespace luq::kernels
