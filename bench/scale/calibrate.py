"""Costs of a replica from what ./luq bench load measured, and what a simulation with them says of other turns."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy
import simpy
from scipy.optimize import minimize

from fleet import noise
from replica import Costs, Replica, Request, Shape
from workload import ClosedLoop, quantile

SHARES = 0.02, 1.0
"""The least and the greatest that are tried."""


@dataclass(frozen=True)
class Figures:
    """Of a turn: tokens/s, and seconds to the first token."""

    throughput: float
    mean: float
    p95: float

    @staticmethod
    def of(requests: list[Request]) -> Figures:
        firsts = [request.time_to_first_token for request in requests]
        tokens = sum(request.answer for request in requests)
        return Figures(
            tokens / max(request.end for request in requests), sum(firsts) / len(firsts), quantile(firsts, 0.95)
        )

    @staticmethod
    def median(figures: list[Figures]) -> Figures:
        """Of each figure by itself."""
        return Figures(*(float(numpy.median([getattr(one, name) for one in figures])) for name in asdict(figures[0])))


class Turn:
    """A number of clients and a share of pictures, and the requests of all turns of this kind that were measured."""

    def __init__(self, kind: tuple[int, int], measurement: Measurement, turns: list[list[dict]]) -> None:
        self.clients, self.pictures = kind
        self._measurement = measurement
        self._turns = turns
        self._requests = [request for turn in turns for request in turn]
        self.measured = [Figures.of([answered(request) for request in turn]) for turn in turns]

    def figures(self) -> Figures:
        return Figures.median(self.measured)

    def _groups(self, turn: list[dict]) -> Iterator[list[Request]]:
        """What was asked, in the order in which it was; then again, as something new."""
        questions = self._measurement.questions
        places = groupby(sorted(turn, key=lambda one: one["number"]), lambda one: one["number"] // questions)
        groups = [list(group) for _, group in places]
        again = 0
        while True:
            for group in groups:
                yield [self._measurement.request(one, again, i) for i, one in enumerate(group)]
            again += 1

    def _simulated(self, costs: Costs, turn: list[dict], seed: int) -> list[Request]:
        env = simpy.Environment()
        replica = Replica(env, costs, self._measurement.shape, noise(costs, random.Random(seed)))
        loop = ClosedLoop(env, replica.submit, self.clients, self._groups(turn), self._measurement.seconds)
        env.run(loop.ended)
        return loop.requests

    def predicted(self, costs: Costs) -> Figures:
        """The same requests in every turn, and the median over them."""
        return Figures.median([Figures.of(self._simulated(costs, turn, i)) for i, turn in enumerate(self._turns)])

    def first_tokens(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Of each request, cells that were evaluated and seconds to the first token."""
        cells = [one["prompt"] - one["cached"] for one in self._requests]
        return numpy.array(cells), numpy.array([one["first"] - one["sent"] for one in self._requests])

    def between_tokens(self) -> float:
        """Seconds, the mean over the tokens."""
        return sum(one["last"] - one["first"] for one in self._requests) / sum(
            one["tokens"] - 1 for one in self._requests
        )

    def between_requests(self) -> float:
        """Seconds from the last token of an answer to the end that its client sees, the median."""
        return float(numpy.median([one["end"] - one["last"] for one in self._requests]))


class Measurement:
    """A file of ./luq bench load."""

    def __init__(self, file: Path) -> None:
        content = json.loads(file.read_text())
        self.questions: int = content["questions"]
        self.seconds: float = content["seconds"]
        self.shape = Shape(slots=content["slots"])
        turns = [turn for turn in content["turns"] if turn["requests"]]
        everything = [request for turn in turns for request in turn["requests"]]
        # Every prompt begins with the template's tokens, which are in every slot; no others are shared by texts.
        self._template = max((one["cached"] for one in everything if one["picture"] < 0), default=0)
        self._prefix = max(one["cached"] for one in everything) - self._template

        def kind(turn: dict) -> tuple[int, int]:
            return turn["clients"], turn["pictures"]

        self.turns = [
            Turn(key, self, [turn["requests"] for turn in same]) for key, same in groupby(sorted(turns, key=kind), kind)
        ]

    def turn(self, clients: int, pictures: int) -> Turn:
        return next(turn for turn in self.turns if (turn.clients, turn.pictures) == (clients, pictures))

    def request(self, one: dict, again: int, index: int) -> Request:
        """index: of the question about its picture."""
        pictured = one["picture"] >= 0
        place = one["number"] // self.questions
        return Request(
            session=(place, again),
            prompt=one["prompt"] - self._template,
            answer=one["tokens"],
            shared=self._prefix if pictured and index else 0,
            picture=(one["picture"], again) if pictured else None,
            prefix=max(self._prefix, 1) if pictured else 0,
        )


