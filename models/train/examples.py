"""Writes a few held-out pictures, each with a question that the model answers rightly.

The pictures are larger and more colourful than the average one, and none of them is part of the evaluation.
"""

import argparse
import json
from pathlib import Path

import dialogues
from evaluate import HuggingFaceModel, messages_of
from scenes import HELD_OUT, generator, random_scene, render

FIRST = 1_000_000  # the evaluation counts its scenes from 0
GRIDS = ((6, 6), (5, 6), (6, 5), (5, 5))
CATEGORIES = (
    "describe", "color of shape", "shape at place", "count of kind", "exists", "where", "color at place", "not there",
)


def candidates(category, first):
    """(picture, question, answer) of scenes with at least three colours; the one to describe has it all."""
    for index in range(first, first + 1000):
        rng = generator(HELD_OUT, index)
        scene = random_scene(rng, GRIDS[index % len(GRIDS)])
        colors = {s.color for s in scene.shapes}
        if len(scene.shapes) < 3 or len(colors) < 3:
            continue
        picture = render(scene, rng)
        turns = dialogues.Asker(scene, rng).dialogue(category)
        if not turns or category == "count of kind" and turns[0][1] in "01":
            continue
        if category == "describe" and (len(colors) < 4 or len({s.kind for s in scene.shapes}) < 4):
            continue
        yield picture, *turns[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures and examples.jsonl")
    options = parser.parse_args()
    model = HuggingFaceModel(options.model)
    options.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, category in enumerate(CATEGORIES):
        for picture, question, answer in candidates(category, FIRST + 1000 * number):
            if model.answer(messages_of([picture], [(question, answer)])) == answer:
                break
        name = category.replace(" ", "-") + ".png"
        picture.save(options.out / name, optimize=True)
        lines.append(json.dumps(dict(image=name, question=question, answer=answer)) + "\n")
    (options.out / "examples.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    main()
