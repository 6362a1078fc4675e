#include "file_pages.h"

#include <cinttypes>
#include <cstdio>
#include <sys/mman.h>

namespace luq::kernels {
namespace {

// Whether one shared mapping of a file holds the range, by the system's list of this process's mappings.
bool maps_file(uintptr_t begin, uintptr_t end) {
    std::FILE * maps = std::fopen("/proc/self/maps", "r");
    if (!maps) {
        return false;
    }
    bool found = false;
    char line[8192];
    while (!found && std::fgets(line, sizeof line, maps)) {
        uintptr_t first, last;
        char permissions[5];
        unsigned long inode;
        const int fields =
            std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", &first, &last, permissions, &inode);
        found = fields == 4 && first <= begin && end <= last && permissions[3] == 's' && inode != 0;
    }
    std::fclose(maps);
    return found;
}

} // namespace

void give_back_file_pages(const void * start, size_t size) {
    whole_pages(start, size, [](void * pages, size_t bytes) {
        if (maps_file((uintptr_t) pages, (uintptr_t) pages + bytes)) {
            madvise(pages, bytes, MADV_DONTNEED);
        }
    });
}

} // namespace luq::kernels
