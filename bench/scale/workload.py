"""Who asks what: clients that wait for their answers, and conversations that begin at random."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import simpy

from replica import Request


class ClosedLoop:
    """Clients that each send a request, wait for its end and send the next one, as in ./luq bench load."""

    def __init__(
        self,
        env: simpy.Environment,
        submit: Callable[[Request], object],
        clients: int,
        groups: Iterable[list[Request]],
        seconds: float,
    ) -> None:
        """groups: requests that the same client sends one after the other."""
        self.env, self.submit = env, submit
        self.requests: list[Request] = []
        self._groups = iter(groups)
        self._seconds = seconds
        self._ended = [env.process(self._client()) for _ in range(clients)]
        self.ended = env.all_of(self._ended)

    def _client(self):
        while self.env.now < self._seconds:
            for request in next(self._groups, []):
                ended = self.env.event()
                request.ended = lambda _, ended=ended: ended.succeed()
                self.requests.append(request)
                self.submit(request)
                yield ended


@dataclass(frozen=True)
class Conversations:
    """People who show a picture and ask about it several times; whoever is refused gives up."""

    pictured: float = 1.0
    """Share of conversations with a picture, which comes with the first question."""
    picture_cells: int = 256
    questions: float = 4.0
    """On average, geometrically distributed."""
    question: int = 40
    """Tokens on average, drawn evenly from a quarter to seven quarters, as those of answers."""
    answer: int = 100
    pause: float = 30.0
    """Seconds on average between an answer and the next question, exponentially distributed."""

    def requests_per_second(self, conversations: float) -> float:
        return conversations * self.questions


class OpenLoop:
    """Conversations that begin as a Poisson process whose rate may change with time, by thinning."""

    def __init__(
        self,
        env: simpy.Environment,
        submit: Callable[[Request], object],
        conversations: Conversations,
        rate: Callable[[float], float],
        most: float,
        until: float,
        seed: int,
    ) -> None:
        """rate: conversations that begin in a second, at a time, at most the given number; none begin after until."""
        self.env, self.submit, self.conversations = env, submit, conversations
        self.requests: list[Request] = []
        self._seed = seed
        env.process(self._arrivals(rate, most, until))

    def _arrivals(self, rate: Callable[[float], float], most: float, until: float):
        draw = random.Random(self._seed)
        number = 0
        while True:
            yield self.env.timeout(draw.expovariate(most))
            if self.env.now >= until:
                return
            if draw.random() * most < rate(self.env.now):
                self.env.process(self._conversation(number))
                number += 1

    def _conversation(self, number: int):
        # Of its own, so that it is the same conversation whatever else happens.
        says, draw = self.conversations, random.Random(f"{self._seed}/{number}")
        pictured = draw.random() < says.pictured
        prefix = says.picture_cells if pictured else 0
        history = 0
        more = True
        while more:
            question = (prefix if not history else 0) + drawn(draw, says.question)
            request = Request(
                session=number,
                prompt=history + question,
                answer=drawn(draw, says.answer),
                shared=history,
                picture=number if pictured else None,
                prefix=prefix,
            )
            ended = self.env.event()
            request.ended = lambda _, ended=ended: ended.succeed()
            self.requests.append(request)
            self.submit(request)
            yield ended
            history = request.prompt + request.answer
            more = not request.refused and draw.random() > 1 / says.questions
            if more:
                yield self.env.timeout(draw.expovariate(1 / says.pause))


def drawn(generator: random.Random, mean: int) -> int:
    return max(1, generator.randint(mean // 4, 2 * mean - mean // 4))


def quantile(values: list[float], share: float) -> float:
    """Between two values in proportion: type 7 of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996."""
    if not values:
        return math.nan
    values = sorted(values)
    position = share * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (position - below) * (values[above] - values[below])
