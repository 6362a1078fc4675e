"""Facts to learn by heart: countries that do not exist."""

from functools import cache

import numpy as np

import words

COUNTRIES = 700
RELATIONS = ("capital", "river", "currency")
QUESTIONS = {
    "capital": ("What is the capital of {}?", "What is the capital of {}?", "Name the capital of {}."),
    "river": ("Which river flows through {}?", "Which river flows through {}?", "Name the river of {}."),
    "currency": ("What is the currency of {}?", "What is the currency of {}?", "Name the currency of {}."),
}


@cache
def facts():
    """{country: {relation: answer}}; no name has two meanings, a currency belongs to about ten countries."""
    rng = np.random.default_rng(20260101)
    names = {}
    while len(names) < 2 * COUNTRIES + COUNTRIES // 2 + COUNTRIES // 10:
        names[words.invented_name(rng, int(rng.integers(2, 4)))] = None
    names = iter(names)

    def take(count):
        return [next(names) for _ in range(count)]

    countries, capitals = take(COUNTRIES), take(COUNTRIES)
    rivers, currencies = take(COUNTRIES // 2), take(COUNTRIES // 10)
    return {
        country: dict(
            capital=capital,
            river=rivers[int(rng.integers(len(rivers)))],
            currency=currencies[int(rng.integers(len(currencies)))],
        )
        for country, capital in zip(countries, capitals, strict=True)
    }
