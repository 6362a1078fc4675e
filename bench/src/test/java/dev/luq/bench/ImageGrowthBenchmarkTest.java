package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.cli.Printed;
import dev.luq.llama.Llama;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import picocli.CommandLine;

@Integration
class ImageGrowthBenchmarkTest {

    @TempDir
    Path folder;

    @Test
    void everySizeHasARowAndAPointInTheDrawing() throws Exception {
        Llama.init(line -> {});
        Path plot = folder.resolve("growth.svg");
        ImageGrowthBenchmark benchmark = CommandLine.populateCommand(
                new ImageGrowthBenchmark(), "--tokens=9,17", "--repetitions=1", "--threads=1", "--plot=" + plot);
        String printed = Printed.by(() -> {
            benchmark.run(ProjectorSynthesizerTest.tiny(true));
            return null;
        });
        assertEquals(
                2, printed.lines().filter(line -> line.matches(" +(9|16) .*")).count(), printed);
        Document drawing =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(plot.toFile());
        assertEquals("svg", drawing.getDocumentElement().getTagName());
        assertEquals(2 * 2, drawing.getElementsByTagName("title").getLength(), "points");
    }

    @Test
    void sizesThatNoPictureHasAreRefused() {
        assertTrue(BenchCommand.commandLine().execute("image-growth", "--tokens=0") > 0);
    }
}
