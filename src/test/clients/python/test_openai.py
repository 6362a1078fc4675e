import json

import openai
import pytest
from conftest import EMBEDDER, KEY, QUESTION, TIMEOUT, URL, WEATHER, is_weather
from pydantic import BaseModel, Field

WEATHER_TOOL = {"type": "function", "function": WEATHER}


class Sum(BaseModel):
    left: int = Field(ge=0, le=99)
    right: int = Field(ge=0, le=99)
    known: bool


@pytest.fixture(scope="module")
def client():
    return openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=TIMEOUT)


def test_models_are_listed_and_found_by_id(client, model):
    assert model in [one.id for one in client.models.list()]
    assert client.models.retrieve(model).id == model


def test_chat_is_answered_and_counted(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=16, temperature=0)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.completion_tokens <= 16
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_an_answer_of_one_token_ends_for_its_length(client, model):
    answer = client.chat.completions.create(model=model, messages=QUESTION, max_completion_tokens=1)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 1


def test_equal_seeds_give_equal_answers(client, model):
    texts = [
        client.chat.completions.create(model=model, messages=QUESTION, max_tokens=12, seed=7).choices[0].message.content
        for _ in range(2)
    ]
    assert texts[0] == texts[1]


def test_log_probabilities_come_with_alternatives(client, model):
    answer = client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=3, logprobs=True, top_logprobs=2, temperature=0
    )
    for token in answer.choices[0].logprobs.content:
        assert token.logprob <= 0
        assert len(token.top_logprobs) == 2


def test_parse_gives_an_object_of_the_schema(client, model):
    answer = client.chat.completions.parse(model=model, messages=QUESTION, response_format=Sum)
    assert isinstance(answer.choices[0].message.parsed, Sum)


def test_json_mode_gives_json_alone(client, model):
    answer = client.chat.completions.create(
        model=model,
        messages=QUESTION,
        max_tokens=200,
        response_format={
            "type": "json_object",
            "schema": {"type": "object", "properties": {"sum": {"type": "integer"}}},
        },
    )
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


def test_a_stream_ends_with_its_usage(client, model):
    chunks = list(
        client.chat.completions.create(
            model=model, messages=QUESTION, max_tokens=16, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in ("stop", "length")
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_is_put_together_by_the_client(client, model):
    with client.chat.completions.stream(model=model, messages=QUESTION, response_format=Sum) as stream:
        kinds = {event.type for event in stream}
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Sum)
    assert {"content.delta", "content.done"} <= kinds


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}], ids=str)
def test_a_tool_that_must_be_called_is_called(client, model, choice):
    answer = client.chat.completions.create(
        model=model,
        messages=QUESTION,
        max_tokens=200,
        tools=[WEATHER_TOOL],
        tool_choice=choice,
        parallel_tool_calls=False,
    )
    [call] = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert is_weather(json.loads(call.function.arguments))


