package dev.luq.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrashReportsTest {

    private static final String REPORT =
            """
            #
            # A fatal error has been detected by the Java Runtime Environment:
            #
            #  SIGILL (0x4) at pc=0x00007fa2ba6d2f94, pid=12031, tid=12033
            #
            # JRE version: OpenJDK Runtime Environment (17.0.15+6)
            # Problematic frame:
            # C  [libggml-cpu.so+0xed2f94]  ggml_tile_config_init+0x124
            #

            ---------------  T H R E A D  ---------------

            Current thread (0x00007fa2b4018090):  JavaThread "luq-engine" [_thread_in_native, id=12033]
            """;

    @TempDir
    Path folder;

    @Test
    void theReportSaysWhichSignalWhereAndInWhichThread() throws IOException {
        Path file = Files.writeString(folder.resolve("luq-worker-vendor_model-12031.crash.log"), REPORT);
        CrashReport report = reports().of("vendor/model", 12031, Instant.EPOCH).orElseThrow();
        assertEquals(
                new CrashReport(
                        "SIGILL",
                        Optional.of("libggml-cpu.so+0xed2f94 ggml_tile_config_init+0x124"),
                        Optional.of("luq-engine"),
                        file),
                report);
        ProcessExit exit = new ProcessExit(1, Optional.of(report));
        assertEquals("SIGILL", exit.signal());
        assertEquals("SIGILL in libggml-cpu.so", exit.toString(), "what clients may read: no address, no path");
        assertEquals(
                "SIGILL in libggml-cpu.so+0xed2f94 ggml_tile_config_init+0x124; its report is " + file,
                exit.forOperator());
    }

    @Test
    void reportsOfOtherRunsAndOfOtherErrorsAreNone() throws IOException {
        Files.writeString(folder.resolve("luq-worker-m-1.crash.log"), REPORT);
        Files.writeString(folder.resolve("luq-worker-m-2.crash.log"), "#  Internal Error (x.cpp:1), pid=2\n");
        assertEquals(Optional.empty(), reports().of("m", 2, Instant.EPOCH));
        assertEquals(Optional.empty(), reports().of("m", 3, Instant.EPOCH));
        assertTrue(reports().of("m", 1, Instant.EPOCH).isPresent());
    }

    @Test
    void aReportOfAnEarlierProcessWithTheSameIdIsNone() throws IOException {
        Path file = Files.writeString(folder.resolve("luq-worker-m-7.crash.log"), REPORT);
        Instant started = Instant.parse("2026-01-01T00:00:10.500Z");
        Files.setLastModifiedTime(file, FileTime.from(started.minusSeconds(1)));
        assertEquals(Optional.empty(), reports().of("m", 7, started));
        assertTrue(Files.exists(file), "whoever looks for it may still find it");
        Files.setLastModifiedTime(file, FileTime.from(Instant.parse("2026-01-01T00:00:10Z")));
        assertTrue(reports().of("m", 7, started).isPresent(), "on a disk that knows seconds only");
    }

    @Test
    void aReportWithoutALineEndOrWithControlCharactersIsRead() throws IOException {
        Files.writeString(folder.resolve("luq-worker-m-1.crash.log"), REPORT.replace("ggml_tile", "\u001b[31m"));
        assertTrue(reports().of("m", 1, Instant.EPOCH).orElseThrow().toString().contains("\\u001b[31m"));
        Files.write(folder.resolve("luq-worker-m-2.crash.log"), new byte[3 << 20]);
        assertEquals(Optional.empty(), reports().of("m", 2, Instant.EPOCH));
        assertEquals(CrashReports.LONGEST, Files.size(folder.resolve("luq-worker-m-2.crash.log")));
    }

    @Test
    void onlyTheLatestReportsAreKeptAndNobodyElsesFilesTouched() throws IOException {
        Files.writeString(folder.resolve("luq-job-m-1.crash.log"), REPORT);
        for (int pid = 1; pid <= CrashReports.KEPT + 3; pid++) {
            Path file = Files.writeString(folder.resolve("luq-worker-m-" + pid + ".crash.log"), REPORT);
            Files.setLastModifiedTime(file, FileTime.fromMillis(1000L * pid));
        }
        reports().of("m", CrashReports.KEPT + 3, Instant.EPOCH);
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(CrashReports.KEPT + 1, left.count());
        }
        assertFalse(Files.exists(folder.resolve("luq-worker-m-3.crash.log")));
        assertTrue(Files.exists(folder.resolve("luq-job-m-1.crash.log")));
    }

    @Test
    void exitsWithoutReportSayWhatTheyMean() {
        assertEquals("SIGKILL", new ProcessExit(137).toString());
        assertTrue(new ProcessExit(137).forOperator().contains("memory ran out"));
        assertEquals("exit code 3: its Java heap is too small", new ProcessExit(3).toString());
        assertEquals("exit code 5", new ProcessExit(5).toString());
        assertEquals("SIGABRT", new ProcessExit(134).toString());
    }

    private CrashReports reports() {
        return new CrashReports(folder, "worker");
    }
}
