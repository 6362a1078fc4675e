"""The router's policies and the autoscaler's rules, and what holds for every request of a fleet."""

import unittest
from collections import Counter
from dataclasses import replace

import simpy

from capacity import capacity
from fleet import Autoscaler, Behavior, Fleet, place
from replica import Costs, Replica, Request, Shape
from workload import ClosedLoop, Conversations, OpenLoop

COSTS = Costs(request=0.01, latency=0.01, step=0.05, decode=0.01, prefill=0.005, encode=3, spread=0.1)
SHAPE = Shape(queue=8, picture_bytes=1 << 20, cell_bytes=1 << 14)
SAYS = Conversations(picture_cells=400, answer=40, pause=10)
POLICIES = "random", "least loaded", "affine", "affine, bounded"


def simulated(policy: str, replicas: int = 4, rate: float = 0.5, until: float = 600, seed: int = 1):
    env = simpy.Environment()
    fleet = Fleet(env, COSTS, SHAPE, policy, replicas, seed)
    load = OpenLoop(env, fleet.submit, SAYS, lambda _: rate, rate, until, seed)
    env.run()
    return fleet, load.requests


def outcome(requests: list[Request]) -> list[tuple]:
    return [(r.session, r.sent, r.first, r.end, r.cached, r.refused) for r in requests]


class Conservation(unittest.TestCase):
    def test_every_request_ends_once(self):
        for policy in POLICIES:
            with self.subTest(policy):
                env = simpy.Environment()
                fleet = Fleet(env, COSTS, SHAPE, policy, 4, 1)
                ends = Counter()

                def submit(request, fleet=fleet, ends=ends):
                    ended = request.ended
                    request.ended = lambda one: (ends.update([id(one)]), ended(one))
                    fleet.submit(request)

                load = OpenLoop(env, submit, SAYS, lambda _: 2.0, 2.0, 300, 1)
                env.run()
                self.assertEqual(set(ends), {id(request) for request in load.requests})
                self.assertEqual(set(ends.values()), {1})
                self.assertEqual((fleet.in_flight, fleet.at_ready()), (0, 0))
                self.assertTrue(any(request.refused for request in load.requests))
                for request in load.requests:
                    if not request.refused:
                        self.assertEqual(request.generated, request.answer)
                        self.assertLess(request.sent, request.first)
                        self.assertLessEqual(request.first, request.end)

    def test_a_replica_works_no_longer_than_time_passes(self):
        fleet, requests = simulated("least loaded", rate=2.0)
        last = max(request.end for request in requests)
        for one in fleet.ready:
            self.assertLessEqual(one.busy, last)

    def test_the_same_seed_is_the_same_run_and_another_one_is_not(self):
        for policy in POLICIES:
            self.assertEqual(outcome(simulated(policy)[1]), outcome(simulated(policy)[1]))
        self.assertNotEqual(outcome(simulated("random")[1]), outcome(simulated("random", seed=2)[1]))

    def test_nobody_is_lost_when_replicas_go(self):
        env = simpy.Environment()
        fleet = Fleet(env, COSTS, SHAPE, "affine", 6, 1, start=lambda: 5.0)
        load = OpenLoop(env, fleet.submit, SAYS, lambda _: 0.5, 0.5, 400, 1)

        def changes():
            for wanted in (2, 5, 1, 3):
                yield env.timeout(80)
                fleet.scale(wanted)

        env.process(changes())
        env.run()
        self.assertEqual(len(fleet.ready), 3)
        self.assertTrue(all(request.end >= request.sent for request in load.requests))


class Capacities(unittest.TestCase):
    def test_a_replica_that_always_has_work_does_what_the_closed_form_says(self):
        """Without pictures, whose requests hold slots while they wait for the encoder."""
        costs = replace(COSTS, spread=0)
        says = Conversations(pictured=0, questions=1, question=60, answer=50)
        env = simpy.Environment()
        one = Replica(env, costs, SHAPE)
        requests = iter([Request(i, prompt=60, answer=50)] for i in range(2_000))
        loop = ClosedLoop(env, one.submit, 8, requests, 2_000)
        env.run(loop.ended)
        tokens = sum(request.answer for request in loop.requests) / env.now
        self.assertAlmostEqual(tokens / capacity(costs, SHAPE, says).tokens, 1, delta=0.05)

    def test_whoever_works_less_does_more(self):
        base = capacity(COSTS, SHAPE, SAYS)
        self.assertGreater(base.requests, capacity(COSTS, SHAPE, SAYS, found=0.5).requests)
        self.assertGreater(capacity(replace(COSTS, encode=1), SHAPE, SAYS).new_pictures, base.new_pictures)


