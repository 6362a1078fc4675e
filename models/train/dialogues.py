"""Questions and answers about pictures.

A dialogue is a list of (question, answer) turns. Answers are short and fixed in form: "red", "circle", "2", "yes",
"top left", the text of a sign, or one sentence ending in a full stop. What a picture does not tell is answered by
UNKNOWN.
"""

import itertools
from collections import Counter

from scenes import CHARACTERS, KINDS, MAX_BARS, PAINTS, PLACES, Chart, Shapes, Sign, pick, place_of

PLURALS = {kind: "crosses" if kind == "cross" else kind + "s" for kind in KINDS}
UNKNOWN = "I don't know."

COLOR_OF = (
    "What color is the {thing}?",
    "What color is the {thing}?",
    "Which color is the {thing}?",
    "What is the color of the {thing}?",
    "What colour is the {thing}?",
    "Tell me the color of the {thing}.",
)
KIND_OF = ("What shape is {color}?", "Which shape is {color}?", "What is the {color} shape?", "Name the {color} shape.")
SIZE_OF = (
    "Is the {thing} small or large?",
    "Is the {thing} large or small?",
    "How big is the {thing}?",
    "What size is the {thing}?",
)
COUNT = (
    "How many {things} are there?",
    "How many {things} are there?",
    "How many {things} do you see?",
    "How many {things} are in the image?",
    "Count the {things}.",
)
WHERE = (
    "Where is the {thing}?",
    "Where is the {thing}?",
    "Where is the {thing} in the image?",
    "Where do you see the {thing}?",
)
AT = (
    "What is at the {place}?",
    "What is at the {place}?",
    "What shape is at the {place}?",
    "Which shape is at the {place}?",
)
EXISTS = (
    "Is there {thing}?",
    "Is there {thing}?",
    "Do you see {thing}?",
    "Is there {thing} in the image?",
    "Does the image show {thing}?",
)
DESCRIBE = (
    "Describe the image.",
    "Describe the image.",
    "Describe this image.",
    "What is in the image?",
    "What do you see?",
    "What is in this picture?",
    "What does the image show?",
)
READ = (
    "What does it say?",
    "What does it say?",
    "What does the sign say?",
    "Read the text.",
    "What is written there?",
    "What text do you see?",
)
READ_WORD = (*READ, "Which word do you see?", "Read the word.", "What is the word?", "What word is in the image?")
READ_NUMBER = (
    *READ,
    "Which number do you see?",
    "Read the number.",
    "What is the number?",
    "What number is in the image?",
)
TEXT_COLOR = (
    "What color is the text?",
    "What color is the text?",
    "Which color is the text?",
    "What color is the {what}?",
)
VALUE = (
    "What is the value of {bar}?",
    "What is the value of {bar}?",
    "How high is bar {bar}?",
    "What value does {bar} have?",
    "Read the value of bar {bar}.",
)
HIGHEST = (
    "Which bar is the highest?",
    "Which bar is the highest?",
    "What is the highest bar?",
    "Which bar is the tallest?",
)
LOWEST = (
    "Which bar is the lowest?",
    "Which bar is the lowest?",
    "What is the lowest bar?",
    "Which bar is the shortest?",
)
BARS = ("How many bars are there?", "How many bars are there?", "How many bars does the chart have?", "Count the bars.")
NOT_TOLD = (
    "Who drew this?",
    "Who drew this picture?",
    "Who made this image?",
    "When was this picture made?",
    "What is the name of the artist?",
    "How old is the artist?",
    "Where was this picture made?",
    "How much did it cost?",
)


def article(word):
    return "an" if word[0] in "aeiou" else "a"


