"""Replicas behind a router, and the autoscaler of the chart."""

from __future__ import annotations

import bisect
import hashlib
import math
import random
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import simpy

from replica import Costs, Replica, Request, Shape

POINTS = 64
"""Of a replica on the ring of consistent hashing."""
BOUND = 1.25
"""How much more than the mean a replica may hold before the ring's next one is taken: Mirrokni, Thorup, Zadimoghaddam,
Consistent Hashing with Bounded Loads, 2018; hash_balance_factor of HAProxy and Envoy."""


class Fleet:
    """Replicas that are ready take requests. Those that were told to go end what they have."""

    def __init__(
        self,
        env: simpy.Environment,
        costs: Costs,
        shape: Shape,
        policy: str,
        replicas: int,
        seed: int,
        start: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """start: seconds until a replica that is asked for later is ready."""
        self.env, self.costs, self.shape = env, costs, shape
        self.ready: list[Replica] = []
        self.starting = 0
        self.in_flight = 0
        """Requests at all replicas, also at those that are told to go."""
        self.ring: list[tuple[int, Replica]] = []
        self.replica_seconds = 0.0
        self._counted = 0.0
        self._names = 0
        self._to_go = 0
        self._random = random.Random(seed)
        self._noises = random.Random(seed)
        self._start = start
        self._route = {
            "random": self._any,
            "least loaded": self._least_loaded,
            "affine": self._affine,
            "affine, bounded": self._affine_bounded,
        }[policy]
        for _ in range(replicas):
            self._add()

    @property
    def wanted(self) -> int:
        """Replicas that are ready or start."""
        return len(self.ready) + self.starting - self._to_go

    def submit(self, request: Request) -> None:
        ended = request.ended

        def count(request: Request) -> None:
            self.in_flight -= 1
            if ended:
                ended(request)

        request.ended = count
        self.in_flight += 1
        self._route(request).submit(request)

    def scale(self, wanted: int) -> None:
        """Starts replicas, or takes those away that are there for the shortest time."""
        self.count()
        for _ in range(wanted - self.wanted):
            if self._to_go:
                self._to_go -= 1
                continue
            self.starting += 1
            self.env.timeout(self._start()).callbacks.append(lambda _: self._started())
        for _ in range(self.wanted - wanted):
            if self.starting > self._to_go:
                self._to_go += 1
            else:
                self._remove(self.ready[-1])

    def count(self) -> None:
        """Adds what replicas took since it was last called, also while they start."""
        self.replica_seconds += (self.env.now - self._counted) * (len(self.ready) + self.starting)
        self._counted = self.env.now

    def waiting(self) -> int:
        return sum(replica.waiting for replica in self.ready)

    def at_ready(self) -> int:
        return sum(replica.in_flight for replica in self.ready)

    def _started(self) -> None:
        self.count()
        self.starting -= 1
        if self._to_go:
            self._to_go -= 1
        else:
            self._add()

    def _add(self) -> None:
        replica = Replica(self.env, self.costs, self.shape, noise(self.costs, self._noises))
        self.ready.append(replica)
        for point in range(POINTS):
            bisect.insort(self.ring, (place(f"{self._names}/{point}"), replica), key=lambda one: one[0])
        self._names += 1

    def _remove(self, replica: Replica) -> None:
        self.ready.remove(replica)
        self.ring = [one for one in self.ring if one[1] is not replica]

    # ---- policies ----

    def _any(self, _: Request) -> Replica:
        return self._random.choice(self.ready)

    def _least_loaded(self, _: Request) -> Replica:
        least = min(replica.in_flight for replica in self.ready)
        return self._random.choice([replica for replica in self.ready if replica.in_flight == least])

    def _affine(self, request: Request) -> Replica:
        return self.ring[self._point(request) % len(self.ring)][1]

    def _affine_bounded(self, request: Request) -> Replica:
        most = math.ceil(BOUND * self.in_flight / len(self.ready))
        at = self._point(request)
        for i in range(len(self.ring)):
            replica = self.ring[(at + i) % len(self.ring)][1]
            if replica.in_flight < most:
                return replica
        return self._least_loaded(request)

    def _point(self, request: Request) -> int:
        return bisect.bisect_left(self.ring, place(request.session), key=lambda one: one[0])


def place(key: Hashable) -> int:
    """On the ring, the same in every run."""
    return int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest(), "big")


