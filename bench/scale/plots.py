"""The pictures of docs/scale.md."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from workload import quantile

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams.update(
    {"svg.hashsalt": "luq", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
)

from matplotlib import pyplot  # noqa: E402 (after the choice of what draws)


def save(figure: pyplot.Figure, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def policies(file: Path, counts: list[int], by_count: dict, load: float, loads: list[float], by_load: dict) -> None:
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(11, 3.4))
    for policy, outcomes in by_count.items():
        left.plot(counts, [outcome.p95 for outcome in outcomes], marker="o", markersize=3, label=policy)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="replicas",
        ylabel="first token, p95, s",
        title=f"load {load:.0%} of capacity",
    )
    for policy, outcomes in by_load.items():
        middle.plot(loads, [outcome.p95 for outcome in outcomes], marker="o", markersize=3, label=policy)
        right.plot(loads, [3600 * outcome.answers for outcome in outcomes], marker="o", markersize=3, label=policy)
    middle.set(yscale="log", xlabel="load, share of capacity", ylabel="first token, p95, s", title="30 replicas")
    right.set(xlabel="load, share of capacity", ylabel="answers an hour of a replica", title="30 replicas")
    left.legend(frameon=False)
    save(figure, file)


def day(file: Path, rate: list[float], days: list) -> None:
    """rate: questions in a second, every five minutes."""
    figure, (above, middle, below) = pyplot.subplots(3, 1, figsize=(9, 7), sharex=True)
    above.plot([i / 12 for i in range(len(rate))], rate, color="black")
    above.set(ylabel="questions/s", ylim=(0, None))
    for name, ready, requests in days:
        middle.step([hour for hour, _ in ready], [count for _, count in ready], where="post", label=name)
        firsts: dict[int, list[float]] = {}
        for request in requests:
            if not request.refused:
                firsts.setdefault(int(request.sent // 900), []).append(request.time_to_first_token)
        quarters = sorted(firsts)
        below.plot([q / 4 for q in quarters], [quantile(firsts[q], 0.95) for q in quarters], label=name)
    middle.set(ylabel="replicas that are ready", ylim=(0, None))
    middle.legend(frameon=False)
    below.set(xlabel="hour", ylabel="first token, p95, s", yscale="log", xlim=(0, 24))
    save(figure, file)
