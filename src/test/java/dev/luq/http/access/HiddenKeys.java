package dev.luq.http.access;

import java.nio.file.Files;
import java.nio.file.Path;

/** A process that hides its keys and then shows what the system shows of it. */
final class HiddenKeys {

    private HiddenKeys() {}

    public static void main(String[] arguments) throws Exception {
        ProcessSecrets.hide();
        System.out.write(Files.readAllBytes(Path.of("/proc/self/environ")));
        System.out.write(Files.readAllBytes(Path.of("/proc/self/cmdline")));
        System.out.println(System.getenv("LUQ_API_KEYS") + System.getProperty("luq.api.keys"));
    }
}