def listed(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def describe(scene):
    """One sentence, or None where the order of the shapes from left to right is not clear."""
    if isinstance(scene, Sign):
        return f"The {'number' if scene.is_number else 'word'} {scene.text} in {scene.color}."
    if isinstance(scene, Chart):
        return f"A bar chart with {len(scene.values)} bars."
    shapes = scene.shapes
    if not shapes:
        return "An empty image."
    if len(shapes) > 3:
        kinds = Counter(s.kind for s in shapes)
        counted = [f"{kinds[k]} {k if kinds[k] == 1 else PLURALS[k]}" for k in KINDS if kinds[k]]
        return f"There are {len(shapes)} shapes: {listed(counted)}."
    if any(b.x - a.x < 0.08 * scene.width for a, b in itertools.pairwise(shapes)):
        return None
    text = listed([f"a {s.size} {s.color} {s.kind}" for s in shapes])
    return text[0].upper() + text[1:] + "."


def ask(rng, templates, **words):
    return pick(rng, templates).format(**words)


def asker(scene, rng):
    """Draws dialogues about the scene from the random stream."""
    by_type = {Shapes: AboutShapes, Sign: AboutSign, Chart: AboutChart}
    return by_type[type(scene)](scene, rng)


class Asker:
    """A category is a method; CATEGORIES holds each with its share of the training dialogues."""

    CATEGORIES = {}

    def __init__(self, scene, rng):
        self.scene = scene
        self.rng = rng

    def dialogue(self, category):
        """[(question, answer), ...], or None where the scene does not allow the category."""
        return getattr(self, "_" + category.replace(" ", "_"))()

    def any_dialogue(self):
        names, shares = list(self.CATEGORIES), list(self.CATEGORIES.values())
        total = sum(shares)
        while True:
            category = str(self.rng.choice(names, p=[share / total for share in shares]))
            turns = self.dialogue(category)
            if turns:
                return turns

    def _describe(self):
        text = describe(self.scene)
        return [(pick(self.rng, DESCRIBE), text)] if text else None


class AboutShapes(Asker):
    CATEGORIES = {
        "color": 1.5,
        "kind": 1,
        "size": 3,
        "count": 5,
        "position": 4.5,
        "at place": 3,
        "relation": 5,
        "exists": 2.5,
        "describe": 3,
        "not told": 1.5,
        "turns": 2,
    }

    def __init__(self, scene, rng):
        super().__init__(scene, rng)
        self.shapes = scene.shapes
        self.kinds = Counter(s.kind for s in self.shapes)
        self.colors = Counter(s.color for s in self.shapes)
        self.pairs = Counter((s.color, s.kind) for s in self.shapes)

    def _naming(self, shape, forms=("kind", "pair", "color")):
        """A name that only this shape has, or None."""
        names = []
        if "kind" in forms and self.kinds[shape.kind] == 1:
            names += [shape.kind] * 2
        if "pair" in forms and self.pairs[shape.color, shape.kind] == 1:
            names += [f"{shape.color} {shape.kind}"] * 2
        if "color" in forms and self.colors[shape.color] == 1:
            names += [f"{shape.color} shape"]
        return pick(self.rng, names) if names else None

    def _shuffled(self):
        return [self.shapes[i] for i in self.rng.permutation(len(self.shapes))]

    def _first(self, make):
        """What `make` says of the first shape, in random order, of which it says anything."""
        return next((turns for turns in map(make, self._shuffled()) if turns), None)

    def _color(self):
        def about(shape):
            name = self._naming(shape, ("kind",))
            return name and [(ask(self.rng, COLOR_OF, thing=name), shape.color)]

        return self._first(about)

    def _kind(self):
        def about(shape):
            return self.colors[shape.color] == 1 and [(ask(self.rng, KIND_OF, color=shape.color), shape.kind)]

        return self._first(about)

    def _size(self):
        def about(shape):
            name = self._naming(shape)
            return name and [(ask(self.rng, SIZE_OF, thing=name), shape.size)]

        return self._first(about)

    def _count(self):
        draw = self.rng.random()
        if draw < 0.4:
            present = self.kinds and self.rng.random() < 0.85
            kind = pick(self.rng, list(self.kinds) if present else KINDS)
            return [(ask(self.rng, COUNT, things=PLURALS[kind]), str(self.kinds[kind]))]
        if draw < 0.7:
            present = self.colors and self.rng.random() < 0.85
            color = pick(self.rng, list(self.colors) if present else PAINTS)
            return [(ask(self.rng, COUNT, things=f"{color} shapes"), str(self.colors[color]))]
        return [(ask(self.rng, COUNT, things="shapes"), str(len(self.shapes)))]

    def _position(self):
        def about(shape):
            name, place = self._naming(shape), place_of(shape, self.scene)
            return name and place and [(ask(self.rng, WHERE, thing=name), place)]

        return self._first(about)

    def _at_place(self):
        if self.shapes and self.rng.random() < 0.8:

            def about(shape):
                place = place_of(shape, self.scene)
                clear = place and sum(self._touches(s, place) for s in self.shapes) == 1
                return clear and [(ask(self.rng, AT, place=place), f"{shape.color} {shape.kind}")]

            return self._first(about)
        empty = [p for p in PLACES if not any(self._touches(s, p) for s in self.shapes)]
        return empty and [(ask(self.rng, AT, place=pick(self.rng, empty)), "nothing")]

    def _touches(self, shape, place):
        row, column = divmod(PLACES.index(place), 3)
        cell_width, cell_height = self.scene.width / 3, self.scene.height / 3
        reach = 0.8 * shape.radius
        return (column * cell_width - reach < shape.x < (column + 1) * cell_width + reach) and (
            row * cell_height - reach < shape.y < (row + 1) * cell_height + reach
        )

    def _relation(self):
        shapes = self._shuffled()
        for first, second in zip(shapes, shapes[1:] + shapes[:1]):
            names = [self._naming(s, ("kind", "pair")) for s in (first, second)]
            if first is second or None in names:
                continue
            dx, dy = (second.x - first.x) / self.scene.width, (second.y - first.y) / self.scene.height
            clear = [(w, d) for w, d in ((("left of", "right of"), dx), (("above", "below"), dy)) if abs(d) > 0.12]
            if not clear:
                continue
            words, delta = pick(self.rng, clear)
            truth = words[0] if delta > 0 else words[1]
            word = pick(self.rng, words)
            what = "to the " + word if word.endswith("of") and self.rng.random() < 0.2 else word
            return [(f"Is the {names[0]} {what} the {names[1]}?", "yes" if word == truth else "no")]
        return None

    def _exists(self):
        rng = self.rng
        yes = rng.random() < 0.5
        if yes and not self.shapes:
            return None
        if rng.random() < 0.35:
            kinds = list(self.kinds) if yes else [k for k in KINDS if k not in self.kinds]
            return kinds and [(ask(rng, EXISTS, thing=f"a {pick(rng, kinds)}"), "yes" if yes else "no")]
        if yes:
            color, kind = pick(rng, list(self.pairs))
        else:
            # Mostly one word is right, or even both, of different shapes, so that no word alone gives the answer.
            colors = list(self.colors) if self.shapes and rng.random() < 0.7 else PAINTS
            kinds = list(self.kinds) if self.shapes and rng.random() < 0.7 else KINDS
            color, kind = pick(rng, colors), pick(rng, kinds)
            if self.pairs[color, kind]:
                return None
        return [(ask(rng, EXISTS, thing=f"{article(color)} {color} {kind}"), "yes" if yes else "no")]

    def _not_told(self):
        draw = self.rng.random()
        if draw < 0.65:
            missing = [k for k in KINDS if k not in self.kinds]
            if self.rng.random() < 0.3:
                name = f"{pick(self.rng, PAINTS)} {pick(self.rng, KINDS)}"
                if self.pairs[tuple(name.split())]:
                    return None
            elif missing:
                name = pick(self.rng, missing)
            else:
                return None
            return [(ask(self.rng, pick(self.rng, (COLOR_OF, WHERE, SIZE_OF)), thing=name), UNKNOWN)]
        if draw < 0.8:
            return [(pick(self.rng, READ_WORD + READ_NUMBER), UNKNOWN)]
        if draw < 0.9:
            return [(ask(self.rng, VALUE + HIGHEST, bar=CHARACTERS[int(self.rng.integers(MAX_BARS))]), UNKNOWN)]
        return [(pick(self.rng, NOT_TOLD), UNKNOWN)]

    def _turns(self):
        unique = [s for s in self._shuffled() if self.kinds[s.kind] == 1]
        if len(unique) > 1 and self.rng.random() < 0.4:
            first, second = unique[:2]
            follow = pick(self.rng, ("And the {}?", "And what color is the {}?")).format(second.kind)
            return [(ask(self.rng, COLOR_OF, thing=first.kind), first.color), (follow, second.color)]
        for shape in unique:
            place = place_of(shape, self.scene)
            turns = [(ask(self.rng, COLOR_OF, thing=shape.kind), shape.color)]
            if place and self.rng.random() < 0.5:
                turns.append((pick(self.rng, ("Where is it?", "And where is it?")), place))
            else:
                turns.append((pick(self.rng, ("Is it small or large?", "How big is it?")), shape.size))
            return turns
        if self.kinds:
            kind = pick(self.rng, list(self.kinds))
            return [
                (ask(self.rng, COUNT, things="shapes"), str(len(self.shapes))),
                (
                    pick(self.rng, ("And how many {}?", "How many of them are {}?")).format(PLURALS[kind]),
                    str(self.kinds[kind]),
                ),
            ]
        return None


class AboutSign(Asker):
    CATEGORIES = {"read": 6, "text color": 0.7, "letter": 2, "describe": 1, "not told": 0.7, "turns": 0.6}

    def _read(self):
        return [(pick(self.rng, READ_NUMBER if self.scene.is_number else READ_WORD), self.scene.text)]

    def _text_color(self):
        what = "number" if self.scene.is_number else "word"
        return [(ask(self.rng, TEXT_COLOR, what=what), self.scene.color)]

    def _letter(self):
        name = "digit" if self.scene.is_number else "letter"
        which = int(self.rng.integers(2))
        return [(f"What is the {('first', 'last')[which]} {name}?", self.scene.text[-which])]

    def _not_told(self):
        draw = self.rng.random()
        if draw < 0.5:
            return [(ask(self.rng, pick(self.rng, (COLOR_OF, WHERE, SIZE_OF)), thing=pick(self.rng, KINDS)), UNKNOWN)]
        if draw < 0.75:
            return [(ask(self.rng, VALUE + HIGHEST, bar=CHARACTERS[int(self.rng.integers(MAX_BARS))]), UNKNOWN)]
        return [(pick(self.rng, NOT_TOLD), UNKNOWN)]

    def _turns(self):
        return [*self._read(), (pick(self.rng, ("What color is it?", "And what color is it?")), self.scene.color)]


class AboutChart(Asker):
    CATEGORIES = {
        "value": 4,
        "highest": 3,
        "bars": 1,
        "bar color": 1,
        "higher": 3,
        "describe": 0.5,
        "not told": 0.8,
        "turns": 0.8,
    }

    def _bar(self):
        return int(self.rng.integers(len(self.scene.values)))

    def _value(self):
        bar = self._bar()
        return [(ask(self.rng, VALUE, bar=CHARACTERS[bar]), str(self.scene.values[bar]))]

    def _highest(self):
        values = self.scene.values
        templates, extreme = ((HIGHEST, max(values)), (LOWEST, min(values)))[int(self.rng.random() < 0.4)]
        if values.count(extreme) > 1:
            return None
        return [(pick(self.rng, templates), CHARACTERS[values.index(extreme)])]

    def _bars(self):
        return [(pick(self.rng, BARS), str(len(self.scene.values)))]

    def _bar_color(self):
        bar = self._bar()
        if not self.scene.values[bar]:
            return None
        return [
            (ask(self.rng, COLOR_OF, thing=f"bar {CHARACTERS[bar]}").replace("the bar", "bar"), self.scene.colors[bar])
        ]

    def _higher(self):
        first, second = self._bar(), self._bar()
        if self.scene.values[first] == self.scene.values[second]:
            return None
        higher = self.scene.values[first] > self.scene.values[second]
        return [(f"Is {CHARACTERS[first]} higher than {CHARACTERS[second]}?", "yes" if higher else "no")]

    def _not_told(self):
        draw = self.rng.random()
        if draw < 0.6:
            missing = CHARACTERS[int(self.rng.integers(len(self.scene.values), MAX_BARS + 2))]
            return [(ask(self.rng, VALUE, bar=missing), UNKNOWN)]
        if draw < 0.8:
            return [(ask(self.rng, pick(self.rng, (COLOR_OF, WHERE)), thing=pick(self.rng, KINDS)), UNKNOWN)]
        return [(pick(self.rng, NOT_TOLD), UNKNOWN)]

    def _turns(self):
        turns = self._value()
        bar = self._bar()
        return [
            *turns,
            (pick(self.rng, ("And {}?", "And bar {}?")).format(CHARACTERS[bar]), str(self.scene.values[bar])),
        ]


class AboutTwo:
    """Questions about two pictures, in the order in which the model sees them."""

    CATEGORIES = {"more": 1.5, "which": 2, "both": 2, "one of two": 4}

    def __init__(self, scenes, rng):
        self.scenes = scenes
        self.rng = rng

    def dialogue(self, category):
        return getattr(self, "_" + category.replace(" ", "_"))()

    any_dialogue = Asker.any_dialogue

    def _counts(self):
        return [len(s.shapes) if isinstance(s, Shapes) else None for s in self.scenes]

    def _kinds(self):
        return [{s.kind for s in scene.shapes} if isinstance(scene, Shapes) else set() for scene in self.scenes]

    def _more(self):
        first, second = self._counts()
        if None in (first, second) or first == second:
            return None
        more = self.rng.random() < 0.7
        word = "more" if more else "fewer"
        question = pick(self.rng, ("Which image has {} shapes?", "Which image has {} shapes, the first or the second?"))
        return [(question.format(word), "first" if (first > second) == more else "second")]

    def _which(self):
        which = int(self.rng.integers(2))
        answer = ("first", "second")[which]
        types = [type(s) for s in self.scenes]
        if types[0] is not types[1] and types[which] is not Shapes and self.rng.random() < 0.5:
            what = {Sign: ("text",), Chart: ("a bar chart", "bars")}[types[which]]
            return [(f"Which image shows {pick(self.rng, what)}?", answer)]
        kinds = self._kinds()
        only = sorted(kinds[which] - kinds[1 - which])
        if not only:
            return None
        question = pick(
            self.rng,
            ("Which image shows a {}?", "Which image has a {}?", "Which image has a {}, the first or the second?"),
        )
        return [(question.format(pick(self.rng, only)), answer)]

    def _both(self):
        first, second = self._kinds()
        both, one = sorted(first & second), sorted(first ^ second)
        yes = self.rng.random() < 0.5
        options = both if yes else one
        if not options:
            return None
        question = pick(self.rng, ("Do both images show a {}?", "Is there a {} in both images?"))
        return [(question.format(pick(self.rng, options)), "yes" if yes else "no")]

    def _one_of_two(self):
        which = int(self.rng.integers(2))
        name, scene = ("first", "second")[which], self.scenes[which]
        if isinstance(scene, Shapes) and self.rng.random() < 0.5:
            return [(f"How many shapes are in the {name} image?", str(len(scene.shapes)))]
        if isinstance(scene, Sign) and self.rng.random() < 0.6:
            return [(f"What does the {name} image say?", scene.text)]
        text = describe(scene)
        return text and [(pick(self.rng, ("Describe the {} image.", "What is in the {} image?")).format(name), text)]


def vary(question, rng):
    """The same question as people type it: now and then in lower case or without its last mark."""
    if rng.random() < 0.08 and not question[1:2].isupper():
        question = question[0].lower() + question[1:]
    if rng.random() < 0.05:
        question = question.rstrip("?.!")
    return question
