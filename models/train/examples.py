"""Writes a few pictures of their own random stream, each with a question that the model answers rightly and surely.

They serve as tests of other formats and of quantized models too, so each is answered from a JPEG as well, and no token
is a close choice. None of them is part of the evaluation. They are larger and more colourful than the average
one. The folder is a data set; dialogue.json beside it holds two turns about the first picture, as questions with their
answers.
"""

import argparse
import io
import json
from pathlib import Path

from PIL import Image

import dialogues
import drawing
import texts
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
MARGIN = 2.0  # nats between the likeliest token and the next


def follow_up(name, scene):
    """Two turns about the first shape of the picture to describe."""
    shape = scene.shapes[0]
    first = (f"What color is the {shape.kind}?", shape.color)
    return [Line("turns", (name,), *first), Line("turns", (name,), "Is it small or large?", shape.size, (first,))]


def about_one(number, name, category, make, wishes):
    """Yields (pictures by name, lines), the best first."""
    for enough in wishes:
        for index in range(TRIES):
            rng = generator(EXAMPLES, number * TRIES + index)
            scene = make(rng, WIDTH, HEIGHT)
            if not enough(scene) or (
                isinstance(scene, Shapes) and len({s.color for s in scene.shapes}) < min(2, len(scene.shapes))
            ):
                continue
            turns = dialogues.asker(scene, rng).dialogue(category)
            if turns and (category != "count" or turns[0][1] not in ("0", "1")):
                lines = [Line(category, (f"{name}.png",), *turns[0])]
                if name == "describe":
                    lines += follow_up(f"{name}.png", scene)
                yield {f"{name}.png": drawing.draw(scene, rng).picture}, lines


def about_two(number):
    for index in range(TRIES):
        rng = generator(EXAMPLES, number * TRIES + index)
        scenes = [random_shapes(rng, WIDTH, HEIGHT) for _ in range(2)]
        turns = dialogues.AboutTwo(scenes, rng).dialogue("which")
        if turns and all(2 <= len(scene.shapes) <= 4 for scene in scenes):
            pictures = dict(zip(("first.png", "second.png"), (drawing.draw(scene, rng).picture for scene in scenes)))
            yield pictures, [Line("which", tuple(pictures), *turns[0])]


def about_none(number):
    for index in range(TRIES):
        turns = texts.dialogue("learnt fact", generator(EXAMPLES, number * TRIES + index))
        yield {}, [Line("learnt fact", (), *turns[0])]


def candidates():
    """Per example, a generator of what may become it."""
    for number, wanted in enumerate(WANTED):
        yield about_one(number, *wanted)
    yield about_two(len(WANTED))
    yield about_none(len(WANTED) + 1)


def as_jpeg(picture):
    """What is left of it in a JPEG of quality 75 with halved chroma."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=75, subsampling="4:2:0")
    with Image.open(file) as saved:
        return saved.convert("RGB")


def sure(quick, tokenizer, lines, pictures):
    """Whether every answer is right, and every token of it by a margin."""
    logs, right = Measure(quick, tokenizer, lines, pictures).distributions()
    margins = (log.topk(2).values for log in logs)
    return all(right) and all(float((two[:, 0] - two[:, 1]).min()) > MARGIN for two in margins)


def record(line):
    image = None if not line.images else line.images[0] if len(line.images) == 1 else line.images
    return dict(image=image, question=line.question, answer=line.answer)


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
    found = []
    for number, some in enumerate(candidates()):
        for pictures, lines in some:
            forms = (pictures, {name: as_jpeg(picture) for name, picture in pictures.items()})
            if all(sure(quick, tokenizer, lines, form) for form in forms):
                for name, picture in pictures.items():
                    picture.save(options.out / name, optimize=True)
                found += lines
                print(*lines, sep="\n", flush=True)
                break
        else:
            print(f"example {number}: no question is answered rightly")
    (options.out / "examples.jsonl").write_text("".join(json.dumps(record(f)) + "\n" for f in found if not f.turns))
    dialogue = next([*f.turns, (f.question, f.answer)] for f in found if f.turns)
    (options.out / "dialogue.json").write_text(json.dumps(dialogue) + "\n")


if __name__ == "__main__":
    main()
