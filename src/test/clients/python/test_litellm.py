import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise fetched from the web

import litellm
import pytest
from conftest import KEY, QUESTION, ROOT, TIMEOUT, URL, WEATHER, is_weather
from pydantic import BaseModel

TOOLS = [{"type": "function", "function": WEATHER}]


class Verdict(BaseModel):
    known: bool


@pytest.fixture(params=["openai", "anthropic"])
def complete(request, model):
    """Completions over one of the routes."""
    address = {"openai": URL, "anthropic": ROOT}[request.param]

    def call(**options):
        return litellm.completion(
            model=f"{request.param}/{model}", api_base=address, api_key=KEY, max_retries=0, timeout=TIMEOUT, **options
        )

    return call


def test_chat_is_answered_and_counted(complete):
    answer = complete(messages=QUESTION, max_tokens=16)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_can_be_put_together(complete):
    chunks = list(complete(messages=QUESTION, max_tokens=16, stream=True))
    answer = litellm.stream_chunk_builder(chunks, messages=QUESTION)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")


def test_a_tool_that_must_be_called_is_called(complete):
    answer = complete(messages=QUESTION, max_tokens=200, tools=TOOLS, tool_choice="required", parallel_tool_calls=False)
    [call] = answer.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert is_weather(json.loads(call.function.arguments))


def test_pictures_are_seen(complete, picture):
    content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": "Describe the image."}]
    assert complete(messages=[{"role": "user", "content": content}], max_tokens=24).choices[0].message.content


def test_too_long_a_prompt_is_its_context_error(complete):
    with pytest.raises(litellm.ContextWindowExceededError):
        complete(messages=[{"role": "user", "content": "word " * 20_000}], max_tokens=8)


def test_a_wrong_key_is_its_authentication_error(model):
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(model=f"openai/{model}", api_base=URL, api_key="no-key-of-this-server", messages=QUESTION)


def test_structured_output_follows_its_schema(model):
    answer = litellm.completion(
        model=f"openai/{model}", api_base=URL, api_key=KEY, messages=QUESTION, response_format=Verdict
    )
    assert isinstance(Verdict.model_validate_json(answer.choices[0].message.content), Verdict)


def test_responses_are_answered(model):
    answer = litellm.responses(
        model=f"openai/{model}", api_base=URL, api_key=KEY, input="What is 34 + 58?", max_output_tokens=16
    )
    assert answer.output


def test_text_completions_are_answered(model):
    answer = litellm.text_completion(
        model=f"text-completion-openai/{model}", api_base=URL, api_key=KEY, prompt="What is 34", max_tokens=8
    )
    assert answer.choices[0].finish_reason in ("stop", "length")
