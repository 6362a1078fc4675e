package dev.luq.bench;

import java.util.List;
import java.util.stream.Stream;

/**
 * Memory of a server with all processes that it started, in bytes.
 *
 * @param resident sum of what is in memory (RSS), shared pages counted in full for each process
 * @param proportional the same with shared pages divided by the number of processes that share them (PSS)
 */
record ServeMemory(long resident, long proportional, int processes) {

    /** @param server the process that started the others */
    static ServeMemory of(ProcessHandle server) {
        List<ProcessMemory> all = Stream.concat(Stream.of(server), server.descendants())
                .map(process -> ProcessMemory.of(process.pid()))
                .toList();
        return new ServeMemory(
                all.stream().mapToLong(ProcessMemory::resident).sum(),
                all.stream().mapToLong(ProcessMemory::proportional).sum(),
                all.size());
    }
}
