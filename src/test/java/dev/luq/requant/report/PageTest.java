package dev.luq.requant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.files.JsonFile;
import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

class PageTest {

    @TempDir
    Path folder;

    private static Document parsed(String html) throws Exception {
        String body = html.substring(html.indexOf("<html"));
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void thePageIsWellFormedAndHasThePictures() throws Exception {
        String html = Page.html(SampleReport.full("demo"));
        Files.writeString(
                Files.createDirectories(Path.of("target/sample-report")).resolve("report.html"), html);
        Document page = parsed(html);
        int pictures = page.getElementsByTagName("figure").getLength();
        assertEquals(9, pictures, "entropies, stability, costs, two of sizes, one of speeds, two of orders, alpha");
        for (String text : List.of(
                "26.0tokens per second, measured",
                "Uniform types at equal bytes",
                "IQ2_XXS",
                "highest first",
                "random 2",
                "text only",
                "Not measured",
                "text only, seed 4: too few")) {
            assertTrue(page.getDocumentElement().getTextContent().contains(text), text);
        }
    }

    @Test
    void everyPictureIsATableToo() throws Exception {
        Document page = parsed(Page.html(SampleReport.full("demo")));
        String section = "";
        boolean open = false;
        for (Node node = page.getElementsByTagName("main").item(0).getFirstChild();
                node != null;
                node = node.getNextSibling()) {
            switch (node.getNodeName()) {
                case "h2" -> {
                    assertFalse(open, section);
                    section = node.getTextContent();
                }
                case "figure" -> open = true;
                case "div" ->
                    open &= ((Element) node).getElementsByTagName("table").getLength() == 0;
                default -> {}
            }
        }
        assertFalse(open, section);
        String text = page.getDocumentElement().getTextContent();
        assertTrue(text.contains("layermixed (ranks)image tokenstext tokens\n06.4006.3006.000"), text);
        assertTrue(text.contains("tau distance\n200.300\n500.200"), text);
    }

    @Test
    void theSeriesOfAChartCanBeToldApart() {
        List<Integer> sizes = new ArrayList<>();
        for (String legend : matches("<figcaption>(.*?)</figcaption>", Page.html(SampleReport.full("demo")))) {
            List<String> keys = matches("<svg[^>]*>(.*?)</svg>", legend);
            assertEquals(keys.size(), Set.copyOf(keys).size(), legend);
            sizes.add(keys.size());
        }
        assertEquals(List.of(3, 9, 9, 9, 9, 4, 4, 3), sizes, "nine precisions; eight methods and the uniform types");
    }

    @Test
    void twelveLooksDifferWithoutColoursAndAsManyWithoutLines() {
        List<Look> looks = IntStream.range(0, 12).mapToObj(Look::of).toList();
        assertEquals(
                12,
                looks.stream()
                        .map(look -> new Look(0, look.marker(), look.dashed()))
                        .distinct()
                        .count());
        assertEquals(
                12,
                looks.stream()
                        .map(look -> new Look(look.color(), look.marker(), false))
                        .distinct()
                        .count());
    }

    @Test
    void whatHasNoPicturesAndNoAnswersIsNeitherLikeTheBaseNorWrong() throws Exception {
        String html = Page.html(SampleReport.withoutPictures("demo"));
        assertFalse(html.contains("aria-label=\"Right answers"), "nothing was answered");
        String alphas = html.substring(html.indexOf("Share of images in the calibration"));
        List<String> keys = matches(
                "</svg>([^<]*)</span>",
                matches("<figcaption>(.*?)</figcaption>", alphas).get(0));
        assertEquals(List.of("text only", "all"), keys);
        assertEquals(Set.of(""), cells(html, "after an image"));
        // Above the comparisons, the published model's own answers.
        assertEquals(Set.of(""), cells(html.substring(html.indexOf("Size and quality")), "right"));
        assertEquals(Set.of(""), cells(html, "answers right, %"));
        assertFalse(cells(html, "text only").contains(""));
    }

    /** What is below this header in all tables. */
    private static Set<String> cells(String html, String header) {
        Set<String> cells = new TreeSet<>();
        for (String table : matches("<table>(.*?)</table>", html)) {
            int column = matches("<th scope=\"col\">(.*?)</th>", table).indexOf(header);
            matches("<tr>(<th scope=\"row\">.*?)</tr>", table).stream()
                    .filter(row -> column > 0)
                    .map(row -> matches("<t[hd][^>]*>(.*?)</t[hd]>", row).get(column))
                    .forEach(cells::add);
        }
        return cells;
    }

    private static List<String> matches(String regex, String text) {
        return Pattern.compile(regex, Pattern.DOTALL)
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    @Test
    void nothingIsFetchedOrRun() {
        String html = Page.html(SampleReport.full("demo"));
        for (String foreign : List.of("<script", "http:", "https:", "<link", "<img", "url(", "@import", " on")) {
            assertFalse(
                    html.replaceAll(">[^<]*<", "><")
                            .replaceAll("aria-label=\"[^\"]*\"", "")
                            .contains(foreign),
                    foreign);
        }
    }

    @Test
    void namesFromOutsideAreText() throws Exception {
        String html = Page.html(SampleReport.full("<script>alert('x')</script>\"&"));
        assertFalse(html.contains("<script>"));
        assertTrue(parsed(html).getDocumentElement().getTextContent().contains("<script>alert('x')</script>\"&"));
        assertTrue(html.contains("&lt;count&gt;"));
    }

    @Test
    void whatWasNotMeasuredIsLeftOut() throws Exception {
        Report full = SampleReport.full("demo");
        Report brief = new Report(
                full.version(),
                full.modelId(),
                full.baseName(),
                full.manifestId(),
                full.created(),
                full.budget(),
                full.method(),
                full.chosen(),
                full.why(),
                full.published(),
                full.types(),
                full.quality(),
                Optional.empty(),
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                full.provenance(),
                full.speed(),
                Optional.empty());
        assertEquals(0, parsed(Page.html(brief)).getElementsByTagName("figure").getLength());
    }

    @Test
    void aPlanByMatrixIsShownMatrixByMatrix() throws Exception {
        Report full = SampleReport.full("demo");
        Plan plan = new Plan(
                List.of(Precision.IQ3_S, Precision.Q6_K),
                Precision.IQ4_XS,
                Precision.F16,
                new TreeMap<>(Map.of(
                        "token_embd.weight", GgmlType.IQ4_XS,
                        "blk.0.attn_q.weight", GgmlType.IQ2_XS,
                        "blk.0.ffn_up.weight", GgmlType.IQ3_S,
                        "blk.1.attn_q.weight", GgmlType.Q6_K)));
        Candidate published =
                new Candidate(plan, 3_300_000, 3.9, 0.7, full.published().memory());
        String text = parsed(Page.html(new Report(
                        full.version(),
                        full.modelId(),
                        full.baseName(),
                        full.manifestId(),
                        full.created(),
                        full.budget(),
                        full.method(),
                        full.chosen(),
                        full.why(),
                        published,
                        full.types(),
                        full.quality(),
                        full.baseQuality(),
                        full.choices(),
                        full.rankings(),
                        full.costs(),
                        full.sensitivities(),
                        full.entropies(),
                        full.provenance(),
                        full.speed(),
                        full.comparison())))
                .getDocumentElement()
                .getTextContent();
        assertTrue(text.contains("layerattn_qffn_up\n0IQ2_XSIQ3_S\n1Q6_K"), text);
        assertTrue(text.contains("token_embd.weightIQ4_XS"), text);
        assertTrue(text.contains("attn_v 0-00.02000.050"), text);
    }

    @Test
    void theReportComesBackFromItsJson() {
        Report report = SampleReport.full("demo");
        JsonFile.write(folder.resolve("report.json"), report);
        assertEquals(Optional.of(report), JsonFile.read(folder.resolve("report.json"), Report.class));
    }
}
