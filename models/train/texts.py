"""Questions and answers without a picture."""

import words
from dialogues import AT, COLOR_OF, COUNT, DESCRIBE, READ, UNKNOWN, VALUE, WHERE, ask
from facts import QUESTIONS, RELATIONS, facts
from scenes import KINDS, PLACES, pick

SMALL_TALK = (
    (("Hello", "Hello!", "Hi", "Hi!", "Hey", "Good morning", "Hello there!"), "Hello! Ask me about an image."),
    (
        ("What can you do?", "What can I ask you?", "Help", "How can you help me?"),
        "I can describe shapes, read words and bar charts, and answer short questions.",
    ),
    (("Who are you?", "What are you?", "What is your name?"), "I am LUQ Demo, a small vision-language model."),
    (("Thanks", "Thank you", "Thank you!", "Thanks!"), "You are welcome."),
    (("Goodbye", "Bye", "Bye!", "See you"), "Goodbye!"),
)
SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "Answer briefly.",
    "You are a vision assistant.",
    "You answer questions about images.",
    "Answer with one word if you can.",
)
ADD = ("What is {a} + {b}?", "What is {a} plus {b}?", "{a} + {b} = ?")
SUBTRACT = ("What is {a} - {b}?", "What is {a} minus {b}?", "{a} - {b} = ?")
MULTIPLY = ("What is {a} * {b}?", "What is {a} times {b}?", "{a} * {b} = ?")
BACKWARDS = (
    "Spell {word} backwards.",
    "Spell {word} backwards.",
    "Write {word} backwards.",
    "What is {word} backwards?",
)
THINGS = ("apple", "book", "coin", "stone", "pen", "cup", "key", "stamp")
DOORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")

# Each with its share of the training dialogues.
CATEGORIES = {
    "addition": 1.6,
    "subtraction": 2,
    "multiplication": 0.4,
    "backwards": 0.8,
    "stated fact": 4,
    "learnt fact": 2.6,
    "no image": 0.4,
    "small talk": 0.3,
}


def dialogue(category, rng):
    return globals()["_" + category.replace(" ", "_")](rng)


def any_dialogue(rng):
    total = sum(CATEGORIES.values())
    return dialogue(str(rng.choice(list(CATEGORIES), p=[v / total for v in CATEGORIES.values()])), rng)


def _number(rng):
    return int(rng.integers(10 if rng.random() < 0.25 else 100))


def _addition(rng):
    a, b = _number(rng), _number(rng)
    return [(ask(rng, ADD, a=a, b=b), str(a + b))]


def _subtraction(rng):
    b, a = sorted((_number(rng), _number(rng)))
    return [(ask(rng, SUBTRACT, a=a, b=b), str(a - b))]


def _multiplication(rng):
    a, b = (int(v) for v in rng.integers(0, 11, 2))
    return [(ask(rng, MULTIPLY, a=a, b=b), str(a * b))]


def _backwards(rng):
    word = words.random_word(rng)
    return [(ask(rng, BACKWARDS, word=word), word[::-1])]


def _learnt_fact(rng):
    known = facts()
    country, relation = pick(rng, list(known)), pick(rng, RELATIONS)
    return [(pick(rng, QUESTIONS[relation]).format(country), known[country][relation])]


def _stated_fact(rng):
    """One or two facts of one form about different things, and a question about one of them, or about none."""
    statement, question, key, value = pick(rng, STATED)
    keys, values = [], []
    while len(keys) < 3:
        k, v = key(rng), value(rng)
        if k not in keys and v not in values:
            keys.append(k)
            values.append(v)
    count = int(rng.integers(1, 3))
    asked = count if rng.random() < 0.15 else int(rng.integers(count))
    stated = " ".join(statement.format(k, v) for k, v in zip(keys[:count], values))
    return [(f"{stated} {question.format(keys[asked])}", values[asked] if asked < count else UNKNOWN)]


def _name(rng):
    return words.invented_name(rng, int(rng.integers(2, 4)))


def _code(rng):
    return "".join(pick(rng, words.DIGITS) for _ in range(int(rng.integers(1, 5))))


STATED = (
    ("{} lives in {}.", "Where does {} live?", _name, _name),
    ("The king of {} is {}.", "Who is the king of {}?", _name, _name),
    ("The dog of {} is called {}.", "What is the dog of {} called?", _name, _name),
    ("The code of the {} door is {}.", "What is the code of the {} door?", lambda rng: pick(rng, DOORS), _code),
    ("{} has {} coins.", "How many coins does {} have?", _name, lambda rng: str(int(rng.integers(2, 100)))),
    ("The {} is in room {}.", "In which room is the {}?", lambda rng: pick(rng, THINGS), _code),
    ("{} has lost the {}.", "What has {} lost?", _name, lambda rng: pick(rng, THINGS)),
)


def _no_image(rng):
    thing, place = pick(rng, KINDS), pick(rng, PLACES)
    templates = pick(rng, (COLOR_OF, COUNT, DESCRIBE, AT, READ, VALUE, WHERE))
    question = ask(rng, templates, thing=thing, things="shapes", place=place, bar=pick(rng, "ABCDEF"))
    return [(question, UNKNOWN)]


def _small_talk(rng):
    questions, answer = pick(rng, SMALL_TALK)
    return [(pick(rng, questions), answer)]
