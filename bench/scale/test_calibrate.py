"""Costs that are known come out of what a replica with them does."""

import json
import random
import tempfile
import unittest
from pathlib import Path

import numpy
import simpy

from calibrate import Figures, Measurement, answered, calibrate, line_through
from replica import Costs, Replica, Request, Shape
from workload import ClosedLoop, drawn

KNOWN = Costs(request=0.004, latency=0.006, step=0.002, decode=0.001, prefill=0.0002, encode=0.05, picture=0.02)
SECONDS = 3.0


def measured(clients: int, pictures: int) -> dict:
    """A turn as bench load writes it."""
    env = simpy.Environment()
    replica = Replica(env, KNOWN, Shape())
    draw = random.Random(clients + pictures)

    def asked(number: int) -> Request:
        cells = 100 if pictures else 0
        return Request(
            number,
            prompt=cells + drawn(draw, 80),
            answer=drawn(draw, 32),
            picture=number if pictures else None,
            prefix=cells,
        )

    loop = ClosedLoop(env, replica.submit, clients, ([asked(i)] for i in range(10**6)), SECONDS)
    env.run(loop.ended)
    times = [dict(sent=one.sent, first=one.first, last=one.end, end=one.end) for one in loop.requests]
    return dict(
        clients=clients,
        pictures=pictures,
        requests=[
            dict(
                number=one.session,
                picture=-1 if one.picture is None else one.picture,
                prompt=one.prompt,
                cached=0,
                tokens=one.answer,
                **time,
            )
            for one, time in zip(loop.requests, times)
        ],
    )


def measurement(*turns: dict) -> Measurement:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "load.json"
        file.write_text(json.dumps(dict(slots=4, questions=1, seconds=SECONDS, turns=turns)))
        return Measurement(file)


class Calibration(unittest.TestCase):
    def test_known_costs_are_found_and_predict_other_turns(self):
        found = calibrate(
            measurement(*(measured(clients, pictures) for clients in (1, 4, 16) for pictures in (0, 100)))
        )
        self.assertAlmostEqual(found.prefill / KNOWN.prefill, 1, delta=0.15)
        self.assertAlmostEqual((found.step + found.decode) / (KNOWN.step + KNOWN.decode), 1, delta=0.02)
        self.assertAlmostEqual((found.encode + found.picture) / (KNOWN.encode + KNOWN.picture), 1, delta=0.15)
        for clients, pictures in (2, 0), (8, 0), (8, 100):
            (other,) = measurement(measured(clients, pictures)).turns
            was, said = other.figures(), other.predicted(found)
            self.assertAlmostEqual(said.throughput / was.throughput, 1, delta=0.15)
            self.assertAlmostEqual(said.mean / was.mean, 1, delta=0.15)

    def test_the_median_of_the_turns_of_a_kind_counts(self):
        turn = measured(1, 0)
        slow = {
            **turn,
            "requests": [{**one, "first": one["first"] + 9, "end": one["end"] + 9} for one in turn["requests"]],
        }
        (kind,) = measurement(turn, slow, turn).turns
        self.assertEqual(kind.figures(), Figures.of([answered(request) for request in turn["requests"]]))

    def test_a_slope_is_found_in_spite_of_outliers(self):
        x = numpy.arange(60.0)
        y = 3 * x + 7
        y[::10] += 1000
        slope, rest = line_through(x, y)
        self.assertAlmostEqual(slope, 3, delta=0.2)
        self.assertAlmostEqual(rest, 107, delta=5)


if __name__ == "__main__":
    unittest.main()
