package dev.luq.requant.report;

/** The page's style sheet, for light and dark schemes and for paper. */
final class Style {

    /** Colours c0 to c5 for series, c6 for what they are compared with. */
    private static final String PALETTE =
            """
            :root { color-scheme: light dark; --page: #fcfcfb; --card: #ffffff; --ink: #1b1f24; --soft: #5d6570;
              --rule: #e3e5e8; --grid: #eceef0;
              --c0: #2560c4; --c1: #c8500a; --c2: #0b8468; --c3: #9231ab; --c4: #8f6400; --c5: #c21f57; --c6: #6a7280; }
            @media (prefers-color-scheme: dark) { :root { --page: #14171a; --card: #1b1f23; --ink: #e8eaed; --soft: #a3abb5;
              --rule: #31363c; --grid: #282d32;
              --c0: #74a7ff; --c1: #ff9a58; --c2: #45cdaa; --c3: #d690ea; --c4: #e2b648; --c5: #ff7fa8; --c6: #a9b1bc; } }
            """;

    private static final String MARKS =
            """
            svg text { fill: var(--soft); font-size: 12.5px; font-family: inherit; }
            .label text { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
            .grid { stroke: var(--grid); } .axis, .tick { stroke: var(--soft); } .grid, .axis, .tick { fill: none; stroke-width: 1; }
            .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .dashed { stroke-dasharray: 5 4; }
            .mark { stroke: var(--card); stroke-width: 1.5; }
            .line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); } .line.c3 { stroke: var(--c3); }
            .line.c4 { stroke: var(--c4); } .line.c5 { stroke: var(--c5); } .line.c6 { stroke: var(--c6); }
            .mark.c0 { fill: var(--c0); } .mark.c1 { fill: var(--c1); } .mark.c2 { fill: var(--c2); } .mark.c3 { fill: var(--c3); }
            .mark.c4 { fill: var(--c4); } .mark.c5 { fill: var(--c5); } .mark.c6 { fill: var(--c6); }
            """;

    /** What a drawing needs that stands in a file of its own. */
    static final String DRAWING = PALETTE + MARKS + ".page { fill: var(--card); }\n";

    static final String SHEET = PALETTE
            + """
            * { box-sizing: border-box; }
            body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
            main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 64px; }
            h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 4px; }
            h2 { font-size: 1.2rem; margin: 44px 0 6px; padding-top: 14px; border-top: 1px solid var(--rule); }
            p { margin: 6px 0 12px; max-width: 70ch; }
            .soft, figcaption { color: var(--soft); }
            .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 22px 0; }
            .tile { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 14px; }
            .tile b { display: block; font-size: 1.45rem; font-weight: 600; line-height: 1.2; }
            .tile span { color: var(--soft); font-size: .85rem; }
            figure { margin: 14px 0 20px; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; }
            figcaption { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: .85rem; margin: 2px 4px 8px; }
            .key { display: inline-flex; align-items: center; gap: 6px; }
            figure svg[role] { display: block; width: 100%; height: auto; }
            .scroll { overflow-x: auto; margin: 12px 0 18px; }
            table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; min-width: 50%; }
            th, td { padding: 5px 12px 5px 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; font-weight: 400; }
            th:first-child { text-align: left; } thead th { color: var(--soft); border-bottom-color: var(--soft); vertical-align: bottom; }
            .layers { display: flex; flex-wrap: wrap; gap: 4px; margin: 12px 0; padding: 0; list-style: none; }
            .layers li { border: 1px solid var(--rule); border-radius: 6px; padding: 4px 8px; background: var(--card); font-size: .8rem; text-align: center; min-width: 58px; }
            .layers li.low { border-color: var(--c1); box-shadow: inset 0 -3px var(--c1); }
            .layers b { display: block; font-weight: 600; }
            pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; color: var(--soft); }
            @media print { body { background: #fff; } figure, .tile { break-inside: avoid; } }
            """
            + MARKS;

    private Style() {}
}
