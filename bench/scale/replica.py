"""A replica of LUQ Server: one model on the processors of one machine, as events of SimPy."""

from __future__ import annotations

import contextlib
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import simpy


@dataclass(frozen=True)
class Costs:
    """Seconds that work takes on the processors of a replica, that of clients on the same machine too."""

    request: float
    """Of a request beside its tokens: HTTP, template, the way back. Steps wait for it, as they share the cores."""
    latency: float
    """Of a request, while nothing waits for it."""
    step: float
    """Of a step, whatever is in it: reading the weights."""
    decode: float
    """Of a token of an answer, its event to the client too."""
    prefill: float
    """Of a cell of a prompt that is evaluated: a token, or a picture's."""
    encode: float
    """Of a picture that was not seen before: decoding its file and encoding it."""
    close: float = 0.0
    """From an answer's last token to the end that its client sees, while nothing waits for it."""
    picture: float = 0.0
    """Of a request with a picture, more than latency: also while nothing waits for it."""
    keep: float = 0.0
    """Of a picture after its prompt is evaluated: writing its files, and a client's work on the next one."""
    piece: float = 0.02
    """Of an encoding, between two moments at which a step may take its turn: native/shim/vision.cpp."""
    restore: float = 0.0
    """Of a cell that is read from the file of a prompt."""
    spread: float = 0.0
    """Standard deviation of the logarithm of how much longer than these a step, a request or a piece takes."""


@dataclass(frozen=True)
class Shape:
    """Settings of a replica, by default the server's (docs/configuration.md), and bytes that its model takes."""

    slots: int = 4
    queue: int = 32
    batch: int = 128
    context: int = 8192
    picture_bytes: int = 0
    """Of a picture's embeddings."""
    cell_bytes: int = 0
    """Of keys and values of a token."""
    image_files: int = 512 << 20
    prompt_files: int = 2 << 30


@dataclass(eq=False, slots=True)
class Request:
    """A request, and what became of it. Cells count tokens of text and of pictures alike."""

    session: Hashable
    prompt: int
    """Cells."""
    answer: int
    """Tokens that are generated, one or more."""
    shared: int = 0
    """Cells at the beginning that earlier requests of the session have too."""
    picture: Hashable = None
    prefix: int = 0
    """Cells to the end of the picture."""
    ended: Callable[[Request], None] | None = None
    """Called once, when the answer is whole or the request was refused."""

    sent: float = math.nan
    first: float = math.nan
    end: float = math.nan
    cached: int = 0
    encoded: bool = False
    refused: bool = False
    replica: Replica | None = None

    evaluated: int = 0
    generated: int = 0
    slot: Slot | None = None
    waits_for: Hashable = None

    @property
    def time_to_first_token(self) -> float:
        return self.first - self.sent


@dataclass(eq=False, slots=True)
class Slot:
    """A sequence of the KV cache."""

    session: Hashable = None
    cells: int = 0
    used: float = -1.0
    request: Request | None = None


