"""Exact match by category on a data set: of the Hugging Face model, or of a server.

    evaluate.py ../demo/evaluation --model RUN/model
    evaluate.py ../demo/evaluation --url http://127.0.0.1:8080 --every 10

The model is measured in float32 and in batches (measure.py). A server is asked over POST /v1/chat/completions,
greedily, the picture as the file it is. With --turns, two-turn dialogues about pictures of the evaluation's random
streams are asked instead, the first answer being the right one.
"""

import argparse
import base64
import io
import json
import urllib.request
from collections import Counter
from pathlib import Path

import dialogues
import drawing
from examples import as_jpeg
from measure import Line, Measure, load, read
from model import Quick
from scenes import EVALUATION, generator, random_grid, random_scene

MAX_ANSWER_TOKENS = 64
FIRST_OF_TURNS = 3_000_000  # the data sets' scenes have smaller numbers


def turns(count):
    """Lines with one earlier turn each, and their pictures."""
    lines, pictures = [], {}
    index = FIRST_OF_TURNS
    while len(lines) < count:
        rng = generator(EVALUATION, index)
        index += 1
        scene = random_scene(rng, random_grid(rng))
        dialogue = dialogues.asker(scene, rng).dialogue("turns")
        if dialogue:
            name = f"{index}.png"
            pictures[name] = drawing.draw(scene, rng).picture
            lines.append(Line("several turns", (name,), *dialogue[-1], turns=tuple(dialogue[:-1])))
    return lines, pictures


class Server:
    """Greedy answers of an OpenAI-compatible server."""

    def __init__(self, url, model):
        self.url = url.rstrip("/") + "/v1/chat/completions"
        self.model = model

    def right(self, lines, pictures):
        urls = {}
        for name, picture in pictures.items():
            file = io.BytesIO()
            picture.save(file, "PNG")
            urls[name] = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
        return [self._answer(line, urls) == line.answer for line in lines]

    def _answer(self, line, urls):
        messages = []
        images = [{"type": "image_url", "image_url": {"url": urls[name]}} for name in line.images]
        for question, answer in line.turns:
            messages.append({"role": "user", "content": [*images, {"type": "text", "text": question}]})
            messages.append({"role": "assistant", "content": answer})
            images = []
        messages.append({"role": "user", "content": [*images, {"type": "text", "text": line.question}]})
        body = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": MAX_ANSWER_TOKENS}
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)["choices"][0]["message"]["content"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a data set")
    parser.add_argument("--turns", type=int, default=0, help="so many two-turn dialogues instead of a data set")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--model", type=Path, help="folder of a trained model")
    target.add_argument("--url", help="address of a server, such as http://127.0.0.1:8080")
    parser.add_argument("--name", default="luq-demo", help="the model's name at the server")
    parser.add_argument("--jpeg", action="store_true", help="ask about JPEGs of quality 75 with halved chroma instead")
    parser.add_argument("--every", type=int, default=1, help="ask every so-manieth line only")
    options = parser.parse_args()
    if bool(options.folder) == bool(options.turns):
        parser.error("give a data set or --turns")
    lines, pictures = turns(options.turns) if options.turns else read(options.folder)
    lines = lines[:: options.every]
    if options.jpeg:
        pictures = {name: as_jpeg(picture) for name, picture in pictures.items()}
    if options.url:
        right = Server(options.url, options.name).right(lines, pictures)
    else:
        model, tokenizer = load(options.model)
        right = Measure(Quick(model, dtype=model.dtype), tokenizer, lines, pictures).distributions()[1]
    asked, good = Counter(line.category for line in lines), Counter()
    for line, ok in zip(lines, right):
        good[line.category] += ok
    for category, count in [*asked.items(), ("all", asked.total())]:
        found = good[category] if category != "all" else good.total()
        print(f"{category:24} {found:5} / {count:<5} {100 * found / count:6.1f} %")


if __name__ == "__main__":
    main()
