"""Writes the tables of models/README.md about budgets from the report of a re-quantization with --compare.

budgets.py report.json --readme ../README.md
"""

import argparse
import json
import statistics
from collections import defaultdict
from pathlib import Path

MARKS = ("<!-- tables by models/train/budgets.py -->", "<!-- end of the tables about budgets -->")
METHODS = ("best", "allocation", "ladder", "kld", "error", "entropy", "entropy-normed-input")
MIB = 2**20


def right(quality):
    asked = sum(score["asked"] for score in quality["exactMatch"].values())
    return 100 * sum(score["right"] for score in quality["exactMatch"].values()) / asked


def kld(quality, part="all"):
    return quality[part]["meanKld"]


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells):
    return row(*cells) + "\n" + "|" + "---|" * len(cells)


def spread(values, digits):
    error = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{error}"


def series_of(measured):
    """{series: {label: measured}}, in the order of METHODS."""
    found = defaultdict(dict)
    for one in measured:
        found[one["series"]][one["label"]] = one
    names = [name for name in METHODS if name in found] + [name for name in found if name not in METHODS]
    return {"published by default" if name == "best" else name: found[name] for name in names}


def frontier(measured):
    series = series_of(measured)
    labels = list(dict.fromkeys(one["label"] for one in measured))
    yield "Each method at three budgets (of Q4_K_M's bytes):\n"
    yield head("method", *(cell for label in labels for cell in (f"{label}: MiB", "KL", "%")))
    for name, by_label in series.items():
        cells = []
        for label in labels:
            one = by_label.get(label)
            cells += (
                (f"{one['weightBytes'] / MIB:.2f}", f"{kld(one['quality']):.4f}", f"{right(one['quality']):.1f}")
                if one
                else ("", "", "")
            )
        yield row(name, *cells)


def equal_bytes(uniform, measured):
    series = series_of(measured)
    yield "\nUniform types of llama.cpp, and each method at not more than their bytes (KL, nats / exact match, %):\n"
    yield head("type", "MiB", "of Q4_K_M", "uniform", *series)

    def cell(one):
        return f"{kld(one['quality']):.4f} / {right(one['quality']):.1f}" if one else ""

    for one in uniform:
        others = (by_label.get(one["label"]) for by_label in series.values())
        size = f"{one['weightBytes'] / MIB:.2f}", f"{100 * one['ratioToQ4KM']:.1f} %"
        yield row(one["label"], *size, cell(one), *map(cell, others))


def orders(measured):
    """A label is a budget; several random orders are one row."""
    rows = defaultdict(lambda: defaultdict(list))
    for one in measured:
        name = "random" if one["series"].startswith("random") else one["series"]
        rows[name][one["label"]].append(one["quality"])
    labels = list(dict.fromkeys(one["label"] for one in measured))
    yield "\nOrder (IQ1_M first in this order):\n"
    yield head("order", *(cell for label in labels for cell in (f"{label}: KL", "%")))
    for name, by_label in rows.items():
        count = max(map(len, by_label.values()))
        cells = []
        for label in labels:
            found = by_label[label]
            cells += (spread([kld(q) for q in found], 4), spread([right(q) for q in found], 1)) if found else ("", "")
        yield row(f"{name}, mean of {count}" if count > 1 else name, *cells)


def alphas(measured):
    yield "\nAlpha (entropy, 70 %):\n"
    yield head("alpha", "KL", "with images", "text only", "%")
    for one in measured:
        parts = (f"{kld(one['quality'], part):.4f}" for part in ("all", "image", "text"))
        yield row(one["label"], *parts, f"{right(one['quality']):.1f}")


def modalities(measured):
    yield "\nCalibrated with images or without (entropy, 70 %), over seeds:\n"
    yield head("calibration", "seeds", "KL", "with images", "text only", "%")
    series = series_of(measured)
    for name, by_label in series.items():
        found = [one["quality"] for one in by_label.values()]
        parts = (spread([kld(q, part) for q in found], 4) for part in ("all", "image", "text"))
        yield row(name, len(found), *parts, spread([right(q) for q in found], 1))
    if len(series) == 2:
        (first, a), (second, b) = series.items()
        seeds = [seed for seed in a if seed in b]
        klds = spread([kld(a[s]["quality"]) - kld(b[s]["quality"]) for s in seeds], 4)
        points = spread([right(a[s]["quality"]) - right(b[s]["quality"]) for s in seeds], 1)
        yield f"\n{first} minus {second}, by seed: KL {klds}; exact match {points} points"


def tables(report):
    base = report["baseQuality"]
    asked = sum(score["asked"] for score in base["exactMatch"].values())
    comparison = report["comparison"]
    yield f"Base: {right(base):.1f} % of {asked} right. MiB of weights | mean KL, nats | exact match, %\n"
    yield from frontier(comparison["frontier"])
    yield from equal_bytes(comparison["uniform"], comparison["equalBytes"])
    yield from orders(comparison["orders"])
    yield from alphas(comparison["alphas"])
    yield from modalities(comparison["modalities"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="report.json of the job")
    parser.add_argument("--readme", type=Path, help="file whose part between the marks is written anew")
    options = parser.parse_args()
    text = "\n".join(tables(json.loads(options.report.read_text(encoding="utf-8"))))
    print(text)
    if options.readme:
        before, rest = options.readme.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        options.readme.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
