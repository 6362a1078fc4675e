package dev.luq.requant.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A chart of points and lines over two axes, as an element of a page or as an SVG file. Colours are classes of the style
 * sheet, so that they follow its light and dark scheme; markers and lines differ too.
 *
 * @param title read out by screen readers
 * @param integerSteps whether x has one label per whole number
 */
public record Chart(String title, Axis x, Axis y, List<Series> series, boolean integerSteps) {

    private static final double WIDTH = 760;
    private static final double HEIGHT = 340;
    private static final double LEFT = 78;
    private static final double RIGHT = 18;
    private static final double TOP = 12;
    private static final double BOTTOM = 46;

    private static final double LEGEND = 26;

    /** How the points of a series are joined. */
    public enum Line {
        NONE,
        STRAIGHT
    }

    /**
     * @param name in the legend
     * @param labelled whether each point's label is written beside it
     */
    public record Series(String name, Look look, Line line, boolean labelled, List<Point> points) {
        public Series {
            points = List.copyOf(points);
        }

        /** @param number among the series of its chart, from 0: gives the look */
        public Series(String name, int number, Line line, boolean labelled, List<Point> points) {
            this(name, Look.of(number), line, labelled, points);
        }
    }

    /**
     * @param label its name; with {@code detail} what the mouse shows
     * @param spread half of the length of an error bar, in y's unit; 0 for none
     */
    public record Point(double x, double y, double spread, String label, String detail) {
        public Point(double x, double y, String label, String detail) {
            this(x, y, 0, label, detail);
        }
    }

    public Chart(String title, Axis x, Axis y, List<Series> series) {
        this(title, x, y, series, false);
    }

    /** A figure element: the legend and the drawing. */
    String html() {
        return "<figure>" + legend() + svg() + "</figure>\n";
    }

    /** An SVG file of its own, with the legend above the drawing. */
    public String file() {
        StringBuilder keys = new StringBuilder();
        double left = LEFT;
        for (Series s : series) {
            keys.append(String.format(Locale.ROOT, "<g transform=\"translate(%.0f 8)\">", left))
                    .append(key(s));
            text(keys, 32, 10, "start", s.name);
            keys.append("</g>");
            left += 52 + 7.0 * s.name.length();
        }
        return String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\">"
                        + "<style>%s</style><rect class=\"page\" width=\"100%%\" height=\"100%%\"/>%s"
                        + "<g transform=\"translate(0 %.0f)\">%s</g></svg>\n",
                WIDTH,
                HEIGHT + LEGEND,
                Style.DRAWING,
                keys,
                LEGEND,
                drawing());
    }

    private String legend() {
        if (series.size() < 2) {
            return "";
        }
        return series.stream()
                .map(s ->
                        "<span class=\"key\"><svg width=\"26\" height=\"12\" aria-hidden=\"true\">" + key(s) + "</svg>"
                                + Html.text(s.name)
                                + "</span>")
                .collect(Collectors.joining("", "<figcaption>", "</figcaption>"));
    }

    private static String key(Series s) {
        return (s.line == Line.NONE ? "" : line(s, "M1 6H25")) + marker(s, 13, 6, "");
    }

    private String svg() {
        return String.format(
                        Locale.ROOT,
                        "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">",
                        WIDTH,
                        HEIGHT,
                        Html.text(title))
                + drawing() + "</svg>";
    }

    private String drawing() {
        StringBuilder svg = new StringBuilder();
        grid(svg);
        for (Series s : series) {
            List<Point> shown = s.points.stream()
                    .filter(p -> Double.isFinite(p.x) && Double.isFinite(p.y))
                    .toList();
            if (s.line != Line.NONE && shown.size() > 1) {
                svg.append(line(
                        s,
                        shown.stream()
                                .map(p -> coordinates(px(p.x), py(p.y)))
                                .collect(Collectors.joining("L", "M", ""))));
            }
            shown.forEach(p -> point(svg, s, p));
        }
        return svg.toString();
    }

    private void grid(StringBuilder svg) {
        double bottom = HEIGHT - BOTTOM;
        for (double tick : y.ticks()) {
            svg.append(String.format(
                    Locale.ROOT, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, py(tick), WIDTH - RIGHT));
            text(svg, LEFT - 8, py(tick) + 4, "end", Axis.text(tick));
        }
        for (double tick : x.ticks()) {
            if (integerSteps && tick != Math.rint(tick)) {
                continue;
            }
            svg.append(String.format(Locale.ROOT, "<path class=\"tick\" d=\"M%.1f %.1fv5\"/>", px(tick), bottom));
            text(svg, px(tick), bottom + 19, "middle", Axis.text(tick));
        }
        svg.append(String.format(
                Locale.ROOT, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, bottom, WIDTH - RIGHT));
        text(svg, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle", x.label());
        double middle = (TOP + bottom) / 2;
        svg.append(String.format(
                Locale.ROOT,
                "<text transform=\"rotate(-90 14 %.1f)\" x=\"14\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
                middle,
                middle,
                Html.text(y.label())));
    }

    private void point(StringBuilder svg, Series s, Point p) {
        if (p.spread > 0) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<path class=\"line c%d\" d=\"M%.1f %.1fV%.1f\"/>",
                    s.look.color(),
                    px(p.x),
                    py(p.y - p.spread),
                    py(p.y + p.spread)));
        }
        svg.append(marker(
                s,
                px(p.x),
                py(p.y),
                "<title>" + Html.text(p.label + (p.detail.isEmpty() ? "" : "\n" + p.detail)) + "</title>"));
        if (s.labelled) {
            // Beside the point, on the side where there is room.
            boolean left = px(p.x) > WIDTH - RIGHT - 90;
            svg.append("<g class=\"label\">");
            text(svg, px(p.x) + (left ? -9 : 9), py(p.y) + 4, left ? "end" : "start", p.label);
            svg.append("</g>");
        }
    }

    private static String line(Series s, String path) {
        return "<path class=\"line c" + s.look.color() + (s.look.dashed() ? " dashed" : "") + "\" d=\"" + path + "\"/>";
    }

    /** With a halo in the page's colour. */
    private static String marker(Series s, double x, double y, String inner) {
        return "<path class=\"mark c" + s.look.color() + "\" d=\"M" + coordinates(x, y)
                + s.look.marker().path() + "\">" + inner + "</path>";
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        svg.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
                x,
                y,
                anchor,
                Html.text(text)));
    }

    private static String coordinates(double x, double y) {
        return String.format(Locale.ROOT, "%.1f %.1f", x, y);
    }

    private double px(double value) {
        return LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
    }

    private double py(double value) {
        return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
    }
}
