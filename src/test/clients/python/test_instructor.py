import instructor
import openai
import pytest
from conftest import KEY, QUESTION, TIMEOUT, URL
from pydantic import BaseModel, Field


class Sum(BaseModel):
    """A sum of two numbers."""

    left: int = Field(ge=0, le=99)
    right: int = Field(ge=0, le=99)


@pytest.fixture(params=[instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA], ids=lambda m: m.value)
def client(request):
    return instructor.from_openai(
        openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=TIMEOUT), mode=request.param
    )


def test_an_answer_is_an_object(client, model):
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, response_model=Sum, max_tokens=200, max_retries=0
    )
    assert isinstance(answer, Sum)


def test_objects_come_as_they_grow(model):
    client = instructor.from_openai(openai.OpenAI(base_url=URL, api_key=KEY), mode=instructor.Mode.TOOLS)
    partial = list(client.chat.completions.create_partial(model=model, messages=QUESTION, response_model=Sum))
    assert isinstance(partial[-1].left, int)
    assert isinstance(partial[-1].right, int)


def test_pictures_are_seen(model, picture):
    client = instructor.from_openai(openai.OpenAI(base_url=URL, api_key=KEY), mode=instructor.Mode.TOOLS)
    content = ["What does the image show?", instructor.Image.from_base64(picture)]
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}], response_model=Sum, max_tokens=200
    )
    assert isinstance(answer, Sum)
