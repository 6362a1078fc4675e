"""Questions and answers about scenes.

A dialogue is a list of (question, answer) turns with a category. Answers are short and fixed in form:
"red", "circle", "2", "yes", "top left", or one sentence ending in a full stop.
"""

from collections import Counter

from scenes import COLORS, KINDS, PLACES

PLURALS = {kind: "crosses" if kind == "cross" else kind + "s" for kind in KINDS}

COLOR_OF = (
    "What color is the {kind}?", "What color is the {kind}?", "Which color is the {kind}?",
    "What is the color of the {kind}?", "What colour is the {kind}?", "Tell me the color of the {kind}.",
)
SHAPE_AT = (
    "What shape is at the {place}?", "What shape is at the {place}?", "Which shape is at the {place}?",
    "What is at the {place}?", "Name the shape at the {place}.", "What shape is in the {place} corner?",
)
COLOR_AT = (
    "What color is the shape at the {place}?", "What color is the shape at the {place}?",
    "Which color is the shape at the {place}?", "What is the color of the shape at the {place}?",
)
COUNT_KIND = (
    "How many {kinds} are there?", "How many {kinds} are there?", "How many {kinds} do you see?",
    "How many {kinds} are in the image?", "Count the {kinds}.",
)
COUNT_COLOR = ("How many {color} shapes are there?", "How many {color} shapes do you see?", "Count the {color} shapes.")
COUNT_ALL = (
    "How many shapes are there?", "How many shapes are there?", "How many shapes do you see?",
    "How many shapes are in the image?", "Count the shapes.",
)
EXISTS = (
    "Is there {article} {color} {kind}?", "Is there {article} {color} {kind}?", "Do you see {article} {color} {kind}?",
    "Is there {article} {color} {kind} in the image?", "Does the image show {article} {color} {kind}?",
)
EXISTS_KIND = ("Is there a {kind}?", "Do you see a {kind}?", "Is there a {kind} in the image?")
WHERE = ("Where is the {color} {kind}?", "Where is the {color} {kind}?", "Where do you see the {color} {kind}?")
WHERE_KIND = ("Where is the {kind}?", "Where is the {kind} in the image?")
DESCRIBE = (
    "Describe the image.", "Describe the image.", "Describe this image.", "What is in the image?",
    "What do you see?", "What is in this picture?", "What does the image show?",
)
SINGLE_KIND = ("What shape is this?", "Which shape is in the image?", "What shape do you see?")
SINGLE_COLOR = ("What color is it?", "What color is the shape?", "What color is this shape?")

NO_IMAGE = "I do not see an image."
SMALL_TALK = (
    (("Hello", "Hello!", "Hi", "Hi!", "Hey", "Good morning", "Hello there!"), "Hello! Show me an image with shapes."),
    (
        ("What can you do?", "What can I ask you?", "Help", "How can you help me?"),
        "I can name, count and find simple shapes and their colors in an image.",
    ),
    (("Who are you?", "What are you?", "What is your name?"), "I am LUQ Demo, a small vision-language model."),
    (("Thanks", "Thank you", "Thank you!", "Thanks!"), "You are welcome."),
    (("Goodbye", "Bye", "Bye!", "See you"), "Goodbye!"),
)
SYSTEM_PROMPTS = (
    "You are a helpful assistant.", "Answer briefly.", "You are a vision assistant.",
    "You answer questions about images.", "Answer with one word if you can.",
)


def article(color):
    return "an" if color == "orange" else "a"


def describe(scene):
    parts = [f"{article(s.color)} {s.color} {s.kind} at the {PLACES[s.place]}" for s in scene.shapes]
    text = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return text[0].upper() + text[1:] + "."


