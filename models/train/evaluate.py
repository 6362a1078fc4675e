"""Exact match by category on held-out pictures: of the Hugging Face model, or of a server.

    python evaluate.py --model DIR
    python evaluate.py --url http://127.0.0.1:8080

A server is asked over POST /v1/chat/completions, greedily, the picture as a PNG data URL. With --write the
pictures and answers are kept, so that two runs can be compared line by line.
"""

import argparse
import base64
import io
import json
import urllib.request
from collections import Counter
from pathlib import Path

import dialogues
from scenes import HELD_OUT, generator, random_scene, render

MAX_ANSWER_TOKENS = 96
TWO_IMAGES, TEXT_ALONE = "two images", "no image"


def held_out(count):
    """(category, pictures, turns) for `count` scenes: one of each category that the scene allows."""
    for index in range(count):
        rng = generator(HELD_OUT, index)
        scene, other = random_scene(rng), random_scene(rng)
        picture, other_picture = render(scene, rng), render(other, rng)
        asker = dialogues.Asker(scene, rng)
        for category in asker.CATEGORIES:
            turns = asker.dialogue(category)
            if turns:
                yield category, [picture], turns
        yield TWO_IMAGES, [picture, other_picture], dialogues.two_images(scene, other, rng)
        yield TEXT_ALONE, [], dialogues.small_talk(rng)


def messages_of(pictures, turns):
    """The conversation up to the last question, earlier answers being the right ones."""
    messages = []
    for question, answer in turns:
        content = [{"type": "text", "text": question}]
        if not messages:
            content = [{"type": "image", "image": picture} for picture in pictures] + content
        messages.append({"role": "user", "content": content})
        messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    return messages[:-1]


class HuggingFaceModel:
    """Greedy answers of a model folder."""

    def __init__(self, folder):
        import torch
        from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil

        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.processor = Qwen2VLImageProcessorPil.from_pretrained(folder)
        self.model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()

    def answer(self, messages):
        pictures = [p["image"] for m in messages for p in m["content"] if p["type"] == "image"]
        prompt = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        images = {}
        if pictures:
            images = self.processor(images=pictures, return_tensors="pt")
            pad = "<|image_pad|>"
            parts = prompt.split(pad)
            prompt = parts[0]
            for grid, part in zip(images["image_grid_thw"], parts[1:], strict=True):
                prompt += pad * (int(grid.prod()) // 4) + part
        ids = self.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        kinds = (ids == self.model.config.image_token_id).long()
        with self.torch.inference_mode():
            output = self.model.generate(
                input_ids=ids, attention_mask=self.torch.ones_like(ids), mm_token_type_ids=kinds, do_sample=False,
                max_new_tokens=MAX_ANSWER_TOKENS, **images,
            )
        return self.tokenizer.decode(output[0, ids.shape[1]:], skip_special_tokens=True)


class Server:
    """Greedy answers of an OpenAI-compatible server."""

    def __init__(self, url, model):
        self.url = url.rstrip("/") + "/v1/chat/completions"
        self.model = model

    def answer(self, messages):
        body = {
            "model": self.model,
            "messages": [
                {"role": m["role"], "content": [self._part(p) for p in m["content"]]} for m in messages
            ],
            "temperature": 0,
            "max_tokens": MAX_ANSWER_TOKENS,
        }
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)["choices"][0]["message"]["content"]

    @staticmethod
    def _part(part):
        if part["type"] == "text":
            return part
        file = io.BytesIO()
        part["image"].save(file, "PNG")
        url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
        return {"type": "image_url", "image_url": {"url": url}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--model", type=Path, help="folder of a trained model")
    target.add_argument("--url", help="address of a server, such as http://127.0.0.1:8080")
    parser.add_argument("--name", default="luq-demo", help="the model's name at the server")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--write", type=Path, help="folder for pictures and answers.jsonl")
    options = parser.parse_args()
    subject = HuggingFaceModel(options.model) if options.model else Server(options.url, options.name)

    asked, right, lines = Counter(), Counter(), []
    for number, (category, pictures, turns) in enumerate(held_out(options.scenes)):
        answer = subject.answer(messages_of(pictures, turns))
        asked[category] += 1
        right[category] += answer == turns[-1][1]
        names = [f"{number:05d}-{i}.png" for i in range(len(pictures))]
        lines.append(dict(category=category, images=names, turns=turns, answer=answer))
        if options.write:
            options.write.mkdir(parents=True, exist_ok=True)
            for name, picture in zip(names, pictures):
                picture.save(options.write / name)
    if options.write:
        (options.write / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for category, count in asked.items():
        print(f"{category:20} {right[category]:5} / {count:<5} {100 * right[category] / count:6.1f} %")
    total, good = asked.total(), right.total()
    print(f"{'all':20} {good:5} / {total:<5} {100 * good / total:6.1f} %")


if __name__ == "__main__":
    main()
