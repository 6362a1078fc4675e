package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A part of a page that is made of the code: between the lines {@code <!-- generated: NAME -->} and
 * {@code <!-- end of NAME -->}.
 */
final class GeneratedBlock {

    private static final String WRITE = "./luq test -Dtest='ArchitectureTest,ConfigurationTest' -Dpages=write";

    private GeneratedBlock() {}

    /** The part is this text, or becomes it when the pages are to be written. */
    static void check(Path page, String name, String text) throws IOException {
        String all = Files.readString(page);
        String begin = "<!-- generated: " + name + " -->\n";
        String end = "<!-- end of " + name + " -->";
        int from = all.indexOf(begin) + begin.length();
        int to = all.indexOf(end, from);
        assertTrue(all.contains(begin) && to >= 0, page + " has no part " + begin.strip() + " ... " + end);
        String wanted = "\n" + text.strip() + "\n\n";
        if ("write".equals(System.getProperty("pages"))) {
            Files.writeString(page, all.substring(0, from) + wanted + all.substring(to));
        } else {
            assertEquals(wanted, all.substring(from, to), page + " is not what the code says. Write it anew: " + WRITE);
        }
    }
}