def test_a_streamed_call_names_itself_once(client, model):
    stream = client.chat.completions.create(
        model=model,
        messages=QUESTION,
        max_tokens=200,
        tools=[WEATHER_TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        stream=True,
    )
    chunks = [chunk.choices[0] for chunk in stream if chunk.choices]
    calls = [call for chunk in chunks for call in chunk.delta.tool_calls or []]
    assert [call.index for call in calls] == [0] * len(calls)
    assert len([call for call in calls if call.id]) == 1
    assert [call.function.name for call in calls if call.function.name] == ["get_weather"]
    assert is_weather(json.loads("".join(call.function.arguments or "" for call in calls)))
    assert chunks[-1].finish_reason == "tool_calls"


def test_a_call_and_its_result_go_on_in_the_conversation(client, model):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Tose"}'}}
    answer = client.chat.completions.create(
        model=model,
        max_tokens=8,
        tools=[WEATHER_TOOL],
        messages=[
            *QUESTION,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ],
    )
    assert answer.choices[0].finish_reason in ("stop", "length", "tool_calls")


def test_pictures_are_seen(client, model, picture):
    content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": "Describe the image."}]

    def ask(content):
        return client.chat.completions.create(
            model=model, max_tokens=24, temperature=0, messages=[{"role": "user", "content": content}]
        )

    seen = ask(content)
    assert seen.choices[0].message.content
    assert seen.usage.prompt_tokens > ask(content[1:]).usage.prompt_tokens


def test_completions_continue_a_text(client, model):
    answer = client.completions.create(model=model, prompt="What is 34", max_tokens=8, echo=True)
    assert answer.object == "text_completion"
    assert answer.choices[0].text.startswith("What is 34")
    assert answer.choices[0].finish_reason in ("stop", "length")


def test_completions_have_log_probabilities(client, model):
    answer = client.completions.create(model=model, prompt="What is 34", max_tokens=8, logprobs=2)
    assert len(answer.choices[0].logprobs.tokens) == len(answer.choices[0].logprobs.token_logprobs)


def test_completions_stream(client, model):
    chunks = list(client.completions.create(model=model, prompt="What is 34", max_tokens=8, stream=True))
    assert all(chunk.object == "text_completion" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


def test_responses_answer(client, model):
    answer = client.responses.create(
        model=model, input="What is 34 + 58?", instructions="Be short.", max_output_tokens=16
    )
    assert answer.status in ("completed", "incomplete")
    assert answer.store is False
    assert answer.output_text
    assert answer.output[0].type == "message"
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_responses_see_pictures(client, model, picture):
    content = [{"type": "input_image", "image_url": picture}, {"type": "input_text", "text": "Describe the image."}]
    answer = client.responses.create(model=model, max_output_tokens=24, input=[{"role": "user", "content": content}])
    assert answer.output_text


def test_responses_parse(client, model):
    answer = client.responses.parse(model=model, input="What is 34 + 58?", text_format=Sum)
    assert isinstance(answer.output_parsed, Sum)


def test_responses_call_tools(client, model):
    answer = client.responses.create(
        model=model, input="Hello", tools=[{"type": "function", **WEATHER}], tool_choice="required"
    )
    [call] = [item for item in answer.output if item.type == "function_call"]
    assert call.name == "get_weather"
    assert is_weather(json.loads(call.arguments))


def test_responses_stream_in_openais_order(client, model):
    with client.responses.stream(model=model, input="What is 34 + 58?", max_output_tokens=16) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] in ("response.completed", "response.incomplete")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    for earlier, later in [
        ("response.output_item.added", "response.content_part.added"),
        ("response.content_part.added", "response.output_text.delta"),
        ("response.output_text.delta", "response.output_text.done"),
        ("response.output_text.done", "response.content_part.done"),
        ("response.content_part.done", "response.output_item.done"),
    ]:
        assert kinds.index(earlier) < kinds.index(later)
    assert final.output_text


def test_embeddings_are_alike_for_equal_texts(client):
    answer = client.embeddings.create(model=EMBEDDER, input=["a red cross", "a green heart", "a red cross"])
    first, other, again = (item.embedding for item in answer.data)
    assert len(first) == len(other)
    assert answer.usage.prompt_tokens > 0
    assert sum(a * b for a, b in zip(first, again)) > 0.999 > sum(a * b for a, b in zip(first, other))


def test_a_model_without_that_use_makes_no_embeddings(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        client.embeddings.create(model=model, input="Tose")
    assert "embeddings" in error.value.message


def test_a_wrong_key_is_an_authentication_error(model):
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=URL, api_key="no-key-of-this-server").chat.completions.create(
            model=model, messages=QUESTION
        )


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="no-such-model", messages=QUESTION)
    assert error.value.code == "model_not_found"


def test_too_long_a_prompt_says_how_long_it_may_be(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 20_000}])
    assert error.value.code == "context_length_exceeded"
    assert error.value.body["n_prompt_tokens"] > error.value.body["n_ctx"]