class Kept:
    """What is kept up to a number of bytes; the least recently used goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._entries: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()

    def find(self, key: Hashable) -> int:
        """The value of an entry, 0 where there is none."""
        if key not in self._entries:
            return 0
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: Hashable, value: int, size: int) -> None:
        if key in self._entries:
            self._bytes -= self._entries.pop(key)[1]
        if size > self._most:
            return
        self._entries[key] = (value, size)
        self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._entries.popitem(last=False)[1][1]


@dataclass(eq=False, slots=True)
class Encoding:
    picture: Hashable
    pieces: int
    waiters: list[Request] = field(default_factory=list)


class Replica:
    """
    Does in turns what shares the processors: the work of requests that came, then a step, then as many pieces of a
    picture's encoding as take as long as the step. A step has a token of every request in decode; prefill shares the
    rest of the batch evenly. Rules and names are those of the server's Scheduler, StepBuilder and Turns.
    """

    def __init__(self, env: simpy.Environment, costs: Costs, shape: Shape, noise: Callable[[], float] | None = None):
        """noise: how much longer than its costs the next piece of work takes, 1 on average."""
        self.env, self.costs, self.shape = env, costs, shape
        self.busy = 0.0
        """Seconds of work."""
        self.in_flight = 0
        self._noise = noise
        self._came: list[Request] = []
        self._waiting: list[Request] = []
        self._running: list[Request] = []
        self._slots = [Slot() for _ in range(shape.slots)]
        self._encodings: list[Encoding] = []
        self._pieces = max(1, round(costs.encode / costs.piece))
        self._to_keep = 0
        self._pictures = Kept(shape.image_files)
        self._prompts = Kept(shape.prompt_files)
        self._interruptible = False
        self._engine = env.process(self._run())

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        """What luq_requests_waiting says: not yet in a slot."""
        return self.in_flight - len(self._running)

    def submit(self, request: Request) -> bool:
        """Takes a request, or refuses it as with status 429: ended is called in either case."""
        request.sent = self.env.now
        request.replica = self
        if self.in_flight >= self.shape.slots + self.shape.queue:
            request.refused = True
            request.end = self.env.now
            if request.ended:
                request.ended(request)
            return False
        self.in_flight += 1
        latency = self.costs.latency + (self.costs.picture if request.picture is not None else 0)
        self.env.timeout(latency).callbacks.append(lambda _: self._arrive(request))
        return True

    def _arrive(self, request: Request) -> None:
        self._came.append(request)
        if self._interruptible:
            self._interruptible = False
            self._engine.interrupt()

    def _run(self):
        while True:
            while self._came:
                self._waiting.append(self._came.pop(0))
                yield self._work(self.costs.request)
            for _ in range(self._to_keep):
                self._to_keep -= 1
                yield self._work(self.costs.keep)
            for cells in self._admit():
                yield self._work(self.costs.restore * cells)
            prefill = self._prefill()
            decoding = [request for request in self._running if request.generated]
            if prefill or decoding:
                yield from self._step(prefill, decoding)
            elif self._encodings:
                yield from self._encode_until_somebody_comes()
            else:
                yield from self._interrupted_by_arrivals(math.inf)

    def _work(self, seconds: float) -> simpy.Event:
        seconds *= self._noise() if self._noise else 1.0
        self.busy += seconds
        return self.env.timeout(seconds)

    def _interrupted_by_arrivals(self, seconds: float):
        """Waits so long, or until a request arrives."""
        self._interruptible = True
        with contextlib.suppress(simpy.Interrupt):
            yield self.env.event() if math.isinf(seconds) else self.env.timeout(seconds)
        self._interruptible = False

    def _units(self, seconds: float, count: int):
        """Does as many units of work, or ends after the one in which a request arrives. Returns how many were done."""
        if count > 1 and seconds > 0:
            # One factor for all: where many steps are alike, their single differences are lost in the sum.
            seconds *= self._noise() if self._noise else 1.0
            began = self.env.now
            yield from self._interrupted_by_arrivals(seconds * count)
            passed = self.env.now - began
            count = min(count, max(1, math.ceil(passed / seconds - 1e-9)))
            rest = seconds * count - passed
            if rest > 0:
                yield self.env.timeout(rest)
            self.busy += seconds * count
        else:
            yield self._work(seconds * count)
        return count

    # ---- admission ----

    def _admit(self) -> list[int]:
        """Gives slots to those who wait, in the order in which they came. Returns cells to be restored from files."""
        restored = []
        while self._waiting and len(self._running) < len(self._slots):
            request = self._waiting[0]
            if not self._fits(request):
                break
            self._waiting.pop(0)
            slot, cells = self._choose(request)
            from_file = min(self._prompts.find(request.picture), request.shared) if request.picture is not None else 0
            if from_file >= cells + 32:
                restored.append(from_file)
                cells = from_file
            slot.session, slot.cells, slot.request = request.session, cells, request
            request.slot, request.cached, request.evaluated = slot, cells, cells
            self._running.append(request)
            self._make_room()
            if request.picture is not None and cells < request.prefix:
                self._ask_for_picture(request)
        return restored

    def _reservation(self, request: Request) -> int:
        all_of_it = request.prompt + request.answer
        return min(all_of_it, max(request.prompt + 1, self.shape.context // self.shape.slots))

    def _fits(self, request: Request) -> bool:
        held = sum(max(self._reservation(r), r.slot.cells) for r in self._running)
        return not self._running or held + self._reservation(request) <= self.shape.context

    def _choose(self, request: Request) -> tuple[Slot, int]:
        """The slot for a request, and the cells of its prompt that are there. The last one is evaluated anew."""
        idle = [slot for slot in self._slots if slot.request is None]
        for slot in idle:
            if slot.session == request.session and min(slot.cells, request.shared):
                return slot, min(slot.cells, request.shared, request.prompt - 1)
        return min(idle, key=lambda slot: slot.used), 0

    def _make_room(self) -> None:
        """Idle slots are emptied when cells are short, the least recently used first."""
        held = sum(self._reservation(slot.request) if slot.request else slot.cells for slot in self._slots)
        for slot in sorted((slot for slot in self._slots if slot.request is None), key=lambda slot: slot.used):
            if held <= self.shape.context:
                return
            held -= slot.cells
            slot.session, slot.cells = None, 0

    # ---- steps ----

    def _prefill(self) -> list[tuple[Request, int]]:
        """Cells of prompts for the next step: the smallest prompt first, what it leaves of its share is for others."""
        prompts = [(request, self._evaluable(request)) for request in self._running if not request.generated]
        prompts = sorted((item for item in prompts if item[1]), key=lambda item: item[1])
        budget = self.shape.batch - sum(1 for request in self._running if request.generated)
        parts = []
        for i, (request, cells) in enumerate(prompts):
            count = min(cells, math.ceil(budget / (len(prompts) - i)))
            budget -= count
            parts.append((request, count))
        return parts

    @staticmethod
    def _evaluable(request: Request) -> int:
        return 0 if request.waits_for is not None else request.prompt - request.evaluated

    def _step(self, prefill: list[tuple[Request, int]], decoding: list[Request]):
        seconds = self.costs.step + self.costs.decode * len(decoding)
        seconds += self.costs.prefill * sum(cells for _, cells in prefill)
        steps = 1
        if not prefill and not self._encodings and not self._came:
            steps = min(request.answer - request.generated for request in decoding)
        steps = yield from self._units(seconds, steps)
        for request in decoding:
            request.generated += steps
            request.slot.cells += steps
        for request, cells in prefill:
            request.evaluated += cells
            request.slot.cells += cells
            if request.evaluated == request.prompt:
                self._prompt_is_done(request)
        for request in decoding + [request for request, _ in prefill]:
            if request.generated == request.answer:
                self._finish(request)
        if self._encodings:
            piece = self.costs.encode / self._pieces
            yield from self._encode(max(1, math.ceil(seconds / piece - 1e-9)))

    def _prompt_is_done(self, request: Request) -> None:
        request.generated = 1
        request.first = self.env.now
        if request.encoded:
            self._to_keep += 1
        if request.picture is not None:
            self._prompts.put(request.picture, request.prefix, request.prefix * self.shape.cell_bytes)

    def _finish(self, request: Request) -> None:
        request.end = self.env.now
        self._running.remove(request)
        request.slot.request = None
        request.slot.used = self.env.now
        self.in_flight -= 1
        if not request.ended:
            return
        if self.costs.close:
            request.end += self.costs.close
            self.env.timeout(self.costs.close).callbacks.append(lambda _: request.ended(request))
        else:
            request.ended(request)

    # ---- pictures ----

    def _ask_for_picture(self, request: Request) -> None:
        if self._pictures.find(request.picture):
            return
        request.waits_for = request.picture
        for encoding in self._encodings:
            if encoding.picture == request.picture:
                encoding.waiters.append(request)
                return
        request.encoded = True
        self._encodings.append(Encoding(request.picture, self._pieces, [request]))

    def _encode(self, pieces: int):
        encoding = self._encodings[0]
        done = yield from self._units(self.costs.encode / self._pieces, min(pieces, encoding.pieces))
        encoding.pieces -= done
        if not encoding.pieces:
            self._encodings.pop(0)
            self._pictures.put(encoding.picture, 1, self.shape.picture_bytes)
            for request in encoding.waiters:
                request.waits_for = None

    def _encode_until_somebody_comes(self):
        yield from self._encode(1 if self._came else self._encodings[0].pieces)