def answered(one: dict) -> Request:
    """A measured request as if it had been simulated."""
    request = Request(one["number"], prompt=one["prompt"], answer=one["tokens"])
    request.sent, request.first, request.end = one["sent"], one["first"], one["end"]
    return request


def calibrate(measurement: Measurement) -> Costs:
    """
    Costs from turns of 1, of 4 and of the most clients, each without pictures and with nothing else. What one client
    sees gives the sums: the prompt's slope, the time between tokens, and what is left of the time to the first token of
    either kind. How these divide into what shares the processors and what does not follows from more clients: the
    division with which the simulation comes closest to throughput and mean time to first token, by Nelder and Mead's
    method.
    """
    alone, pictures = measurement.turn(1, 0), measurement.turn(1, 100)
    most = max(turn.clients for turn in measurement.turns)
    cells, firsts = alone.first_tokens()
    prefill, rest = line_through(cells, firsts)
    between = alone.between_tokens()
    picture_cells, picture_firsts = pictures.first_tokens()
    of_picture = float(numpy.mean(picture_firsts - prefill * picture_cells)) - rest
    residuals = numpy.log(firsts / (prefill * cells + rest))
    spread = float(numpy.subtract(*numpy.percentile(residuals, [84, 16]))) / 2

    known = Costs(
        request=0,
        latency=0,
        step=0,
        decode=0,
        prefill=prefill,
        encode=of_picture,
        close=alone.between_requests(),
        keep=max(0.0, pictures.between_requests() - alone.between_requests()),
        spread=spread,
    )

    def of_texts(shares: numpy.ndarray) -> Costs:
        step = between * (1 - shares[0])
        beside = max(0.0, rest - step)
        return replace(
            known, step=step, decode=between * shares[0], request=beside * shares[1], latency=beside * (1 - shares[1])
        )

    texts = of_texts(closest(of_texts, [alone, measurement.turn(4, 0), measurement.turn(most, 0)]))

    def of_pictures(shares: numpy.ndarray) -> Costs:
        return replace(
            texts, encode=of_picture * shares[0], picture=of_picture * (1 - shares[0]), keep=of_picture * shares[1]
        )

    found = of_pictures(closest(of_pictures, [pictures, measurement.turn(4, 100), measurement.turn(most, 100)]))
    rounded = {name: float(f"{value:.4g}") for name, value in asdict(found).items()}
    return replace(found, **rounded)


def closest(costs: Callable[[numpy.ndarray], Costs], turns: list[Turn]) -> numpy.ndarray:
    """Two shares with which these turns come closest to what was measured."""

    def distance(shares: numpy.ndarray) -> float:
        total = 0.0
        for turn in turns:
            measured, simulated = turn.figures(), turn.predicted(costs(numpy.clip(shares, *SHARES)))
            total += numpy.log(simulated.throughput / measured.throughput) ** 2
            total += numpy.log(simulated.mean / measured.mean) ** 2
        return float(total)

    simplex = numpy.array([[0.5, 0.5], [0.9, 0.4], [0.4, 0.9]])
    options = dict(initial_simplex=simplex, maxfev=50, xatol=0.01, fatol=1e-5)
    best = minimize(distance, simplex[0], method="Nelder-Mead", bounds=[SHARES, SHARES], options=options)
    return numpy.clip(best.x, *SHARES)


def line_through(x: numpy.ndarray, y: numpy.ndarray) -> tuple[float, float]:
    """Slope through the medians of the lower and the upper third of x, Tukey's resistant line; mean of what is left."""
    order = numpy.argsort(x, kind="stable")
    third = len(x) // 3
    low, high = order[:third], order[-third:]
    slope = (numpy.median(y[high]) - numpy.median(y[low])) / (numpy.median(x[high]) - numpy.median(x[low]))
    return float(slope), float(numpy.mean(y - slope * x))
