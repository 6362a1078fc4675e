"""The replica against the closed forms of queueing theory, and what the server's rules say of single requests."""

import math
import random
import unittest

import simpy

from replica import Costs, Kept, Replica, Request, Shape

FREE = Costs(request=0, latency=0, step=1, decode=0, prefill=0, encode=0)


def served(costs: Costs, shape: Shape, requests: list[tuple[float, Request]]) -> list[Request]:
    """Requests that come at these times."""
    env = simpy.Environment()
    replica = Replica(env, costs, shape)

    def client():
        for time, request in requests:
            yield env.timeout(time - env.now)
            replica.submit(request)

    env.process(client())
    env.run()
    return [request for _, request in requests]


def one_after_another(costs: Costs, shape: Shape, *requests: Request) -> list[Request]:
    return served(costs, shape, [(1000.0 * i, request) for i, request in enumerate(requests)])


class Queue:
    """Requests of exponential length that come at random, in units of the mean length."""

    STEP = 0.01

    def __init__(self, load: float, slots: int, queue: int, seed: int = 1, count: int = 60_000) -> None:
        draw = random.Random(seed)
        time = 0.0
        requests = []
        for i in range(count):
            time += draw.expovariate(load)
            steps = max(1, round(draw.expovariate(1.0) / self.STEP))
            requests.append((time, Request(i, prompt=1, answer=steps)))
        costs = Costs(request=0, latency=0, step=self.STEP, decode=0, prefill=0, encode=0)
        self.requests = served(costs, Shape(slots=slots, queue=queue, context=10**9), requests)

    def mean_time(self) -> float:
        times = [request.end - request.sent for request in self.requests if not request.refused]
        return sum(times) / len(times)

    def refused(self) -> float:
        return sum(request.refused for request in self.requests) / len(self.requests)


class QueueingTheory(unittest.TestCase):
    def test_one_slot_is_an_m_m_1_queue(self):
        for load in (0.3, 0.5, 0.7):
            expected = 1 / (1 - load)
            self.assertAlmostEqual(Queue(load, 1, 10**6).mean_time() / expected, 1, delta=0.05)

    def test_slots_that_do_not_slow_each_other_are_an_m_m_c_queue(self):
        for load in (2.0, 3.2):
            self.assertAlmostEqual(Queue(load, 4, 10**6).mean_time() / m_m_c(load, 4), 1, delta=0.05)

    def test_a_bounded_queue_refuses_what_an_m_m_1_k_queue_loses(self):
        load, places = 0.9, 5
        expected = (1 - load) * load**places / (1 - load ** (places + 1))
        self.assertAlmostEqual(Queue(load, 1, places - 1).refused() / expected, 1, delta=0.05)

    def test_tokens_that_take_time_share_the_processor(self):
        """M/M/1 with processor sharing has the same mean; places are enough that nobody waits for one."""
        draw = random.Random(2)
        time = 0.0
        requests = []
        for i in range(40_000):
            time += draw.expovariate(0.5)
            requests.append((time, Request(i, prompt=1, answer=max(1, round(draw.expovariate(1.0) / 0.01)))))
        costs = Costs(request=0, latency=0, step=0, decode=0.01, prefill=0, encode=0)
        done = served(costs, Shape(slots=64, context=10**9), requests)
        mean = sum(request.end - request.sent for request in done) / len(done)
        self.assertAlmostEqual(mean * (1 - 0.5), 1, delta=0.05)


def m_m_c(load: float, servers: int) -> float:
    """Mean time in the system, in units of the mean service time: Erlang C."""
    tail = load**servers / math.factorial(servers) * servers / (servers - load)
    waits = tail / (sum(load**k / math.factorial(k) for k in range(servers)) + tail)
    return 1 + waits / (servers - load)


