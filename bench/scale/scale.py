"""./luq bench scale: what replicas of this server do together, by a simulation that is calibrated by measurements."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import simpy

import models
import plots
from calibrate import Measurement, calibrate
from capacity import capacity, slot_bytes
from fleet import Autoscaler, Behavior, Fleet
from replica import Request
from workload import Conversations, OpenLoop, quantile

POLICIES = "random", "least loaded", "affine", "affine, bounded"
SAYS = Conversations()
SMALL_TALK = Conversations(picture_cells=100, question=40, answer=30)
"""What the demo model is asked: small pictures, short answers."""
HOUR = 3600.0


@dataclass(frozen=True)
class Outcome:
    """Of a fleet under a load, after it has warmed up."""

    answers: float
    """In a second, of one replica on average."""
    mean: float
    p95: float
    """Seconds to the first token."""
    refused: float
    encoded: float
    """Encodings for a question."""

    @staticmethod
    def of(requests: list[Request], replicas: int, seconds: float) -> Outcome:
        taken = [request for request in requests if not request.refused]
        firsts = [request.time_to_first_token for request in taken]
        return Outcome(
            answers=len(taken) / seconds / replicas,
            mean=sum(firsts) / max(1, len(firsts)),
            p95=quantile(firsts, 0.95),
            refused=1 - len(taken) / max(1, len(requests)),
            encoded=sum(request.encoded for request in taken) / max(1, len(taken)),
        )


def steady(
    model: models.Model, says: Conversations, policy: str, replicas: int, rate: float, seconds: float, seed: int
) -> Outcome:
    """A fleet of so many replicas; rate: conversations that begin in a second at one replica on average."""
    env = simpy.Environment()
    fleet = Fleet(env, model.costs, model.shape, policy, replicas, seed)
    total = rate * replicas
    warm_up = max(300.0, seconds / 2)
    load = OpenLoop(env, fleet.submit, says, lambda _: total, total, warm_up + seconds, seed)
    env.run(warm_up + seconds)
    # Those that are under way end; nobody begins meanwhile.
    env.run()
    counted = [request for request in load.requests if warm_up <= request.sent < warm_up + seconds]
    return Outcome.of(counted, replicas, seconds)


def calibrated(arguments: argparse.Namespace) -> int:
    costs = calibrate(Measurement(arguments.measurement))
    arguments.out.write_text(json.dumps(asdict(costs), indent=2) + "\n")
    for name, value in asdict(costs).items():
        print(f"{name:10} {value}")
    return 0


def predict(arguments: argparse.Namespace) -> int:
    costs = models.demo().costs
    worst = 0.0
    print("| clients | pictures | questions each | tokens/s | first token, mean, ms | p95, ms |")
    print("|---|---|---|---|---|---|")
    for file in arguments.measurements:
        measurement = Measurement(file)
        for turn in measurement.turns:
            measured, simulated = turn.figures(), turn.predicted(costs)
            cells = []
            for name, scale in (("throughput", 1), ("mean", 1000), ("p95", 1000)):
                was, said = getattr(measured, name), getattr(simulated, name)
                worst = max(worst, abs(said / was - 1))
                cells.append(f"{scale * was:.1f}, predicted {scale * said:.1f} ({100 * (said / was - 1):+.0f} %)")
            questions = measurement.questions if turn.pictures else 1
            print(f"| {turn.clients} | {turn.pictures} % | {questions} | {' | '.join(cells)} |")
    print(f"\nfurthest from what was measured: {100 * worst:.0f} %")
    return 0 if worst <= arguments.within / 100 else 1


def capacities(_: argparse.Namespace) -> int:
    print("| model | memory, GiB | of it a slot, MiB | tokens/s, 1 stream; 4 slots | prompt tokens/s | ", end="")
    print("questions/s | conversations/s |\n" + "|---" * 7 + "|")
    for model, says in sizes():
        costs, slots = model.costs, model.shape.slots
        full = capacity(costs, model.shape, says)
        print(
            f"| {model.name} | {model.memory / 2**30:.2f} | {slot_bytes(model.shape, model.context) / 2**20:.0f} "
            f"| {1 / (costs.step + costs.decode):.1f}; {slots / (costs.step + slots * costs.decode):.1f} "
            f"| {model.shape.batch / (costs.step + model.shape.batch * costs.prefill):.0f} "
            f"| {full.requests:.3f} | {full.new_pictures:.3f} |"
        )
    return 0


def sizes() -> list[tuple[models.Model, Conversations]]:
    return [(models.demo(), SMALL_TALK), (models.luq(), SAYS), (models.q4_k_m(), SAYS)]


def policies(arguments: argparse.Namespace) -> int:
    """The same load for a replica, and replicas from 1 to 1,000; then one number of replicas, and loads."""
    model = models.luq()
    full = capacity(model.costs, model.shape, SAYS).requests / SAYS.questions
    counts = [count for count in (1, 3, 10, 30, 100, 1000) if count <= arguments.most]
    by_count = {}
    for policy in POLICIES:
        by_count[policy] = [
            steady(model, SAYS, policy, count, arguments.load * full, max(300.0, 9_000 / count), arguments.seed)
            for count in counts
        ]
    print("| replicas | " + " | ".join(POLICIES) + " |")
    print("|---" * (1 + len(POLICIES)) + "|")
    for i, count in enumerate(counts):
        print(f"| {count} | " + " | ".join(described(by_count[policy][i]) for policy in POLICIES) + " |")
    loads = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1]
    by_load = {
        policy: [steady(model, SAYS, policy, 30, load * full, 600.0, arguments.seed) for load in loads]
        for policy in POLICIES
    }
    plots.policies(arguments.plot, counts, by_count, arguments.load, loads, by_load)
    return 0


def described(outcome: Outcome) -> str:
    return f"{outcome.p95:.0f} s; {outcome.answers:.3f}/s; {100 * outcome.refused:.0f} %; {outcome.encoded:.2f}"


@dataclass(frozen=True)
class Scaling:
    """A way to have as many replicas as needed through a day."""

    name: str
    metric: Callable[[Fleet], float] | None
    behavior: Behavior


def scalings(most: int, slots: int) -> list[Scaling]:
    return [
        Scaling("always as many as the peak needs", None, Behavior(least=most, most=most)),
        Scaling("2 waiting for a replica (the chart's default)", Fleet.waiting, Behavior()),
        Scaling("waiting and running, half of the slots", Fleet.at_ready, Behavior(target=slots / 2)),
    ]


def day(arguments: argparse.Namespace) -> int:
    model = models.luq()
    full = capacity(model.costs, model.shape, SAYS).requests / SAYS.questions
    peak = arguments.load * full * arguments.replicas

    def rate(time: float) -> float:
        """Least at 4 o'clock, most at 16 o'clock."""
        return peak * (0.1 + 0.9 * (1 - math.cos(2 * math.pi * (time / HOUR - 4) / 24)) / 2)

    print("| replicas | p95 of the first token, s | refused | replica hours | most at once |")
    print("|---|---|---|---|---|")
    days = []
    for scaling in scalings(arguments.replicas, model.shape.slots):
        env = simpy.Environment()
        least = scaling.behavior.least
        fleet = Fleet(env, model.costs, model.shape, arguments.policy, least, arguments.seed, model.seconds_to_ready)
        if scaling.metric:
            Autoscaler(env, fleet, scaling.behavior, scaling.metric)
        load = OpenLoop(env, fleet.submit, SAYS, rate, peak, 24 * HOUR, arguments.seed)
        ready = []

        def watch(env=env, fleet=fleet, ready=ready):
            while True:
                ready.append((env.now / HOUR, len(fleet.ready)))
                yield env.timeout(300)

        env.process(watch())
        env.run(24 * HOUR)
        fleet.count()
        requests = [request for request in load.requests if not math.isnan(request.end)]
        outcome = Outcome.of(requests, arguments.replicas, 24 * HOUR)
        print(
            f"| {scaling.name} | {outcome.p95:.0f} | {100 * outcome.refused:.1f} % "
            f"| {fleet.replica_seconds / HOUR:.0f} | {max(count for _, count in ready)} |",
            flush=True,
        )
        days.append((scaling.name, ready, requests))
    plots.day(arguments.plot, [rate(300 * i) * SAYS.questions for i in range(289)], days)
    return 0


def nodes(arguments: argparse.Namespace) -> int:
    """The rate that nodes carry, by bisection."""
    print("| model | memory of a node, GiB | " + " | ".join(f"{count} nodes" for count in arguments.nodes) + " |")
    print("|---" * (2 + len(arguments.nodes)) + "|")
    for model, says in sizes():
        full = capacity(model.costs, model.shape, says).requests / says.questions
        cells = []
        for count in arguments.nodes:
            low, high = 0.0, 1.2
            for _ in range(5):
                load = (low + high) / 2
                seconds = max(60 / full / count, 30 / full, 60)
                outcome = steady(model, says, arguments.policy, count, load * full, seconds, arguments.seed)
                if outcome.p95 <= arguments.first_token and not outcome.refused:
                    low = load
                else:
                    high = load
            cells.append(f"{3600 * low * full * says.questions * count:,.0f}")
        print(f"| {model.name} | {model.memory / 2**30:.2f} | " + " | ".join(cells) + " |", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="luq bench scale", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of arrivals and lengths (default: %(default)s)")
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("calibrate", help="costs of the demo model from a file of bench load")
    command.add_argument("measurement", type=Path, help="--clients 1,4 --pictures 0,100 --output FILE")
    command.add_argument("--out", type=Path, default=models.DEMO, help="default: %(default)s")
    command.set_defaults(run=calibrated)

    command = commands.add_parser("predict", help="files of bench load against the simulation")
    command.add_argument("measurements", type=Path, nargs="+")
    command.add_argument(
        "--within", type=float, default=15, help="percent; exit status 1 beyond (default: %(default)s)"
    )
    command.set_defaults(run=predict)

    command = commands.add_parser("capacity", help="what one replica does at most, by model")
    command.set_defaults(run=capacities)

    command = commands.add_parser("policies", help="ways to choose a replica, with 1 to 1,000 of them")
    command.add_argument("--load", type=float, default=0.4, help="share of a replica's capacity (default: %(default)s)")
    command.add_argument("--most", type=int, default=1000, help="replicas (default: %(default)s)")
    command.add_argument("--plot", type=Path, required=True, help="SVG to write")
    command.set_defaults(run=policies)

    command = commands.add_parser("day", help="autoscaling through a day")
    command.add_argument("--replicas", type=int, default=20, help="that the peak needs (default: %(default)s)")
    command.add_argument("--load", type=float, default=0.4, help="of each of them then (default: %(default)s)")
    command.add_argument("--policy", choices=POLICIES, default="affine, bounded", help="default: %(default)s")
    command.add_argument("--plot", type=Path, required=True, help="SVG to write")
    command.set_defaults(run=day)

    command = commands.add_parser("nodes", help="questions an hour that nodes carry, by model")
    command.add_argument("--nodes", type=int, nargs="+", default=[1, 3, 10], help="default: %(default)s")
    command.add_argument("--first-token", type=float, default=60, help="seconds, p95 (default: %(default)s)")
    command.add_argument("--policy", choices=POLICIES, default="affine, bounded", help="default: %(default)s")
    command.set_defaults(run=nodes)

    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
