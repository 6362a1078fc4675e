"""Writes a few pictures of their own random stream, each with a question that the model answers rightly.

None of them is part of the evaluation. They are larger and more colourful than the average one.
"""

import argparse
import json
from pathlib import Path

import dialogues
import drawing
from measure import Line, Measure, load
from model import Quick
from scenes import EXAMPLES, Shapes, generator, random_chart, random_shapes, random_sign

def _shapes(*counts):
    return [lambda s, n=n: len(s.shapes) == n and len({x.kind for x in s.shapes}) > n // 2 for n in counts]


def _text(number, *lengths):
    return [lambda s, n=n: s.is_number == number and len(s.text) == n and s.pitch > 15 for n in lengths]


# name, category, how the scene is drawn from the random stream, and what it should show, the best first
WANTED = (
    ("describe", "describe", random_shapes, _shapes(3, 2, 1)),
    ("color", "color", random_shapes, _shapes(4, 3)),
    ("count", "count", random_shapes, _shapes(6, 5, 4, 3)),
    ("position", "position", random_shapes, _shapes(4, 3, 2)),
    ("relation", "relation", random_shapes, _shapes(4, 3, 2)),
    ("word", "read", random_sign, _text(False, 6, 5, 4, 3, 2, 1)),
    ("number", "read", random_sign, _text(True, 4, 3, 2, 1)),
    ("chart", "value", random_chart, [lambda s: len(s.values) == 4 and len(set(s.colors)) > 1]),
    ("unknown", "not told", random_shapes, _shapes(3, 2)),
)
WIDTH, HEIGHT = 196, 168
TRIES = 400


def dialogue(name, scene):
    """Two turns about the first shape of the picture to describe: DemoModelTest asks them."""
    shape = scene.shapes[0]
    first = (f"What color is the {shape.kind}?", shape.color)
    return [Line("turns", (name,), *first), Line("turns", (name,), "Is it small or large?", shape.size, (first,))]


def candidates(number, category, make, wishes):
    """(scene, picture, question, answer)"""
    for enough in wishes:
        for index in range(TRIES):
            rng = generator(EXAMPLES, number * TRIES + index)
            scene = make(rng, WIDTH, HEIGHT)
            if not enough(scene) or isinstance(scene, Shapes) and len({s.color for s in scene.shapes}) < min(2, len(scene.shapes)):
                continue
            turns = dialogues.asker(scene, rng).dialogue(category)
            if turns and (category != "count" or turns[0][1] not in ("0", "1")):
                yield scene, drawing.draw(scene, rng).picture, *turns[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures and examples.jsonl")
    options = parser.parse_args()
    model, tokenizer = load(options.model)
    quick = Quick(model, dtype=model.dtype)
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("*.png"):
        old.unlink()
    lines = []
    for number, (name, category, make, wishes) in enumerate(WANTED):
        for scene, picture, question, answer in candidates(number, category, make, wishes):
            asked = [Line(category, (name,), question, answer)]
            if name == "describe":
                asked += dialogue(name, scene)
            if all(Measure(quick, tokenizer, asked, {name: picture}).distributions()[1]):
                print(*((line.question, line.answer) for line in asked))
                picture.save(options.out / f"{name}.png", optimize=True)
                lines.append(dict(image=f"{name}.png", question=question, answer=answer))
                break
        else:
            print(f"no example of {category} is answered rightly")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (options.out / "examples.jsonl").write_text(text)


if __name__ == "__main__":
    main()