class Steps(unittest.TestCase):
    def test_a_request_takes_what_its_parts_take(self):
        costs = Costs(request=0.5, latency=0.25, step=1, decode=0.1, prefill=0.01, encode=0)
        (request,) = one_after_another(costs, Shape(), Request(1, prompt=200, answer=11))
        self.assertAlmostEqual(request.time_to_first_token, 0.25 + 0.5 + 2 * 1 + 200 * 0.01)
        self.assertAlmostEqual(request.end - request.first, 10 * 1.1)

    def test_prefill_and_decode_share_steps(self):
        costs = Costs(request=0, latency=0, step=1, decode=0, prefill=0, encode=0)
        stream, prompt = served(
            costs, Shape(), [(0, Request(1, prompt=1, answer=10)), (3.5, Request(2, prompt=254, answer=1))]
        )
        self.assertEqual(stream.end, 10)
        self.assertEqual(prompt.end, 6)

    def test_a_step_takes_no_more_than_its_batch(self):
        costs = Costs(request=1, latency=0, step=0, decode=0, prefill=1, encode=0)
        first, second = served(
            costs, Shape(batch=128), [(0, Request(1, prompt=100, answer=1)), (0, Request(2, prompt=156, answer=1))]
        )
        self.assertEqual((first.end, second.end), (2 + 256, 2 + 256))

    def test_an_encoding_and_the_steps_have_half_of_the_time_each(self):
        costs = Costs(request=0, latency=0, step=1, decode=0, prefill=0, encode=10, piece=0.1)
        stream, picture = served(
            costs,
            Shape(),
            [(0, Request(1, prompt=1, answer=100)), (10, Request(2, prompt=9, answer=1, picture="p", prefix=5))],
        )
        self.assertAlmostEqual(picture.first, 10 + 20 + 1, delta=1.5)
        self.assertAlmostEqual(stream.end, 100 + 10, delta=0.5)

    def test_whoever_finds_no_slot_waits_and_whoever_finds_no_place_is_refused(self):
        shape = Shape(slots=1, queue=1)
        first, second, third = served(FREE, shape, [(0, Request(i, prompt=1, answer=5)) for i in range(3)])
        self.assertEqual((first.end, second.end), (5, 10))
        self.assertTrue(third.refused)

    def test_a_context_that_is_full_lets_nobody_in(self):
        shape = Shape(slots=2, context=100)
        first, second = served(FREE, shape, [(0, Request(i, prompt=60, answer=2)) for i in range(2)])
        self.assertEqual((first.end, second.end), (2, 4))


class Caches(unittest.TestCase):
    COSTS = Costs(request=0, latency=0, step=0, decode=0, prefill=1, encode=100, restore=0.1)

    def question(self, session: int, history: int) -> Request:
        return Request(session, prompt=max(history, 100) + 20, answer=1, shared=history, picture=session, prefix=100)

    def test_a_conversation_goes_on_in_its_slot(self):
        first, second = one_after_another(self.COSTS, Shape(), self.question(1, 0), self.question(1, 120))
        self.assertEqual((first.cached, first.encoded), (0, True))
        self.assertEqual((second.cached, second.encoded), (120, False))
        self.assertAlmostEqual(second.time_to_first_token, 20)

    def test_what_a_slot_lost_is_read_from_the_file_of_its_prompt(self):
        shape = Shape(slots=1, cell_bytes=1, picture_bytes=1)
        requests = self.question(1, 0), self.question(2, 0), self.question(1, 120)
        *_, again = one_after_another(self.COSTS, shape, *requests)
        self.assertEqual((again.cached, again.encoded), (100, False))
        self.assertAlmostEqual(again.time_to_first_token, 100 * 0.1 + 40)

    def test_without_that_file_the_picture_is_not_encoded_again(self):
        shape = Shape(slots=1, cell_bytes=1, picture_bytes=1, prompt_files=0)
        requests = self.question(1, 0), self.question(2, 0), self.question(1, 120)
        *_, again = one_after_another(self.COSTS, shape, *requests)
        self.assertEqual((again.cached, again.encoded), (0, False))
        self.assertAlmostEqual(again.time_to_first_token, 140)

    def test_requests_that_come_together_encode_a_picture_once(self):
        requests = [Request(i, prompt=120, answer=1, picture="same", prefix=100) for i in range(3)]
        done = served(self.COSTS, Shape(), [(0, request) for request in requests])
        self.assertEqual([request.encoded for request in done], [True, False, False])

    def test_the_least_recently_used_goes_first(self):
        kept = Kept(2)
        kept.put("a", 1, 1)
        kept.put("b", 2, 1)
        kept.find("a")
        kept.put("c", 3, 1)
        self.assertEqual([kept.find(key) for key in "abc"], [1, 0, 3])


if __name__ == "__main__":
    unittest.main()