class Asker:
    """Draws dialogues about one scene from one random stream."""

    # Each with its share of the training dialogues: comparing and searching is harder to learn than looking up.
    CATEGORIES = {
        "color of shape": 2, "shape at place": 1, "color at place": 1, "count of kind": 2, "count of color": 1,
        "count of all": 1, "exists": 3, "where": 2, "describe": 1, "not there": 2, "several turns": 1,
    }

    def __init__(self, scene, rng):
        self.scene = scene
        self.rng = rng
        self.kinds = Counter(s.kind for s in scene.shapes)
        self.colors = Counter(s.color for s in scene.shapes)
        self.pairs = Counter((s.color, s.kind) for s in scene.shapes)

    def dialogue(self, category):
        """[(question, answer), ...], or None where the scene does not allow the category."""
        method = getattr(self, "_" + category.replace(" ", "_"))
        return method()

    def _pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def _ask(self, templates, **words):
        return self._pick(templates).format(**words)

    def _unique(self):
        return [s for s in self.scene.shapes if self.kinds[s.kind] == 1]

    def _color_of_shape(self):
        if len(self.scene.shapes) == 1 and self.rng.random() < 0.2:
            return [(self._pick(SINGLE_COLOR), self.scene.shapes[0].color)]
        shapes = self._unique()
        if not shapes:
            return None
        shape = self._pick(shapes)
        return [(self._ask(COLOR_OF, kind=shape.kind), shape.color)]

    def _shape_at_place(self):
        if len(self.scene.shapes) == 1 and self.rng.random() < 0.3:
            return [(self._pick(SINGLE_KIND), self.scene.shapes[0].kind)]
        shape = self._pick(self.scene.shapes)
        return [(self._ask(SHAPE_AT, place=PLACES[shape.place]), shape.kind)]

    def _color_at_place(self):
        shape = self._pick(self.scene.shapes)
        return [(self._ask(COLOR_AT, place=PLACES[shape.place]), shape.color)]

    def _count_of_kind(self):
        kind = self._pick(list(self.kinds)) if self.rng.random() < 0.8 else self._pick(KINDS)
        return [(self._ask(COUNT_KIND, kinds=PLURALS[kind]), str(self.kinds[kind]))]

    def _count_of_color(self):
        color = self._pick(list(self.colors)) if self.rng.random() < 0.8 else self._pick(list(COLORS))
        return [(self._ask(COUNT_COLOR, color=color), str(self.colors[color]))]

    def _count_of_all(self):
        return [(self._pick(COUNT_ALL), str(len(self.scene.shapes)))]

    def _exists(self):
        if self.rng.random() < 0.3:
            present = self.rng.random() < 0.5 or len(self.kinds) == len(KINDS)
            kind = self._pick(list(self.kinds) if present else [k for k in KINDS if k not in self.kinds])
            return [(self._ask(EXISTS_KIND, kind=kind), "yes" if present else "no")]
        color, kind = self._pick(list(self.pairs))
        if self.rng.random() >= 0.5:
            # One word is right and the other wrong, so that neither alone gives the answer.
            if self.rng.random() < 0.5:
                color = self._pick(list(COLORS))
            else:
                kind = self._pick(KINDS)
        return [(self._ask(EXISTS, article=article(color), color=color, kind=kind), "yes" if self.pairs[color, kind] else "no")]

    def _where(self):
        shapes = [s for s in self.scene.shapes if self.pairs[s.color, s.kind] == 1]
        if not shapes:
            return None
        shape = self._pick(shapes)
        if self.kinds[shape.kind] == 1 and self.rng.random() < 0.5:
            return [(self._ask(WHERE_KIND, kind=shape.kind), PLACES[shape.place])]
        return [(self._ask(WHERE, color=shape.color, kind=shape.kind), PLACES[shape.place])]

    def _describe(self):
        return [(self._pick(DESCRIBE), describe(self.scene))]

    def _not_there(self):
        if len(self.scene.shapes) < 4 and self.rng.random() < 0.4:
            place = self._pick([p for p in range(4) if all(s.place != p for s in self.scene.shapes)])
            templates = SHAPE_AT if self.rng.random() < 0.5 else COLOR_AT
            return [(self._ask(templates, place=PLACES[place]), "There is nothing.")]
        kind = self._pick([k for k in KINDS if k not in self.kinds])
        templates = COLOR_OF if self.rng.random() < 0.6 else WHERE_KIND
        return [(self._ask(templates, kind=kind), f"There is no {kind}.")]

    def _several_turns(self):
        shapes = self._unique()
        if len(shapes) < 2 or self.rng.random() < 0.3:
            shape = self._pick(self.scene.shapes)
            place = PLACES[shape.place]
            return [
                (self._ask(SHAPE_AT, place=place), shape.kind),
                (self._pick(("What color is it?", "And what color is it?", "Which color?")), shape.color),
            ]
        first, second = (shapes[i] for i in self.rng.permutation(len(shapes))[:2])
        return [
            (self._ask(COLOR_OF, kind=first.kind), first.color),
            (self._pick(("And the {kind}?", "And what color is the {kind}?")).format(kind=second.kind), second.color),
        ]


def two_images(first, second, rng):
    """One turn about two images, in the order in which the model sees them."""
    scenes = (first, second)
    which = int(rng.integers(2))
    word = ("first", "second")[which]
    only = [s for s in scenes[which].shapes if all(s.kind != t.kind for t in scenes[1 - which].shapes)]
    if only and rng.random() < 0.6:
        kind = only[int(rng.integers(len(only)))].kind
        questions = (
            f"Which image has a {kind}, the first or the second?", f"Which image has a {kind}?",
            f"Which image shows a {kind}, the first or the second?",
        )
        return [(questions[int(rng.integers(len(questions)))], word)]
    if rng.random() < 0.5:
        return [(f"How many shapes are in the {word} image?", str(len(scenes[which].shapes)))]
    return [(f"Describe the {word} image.", describe(scenes[which]))]


def small_talk(rng):
    """One turn without an image."""
    if rng.random() < 0.3:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        templates = COLOR_OF + COUNT_ALL + DESCRIBE + SHAPE_AT
        question = templates[int(rng.integers(len(templates)))]
        place = PLACES[int(rng.integers(4))]
        return [(question.format(kind=kind, place=place), NO_IMAGE)]
    questions, answer = SMALL_TALK[int(rng.integers(len(SMALL_TALK)))]
    return [(questions[int(rng.integers(len(questions)))], answer)]


def vary(question, rng):
    """The same question as people type it: now and then in lower case or without its last mark."""
    if rng.random() < 0.10:
        question = question[0].lower() + question[1:]
    if rng.random() < 0.06:
        question = question.rstrip("?.!")
    return question
