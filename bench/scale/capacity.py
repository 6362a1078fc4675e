"""What a replica does in a second when there is always more to do, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

from replica import Costs, Shape
from workload import Conversations


@dataclass(frozen=True)
class Capacity:
    """Of one replica."""

    requests: float
    """In a second."""
    tokens: float
    """Generated, in a second."""
    new_pictures: float
    """In a second."""


def seconds(costs: Costs, shape: Shape, cells: float, answer: float, encoded: bool) -> float:
    """
    Processor time of a request while all slots are taken.

    cells: of the prompt that no cache has
    """
    steps = answer - 1 + math.ceil(cells / shape.batch)
    work = costs.request + costs.prefill * cells + costs.decode * (answer - 1) + costs.step * steps / shape.slots
    return work + (costs.encode if encoded else 0)


def capacity(costs: Costs, shape: Shape, says: Conversations, found: float = 1.0) -> Capacity:
    """
    Under conversations.

    found: share of the later questions whose conversation the replica still has
    """
    later = says.questions - 1
    picture = says.pictured * says.picture_cells
    first = seconds(costs, shape, picture + says.question, says.answer, False) + says.pictured * costs.encode
    # The history of a later question is, on average, as long as half of the questions before the last: geometric.
    history = picture + later * (says.question + says.answer)
    lost = seconds(costs, shape, history + says.question, says.answer, False) + says.pictured * costs.encode
    kept = seconds(costs, shape, says.question, says.answer, False)
    conversation = first + later * (found * kept + (1 - found) * lost)
    return Capacity(
        requests=says.questions / conversation,
        tokens=says.questions * says.answer / conversation,
        new_pictures=says.pictured / conversation,
    )


def slot_bytes(shape: Shape, context: int) -> int:
    """Keys and values of a slot that has its even share of the context."""
    return shape.cell_bytes * context // shape.slots
