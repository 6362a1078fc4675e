package dev.luq.requant.report;

/**
 * What tells a series from the others of its chart, with colours and without.
 *
 * @param color number of a class of the style sheet, c0 to c6
 * @param dashed whether its line is, where it has one
 */
public record Look(int color, Marker marker, boolean dashed) {

    /** Of what the other series are compared with. */
    static final Look GREY = new Look(6, Marker.SQUARE, false);

    private static final int COLORS = 6;

    /** Shapes of about the same size. */
    public enum Marker {
        CIRCLE("m4.5 0a4.5 4.5 0 1 0 -9 0a4.5 4.5 0 1 0 9 0z"),
        SQUARE("m-4 -4h8v8h-8z"),
        DIAMOND("m0 -5.6l5.6 5.6l-5.6 5.6l-5.6 -5.6z"),
        UP("m0 -5.2l5.2 9h-10.4z"),
        DOWN("m0 5.2l5.2 -9h-10.4z"),
        CROSS("m-2 -5h4v3h3v4h-3v3h-4v-3h-3v-4h3z");

        private final String path;

        Marker(String path) {
            this.path = path;
        }

        /** Path commands from its middle. */
        String path() {
            return path;
        }
    }

    /**
     * The look of a chart's series by its number from 0. Twelve differ in marker or dashes alone, 36 in marker or
     * colour: each further round of colours shifts the markers by one, and every other one is dashed.
     */
    static Look of(int number) {
        int round = number / COLORS;
        Marker[] markers = Marker.values();
        return new Look(number % COLORS, markers[(number + round) % markers.length], round % 2 == 1);
    }
}
