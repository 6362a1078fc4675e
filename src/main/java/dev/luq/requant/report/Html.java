package dev.luq.requant.report;

import static dev.luq.files.Units.MIB;

import dev.luq.files.HtmlText;
import java.util.List;
import java.util.Locale;

/** Pieces of a page. Every text goes through {@link #text}. */
final class Html {

    private Html() {}

    /** Text for content and quoted attributes. */
    static String text(String text) {
        return HtmlText.of(text);
    }

    static String heading(String text) {
        return "<h2>" + text(text) + "</h2>\n";
    }

    static String paragraph(String text) {
        return "<p>" + text(text) + "</p>\n";
    }

    /**
     * A table whose first column names the rows; all others are numbers.
     *
     * @param rows of texts, as many as the header has
     */
    static String table(List<String> header, List<List<String>> rows) {
        StringBuilder table = new StringBuilder("<div class=\"scroll\"><table><thead><tr>");
        header.forEach(
                name -> table.append("<th scope=\"col\">").append(text(name)).append("</th>"));
        table.append("</tr></thead><tbody>\n");
        for (List<String> row : rows) {
            table.append("<tr><th scope=\"row\">").append(text(row.get(0))).append("</th>");
            row.subList(1, row.size())
                    .forEach(cell -> table.append("<td>").append(text(cell)).append("</td>"));
            table.append("</tr>\n");
        }
        return table.append("</tbody></table></div>\n").toString();
    }

    static String number(double value, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    static String percent(double share) {
        return number(100 * share, 1) + " %";
    }

    /** Nats with three significant digits, or more where they are below a thousandth. */
    static String nats(double value) {
        return value == 0
                ? "0"
                : value < 0.001
                        ? String.format(Locale.ROOT, "%.1e", value)
                        : value < 1 ? number(value, 4) : number(value, 2);
    }

    static String bytes(long bytes) {
        double mib = bytes / MIB;
        return mib >= 1024
                ? number(mib / 1024, 2) + " GiB"
                : mib >= 100 ? number(mib, 0) + " MiB" : number(mib, 2) + " MiB";
    }
}
