"""Writes the data sets of models/demo: pictures, and lines of {"image", "question", "answer", "category"}.

    sets.py calibration --out ../demo/calibration
    sets.py evaluation --out ../demo/evaluation
    sets.py evaluation --renderer agg --out ../demo/transfer

Scenes come from random streams that training never draws from. The second renderer is matplotlib's Agg: other
rasterization, other layout of charts and signs, other backgrounds.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import dialogues
import drawing
import texts
from scenes import CALIBRATION, EVALUATION, generator, random_grid, random_scene

QUESTIONS_PER_PICTURE = 3
MEAN_TOKENS = 36
# Lines per category of an evaluation set; a calibration set has a quarter of each.
PICTURED = {
    "color": 50,
    "kind": 50,
    "size": 50,
    "count": 80,
    "position": 60,
    "at place": 50,
    "relation": 60,
    "exists": 60,
    "describe": 60,
    "not told": 60,
    "read word": 60,
    "read number": 50,
    "text color": 40,
    "letter": 30,
    "value": 60,
    "highest": 40,
    "higher": 40,
    "bars": 40,
    "bar color": 30,
}
TWO = {"more": 30, "which": 40, "both": 30, "one of two": 40}
TEXTS = {
    "addition": 50,
    "subtraction": 50,
    "multiplication": 30,
    "backwards": 50,
    "stated fact": 50,
    "learnt fact": 80,
    "no image": 20,
    "small talk": 20,
}


def renamed(category, scene):
    if category == "read":
        return "read number" if scene.is_number else "read word"
    return category


def draw(scene, rng, renderer):
    if renderer == "agg":
        import agg

        return agg.draw(scene, rng)
    return drawing.draw(scene, rng).picture


def pictured(domain, quota, renderer):
    """(category, pictures, question, answer); lines about one picture share the picture object."""
    missing = Counter(quota)
    index = 0
    while missing.total():
        rng = generator(domain, index)
        index += 1
        scene = random_scene(rng, random_grid(rng, MEAN_TOKENS))
        asker = dialogues.asker(scene, rng)
        names = [c for c in asker.CATEGORIES if c != "turns" and missing[renamed(c, scene)] > 0]
        found = []
        for name in rng.permutation(names):
            turns = asker.dialogue(str(name)) if len(found) < QUESTIONS_PER_PICTURE else None
            if turns:
                found.append((renamed(str(name), scene), *turns[0]))
        if found:
            picture = draw(scene, rng, renderer)
            for category, question, answer in found:
                missing[category] -= 1
                yield category, [picture], question, answer


def compared(domain, quota, renderer):
    missing = Counter(quota)
    index = 1_000_000
    while missing.total():
        rng = generator(domain, index)
        index += 1
        grid = random_grid(rng, MEAN_TOKENS)
        scenes = [random_scene(rng, grid) for _ in range(2)]
        asker = dialogues.AboutTwo(scenes, rng)
        for category in TWO:
            turns = asker.dialogue(category) if missing[category] > 0 else None
            if turns:
                missing[category] -= 1
                yield "two images: " + category, [draw(s, rng, renderer) for s in scenes], *turns[0]
                break


def written(domain, quota):
    for number, (category, count) in enumerate(quota.items()):
        rng = generator(domain, 2_000_000 + number)
        for _ in range(count):
            yield category, [], *texts.dialogue(category, rng)[0]


def lines(domain, share, renderer):
    def part(quota):
        return {category: max(1, round(count * share)) for category, count in quota.items()}

    yield from pictured(domain, part(PICTURED), renderer)
    yield from compared(domain, part(TWO), renderer)
    yield from written(domain, part(TEXTS))


def write(folder, name, lines):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    names, records = {}, []
    for category, pictures, question, answer in lines:
        files = []
        for picture in pictures:
            if id(picture) not in names:
                names[id(picture)] = (f"{len(names) + 1:04d}.png", picture)  # kept, so that ids stay unique
                picture.save(folder / names[id(picture)][0], optimize=True)
            files.append(names[id(picture)][0])
        image = None if not files else files[0] if len(files) == 1 else files
        records.append(dict(image=image, question=question, answer=answer, category=category))
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("calibration", "evaluation"))
    parser.add_argument("--renderer", choices=("pillow", "agg"), default="pillow")
    parser.add_argument("--share", type=float, default=0, help="of the lines; default: 1, of calibration 0.25")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    domain, share = (EVALUATION, 1.0) if options.kind == "evaluation" else (CALIBRATION, 0.25)
    records = write(options.out, options.kind, lines(domain, options.share or share, options.renderer))
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{len(records)} lines, {size:,} bytes")


if __name__ == "__main__":
    main()
