from typing import Annotated, Literal

import pytest
from conftest import KEY, TIMEOUT, URL
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field


@tool
def get_weather(city: Annotated[str, Field(max_length=20)], unit: Literal["celsius", "fahrenheit"]) -> str:
    """The weather of a city."""
    return f"rain in {city}, {unit}"


class Sum(BaseModel):
    """A sum of two numbers."""

    left: int = Field(ge=0, le=99)
    right: int = Field(ge=0, le=99)


@pytest.fixture(scope="module")
def chat(model):
    return ChatOpenAI(
        model=model, base_url=URL, api_key=KEY, max_tokens=200, stream_usage=True, max_retries=0, timeout=TIMEOUT
    )


def test_chat_is_answered_and_counted(chat):
    answer = chat.invoke("What is 34 + 58?")
    assert answer.content
    assert answer.usage_metadata["total_tokens"] > 0
    assert answer.response_metadata["finish_reason"] in ("stop", "length")


def test_a_stream_adds_up(chat):
    whole = None
    for chunk in chat.stream("What is 34 + 58?"):
        whole = chunk if whole is None else whole + chunk
    assert whole.content
    assert whole.usage_metadata["output_tokens"] > 0


@pytest.mark.parametrize("choice", ["any", "get_weather"])
def test_a_tool_that_must_be_called_is_called(chat, choice):
    answer = chat.bind_tools([get_weather], tool_choice=choice, parallel_tool_calls=False).invoke("What is 34 + 58?")
    [call] = answer.tool_calls
    assert call["name"] == "get_weather"
    assert set(call["args"]) == {"city", "unit"}
    assert get_weather.invoke(call).tool_call_id == call["id"]


def test_a_streamed_call_adds_up(chat):
    whole = None
    caller = chat.bind_tools([get_weather], tool_choice="any", parallel_tool_calls=False)
    for chunk in caller.stream("What is 34 + 58?"):
        whole = chunk if whole is None else whole + chunk
    assert [call["name"] for call in whole.tool_calls] == ["get_weather"]


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_is_an_object(chat, method):
    assert isinstance(chat.with_structured_output(Sum, method=method).invoke("What is 34 + 58?"), Sum)


def test_pictures_are_seen(chat, png):
    image = {"type": "image", "base64": png, "mime_type": "image/png"}
    answer = chat.invoke([HumanMessage(content=[{"type": "text", "text": "Describe the image."}, image])])
    assert answer.content


def test_too_long_a_prompt_is_its_context_error(chat):
    with pytest.raises(ContextOverflowError):
        chat.invoke("word " * 20_000)


def test_responses_are_answered(model):
    chat = ChatOpenAI(model=model, base_url=URL, api_key=KEY, max_tokens=16, use_responses_api=True)
    assert chat.invoke("What is 34 + 58?").text
