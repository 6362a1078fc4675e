"""What the cases share: the server's address, a key, its model and a picture."""

import base64
import os
from pathlib import Path

import pytest

ROOT = os.environ["LUQ_TEST_URL"]
URL = ROOT + "/v1"
KEY = os.environ["LUQ_TEST_KEY"]
EMBEDDER = os.environ["LUQ_TEST_EMBEDDER"]
TIMEOUT = float(os.environ["LUQ_TEST_TIMEOUT"])

QUESTION = [{"role": "user", "content": "What is 34 + 58?"}]

WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}


def is_weather(arguments: dict) -> bool:
    return isinstance(arguments["city"], str) and arguments["unit"] in ("celsius", "fahrenheit")


@pytest.fixture(scope="session")
def model() -> str:
    return os.environ["LUQ_TEST_MODEL"]


@pytest.fixture(scope="session")
def png() -> str:
    """A picture in base64."""
    if os.environ["LUQ_TEST_SEES"] == "no":
        pytest.skip("the model reads no pictures")
    return base64.b64encode(Path(os.environ["LUQ_TEST_PICTURE"]).read_bytes()).decode()


@pytest.fixture(scope="session")
def picture(png) -> str:
    return f"data:image/png;base64,{png}"