def noise(costs: Costs, generator: random.Random) -> Callable[[], float] | None:
    """Factors of mean 1, lognormal."""
    if not costs.spread:
        return None
    return lambda: generator.lognormvariate(-(costs.spread**2) / 2, costs.spread)


@dataclass(frozen=True)
class Behavior:
    """autoscaling of the chart (helm/luq-server/values.yaml), and of Kubernetes what the chart leaves as it is."""

    least: int = 1
    most: int = 1000
    target: float = 2
    """Of the metric for a replica on average."""
    up_window: float = 30
    down_window: float = 600
    down_pods: int = 1
    down_period: float = 300
    sync: float = 15
    """horizontal-pod-autoscaler-sync-period of the controller."""
    scrape: float = 30
    """Interval of the ServiceMonitor: how old the metric may be."""
    tolerance: float = 0.1
    """horizontal-pod-autoscaler-tolerance."""
    up_percent: float = 100
    up_pods: int = 4
    up_period: float = 15
    """Of Kubernetes' default policies for scaling up; the larger one counts."""


class Autoscaler:
    """
    A HorizontalPodAutoscaler with a metric of pods, AverageValue: as many replicas as the sum over the ready ones
    divided by the target, unless that is within the tolerance of what there is. Up to the least of the recommendations
    in the window for scaling up, down to the greatest in that for scaling down, and no faster than the policies allow.
    KEDA makes the same object.
    """

    def __init__(
        self, env: simpy.Environment, fleet: Fleet, behavior: Behavior, metric: Callable[[Fleet], float]
    ) -> None:
        self.env, self.fleet, self.behavior, self.metric = env, fleet, behavior, metric
        self._seen = 0.0
        self._recommendations: deque[tuple[float, int]] = deque()
        self._changes: deque[tuple[float, int]] = deque()
        env.process(self._scrape())
        env.process(self._run())

    def _scrape(self):
        while True:
            self._seen = self.metric(self.fleet)
            yield self.env.timeout(self.behavior.scrape)

    def _run(self):
        while True:
            yield self.env.timeout(self.behavior.sync)
            wanted = self.decide(self.env.now, self.fleet.wanted, len(self.fleet.ready), self._seen)
            if wanted != self.fleet.wanted:
                self._changes.append((self.env.now, wanted - self.fleet.wanted))
                self.fleet.scale(wanted)

    def decide(self, now: float, current: int, ready: int, total: float) -> int:
        """
        How many replicas there are to be.

        current: of them, those that start too; ready: of them; total: of the metric over the ready ones
        """
        behavior = self.behavior
        desired = current
        ratio = total / (behavior.target * ready) if ready else 1.0
        if abs(ratio - 1) > behavior.tolerance:
            # Those that start count as having nothing to do when it goes up.
            desired = math.ceil(total / behavior.target)
            if ratio > 1 and desired < current:
                desired = current
        desired = min(max(desired, behavior.least), behavior.most)
        self._recommendations.append((now, desired))
        while self._recommendations[0][0] < now - max(behavior.up_window, behavior.down_window):
            self._recommendations.popleft()
        up = min(value for time, value in self._recommendations if time >= now - behavior.up_window)
        down = max(value for time, value in self._recommendations if time >= now - behavior.down_window)
        if up > current:
            return min(up, self._most(now, current))
        if down < current:
            return max(down, self._least(now, current))
        return current

    def _most(self, now: float, current: int) -> int:
        before = current - self._changed(now, self.behavior.up_period, 1)
        return max(before + self.behavior.up_pods, math.ceil(before * (1 + self.behavior.up_percent / 100)))

    def _least(self, now: float, current: int) -> int:
        before = current + self._changed(now, self.behavior.down_period, -1)
        return min(current, before - self.behavior.down_pods)

    def _changed(self, now: float, period: float, sign: int) -> int:
        """Replicas that were added, or taken away, in the last so many seconds."""
        return sum(sign * change for time, change in self._changes if time > now - period and sign * change > 0)
