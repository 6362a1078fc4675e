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

# name, category, how the scene is drawn from the random stream, and whether it shows enough
WANTED = (
    ("describe", "describe", random_shapes, lambda s: len(s.shapes) == 3 and len({x.kind for x in s.shapes}) == 3),
    ("color", "color", random_shapes, lambda s: 3 <= len(s.shapes) <= 6),
    ("count", "count", random_shapes, lambda s: 4 <= len(s.shapes) <= 8 and len({x.kind for x in s.shapes}) > 1),
    ("position", "position", random_shapes, lambda s: 2 <= len(s.shapes) <= 5),
    ("relation", "relation", random_shapes, lambda s: 2 <= len(s.shapes) <= 5),
    ("word", "read", random_sign, lambda s: not s.is_number and 4 <= len(s.text) <= 7 and s.pitch > 17),
    ("number", "read", random_sign, lambda s: s.is_number and 3 <= len(s.text) <= 5 and s.pitch > 17),
    ("chart", "value", random_chart, lambda s: len(s.values) == 4 and len(set(s.colors)) > 1),
    ("unknown", "not told", random_shapes, lambda s: 2 <= len(s.shapes) <= 4),
)
WIDTH, HEIGHT = 196, 168
TRIES = 400


def candidates(number, category, make, enough):
    """(picture, question, answer)"""
    for index in range(TRIES):
        rng = generator(EXAMPLES, number * TRIES + index)
        scene = make(rng, WIDTH, HEIGHT)
        if not enough(scene):
            continue
        if isinstance(scene, Shapes) and len({s.color for s in scene.shapes}) < 2:
            continue
        turns = dialogues.asker(scene, rng).dialogue(category)
        if turns and turns[0][1] not in ("0", "1"):
            yield drawing.draw(scene, rng).picture, *turns[0]


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
    for number, (name, category, make, enough) in enumerate(WANTED):
        for picture, question, answer in candidates(number, category, make, enough):
            line = Line(category, (name,), question, answer)
            if Measure(quick, tokenizer, [line], {name: picture}).distributions()[1][0]:
                picture.save(options.out / f"{name}.png", optimize=True)
                lines.append(dict(image=f"{name}.png", question=question, answer=answer))
                break
        else:
            print(f"no example of {category} is answered rightly")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (options.out / "examples.jsonl").write_text(text)


if __name__ == "__main__":
    main()