class Policies(unittest.TestCase):
    def test_a_conversation_stays_where_it_is_only_with_affinity(self):
        def moved(policy):
            _, requests = simulated(policy, rate=0.1)
            homes: dict = {}
            for request in requests:
                homes.setdefault(request.session, set()).add(request.replica)
            return sum(len(replicas) > 1 for replicas in homes.values())

        self.assertEqual(moved("affine"), 0)
        self.assertGreater(moved("random"), 10)
        self.assertGreater(moved("least loaded"), 10)

    def test_affinity_evaluates_less(self):
        def evaluated(policy):
            _, requests = simulated(policy, rate=0.1)
            return sum(request.prompt - request.cached for request in requests) / len(requests)

        self.assertLess(evaluated("affine") * 2, evaluated("random"))

    def test_a_bound_spreads_what_the_ring_does_not(self):
        def most(policy):
            env = simpy.Environment()
            fleet = Fleet(env, COSTS, replace(SHAPE, queue=1000), policy, 10, 1)
            for i in range(200):
                fleet.submit(Request(i, prompt=1, answer=1))
            return max(replica.in_flight for replica in fleet.ready)

        self.assertEqual(most("least loaded"), 20)
        self.assertLessEqual(most("affine, bounded"), 25)
        self.assertGreater(most("affine"), 20)

    def test_few_conversations_move_when_a_replica_comes(self):
        env = simpy.Environment()
        fleet = Fleet(env, COSTS, SHAPE, "affine", 10, 1)
        requests = [Request(i, prompt=1, answer=1) for i in range(1000)]
        before = [fleet._affine(request) for request in requests]
        fleet.scale(11)
        env.run(1)
        moved = sum(fleet._affine(request) is not home for request, home in zip(requests, before))
        self.assertLess(0, moved)
        self.assertLess(moved, 200)

    def test_a_place_on_the_ring_does_not_depend_on_the_process(self):
        self.assertEqual(place("a session"), place("a session"))
        self.assertNotEqual(place(1), place(2))


class Autoscaling(unittest.TestCase):
    """By the algorithm of https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/."""

    def scaler(self, **behavior) -> Autoscaler:
        env = simpy.Environment()
        fleet = Fleet(env, COSTS, SHAPE, "random", 1, 1)
        return Autoscaler(env, fleet, Behavior(up_window=0, down_window=0, **behavior), lambda _: 0.0)

    def test_as_many_as_the_metric_divided_by_its_target(self):
        self.assertEqual(self.scaler(target=2).decide(0, 4, 4, 13), 7)

    def test_what_is_within_the_tolerance_changes_nothing(self):
        self.assertEqual(self.scaler(target=2).decide(0, 10, 10, 21.9), 10)
        self.assertEqual(self.scaler(target=2).decide(0, 10, 10, 22.1), 12)

    def test_it_doubles_at_most_or_adds_four(self):
        self.assertEqual(self.scaler(target=2).decide(0, 10, 10, 1000), 20)
        self.assertEqual(self.scaler(target=2).decide(0, 1, 1, 1000), 5)

    def test_one_goes_in_five_minutes(self):
        scaler = self.scaler(target=2)
        self.assertEqual(scaler.decide(0, 10, 10, 0), 9)
        scaler._changes.append((0, -1))
        self.assertEqual(scaler.decide(15, 9, 9, 0), 9)
        self.assertEqual(scaler.decide(301, 9, 9, 0), 8)

    def test_down_only_to_the_most_that_the_window_asked_for(self):
        env = simpy.Environment()
        fleet = Fleet(env, COSTS, SHAPE, "random", 1, 1)
        scaler = Autoscaler(env, fleet, Behavior(up_window=0, down_window=600, down_pods=100), lambda _: 0.0)
        self.assertEqual(scaler.decide(0, 10, 10, 20), 10)
        self.assertEqual(scaler.decide(300, 10, 10, 4), 10)
        self.assertEqual(scaler.decide(601, 10, 10, 4), 2)

    def test_up_only_to_the_least_that_the_window_asked_for(self):
        env = simpy.Environment()
        fleet = Fleet(env, COSTS, SHAPE, "random", 1, 1)
        scaler = Autoscaler(env, fleet, Behavior(up_window=30, down_window=0), lambda _: 0.0)
        self.assertEqual(scaler.decide(0, 10, 10, 20), 10)
        self.assertEqual(scaler.decide(15, 10, 10, 40), 10)
        self.assertEqual(scaler.decide(31, 10, 10, 36), 18)

    def test_never_beyond_its_bounds(self):
        self.assertEqual(self.scaler(target=2, least=3).decide(0, 3, 3, 0), 3)
        self.assertEqual(self.scaler(target=2, most=5).decide(0, 4, 4, 100), 5)

    def test_a_replica_answers_when_it_is_ready_and_counts_before(self):
        env = simpy.Environment()
        fleet = Fleet(env, COSTS, SHAPE, "random", 1, 1, start=lambda: 60.0)
        fleet.scale(2)
        env.run(59)
        self.assertEqual((fleet.wanted, len(fleet.ready)), (2, 1))
        env.run(61)
        fleet.count()
        self.assertEqual((fleet.wanted, len(fleet.ready)), (2, 2))
        self.assertAlmostEqual(fleet.replica_seconds, 122)


if __name__ == "__main__":
    unittest.main()
