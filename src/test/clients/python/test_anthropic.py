import anthropic
import pytest
from conftest import KEY, QUESTION, ROOT, TIMEOUT, WEATHER, is_weather

WEATHER_TOOL = {"name": WEATHER["name"], "description": WEATHER["description"], "input_schema": WEATHER["parameters"]}

# A field that the client has no argument for.
GREEDY = {"temperature": 0}


@pytest.fixture(scope="module")
def client():
    return anthropic.Anthropic(base_url=ROOT, api_key=KEY, max_retries=0, timeout=TIMEOUT)


def test_a_message_is_answered_and_counted(client, model):
    message = client.messages.create(model=model, max_tokens=16, system="Be short.", messages=QUESTION)
    assert (message.type, message.role) == ("message", "assistant")
    assert message.content[0].type == "text"
    assert message.content[0].text
    assert message.stop_reason in ("end_turn", "max_tokens")
    assert message.usage.input_tokens > 0
    assert 0 < message.usage.output_tokens <= 16


def test_an_answer_ends_at_a_stop_sequence(client, model):
    text = client.messages.create(model=model, max_tokens=16, messages=QUESTION, extra_body=GREEDY).content[0].text
    message = client.messages.create(
        model=model, max_tokens=16, messages=QUESTION, extra_body=GREEDY, stop_sequences=[text.strip()[0]]
    )
    assert message.stop_reason == "stop_sequence"
    assert message.stop_sequence == text.strip()[0]


def test_a_stream_is_put_together_by_the_client(client, model):
    with client.messages.stream(model=model, max_tokens=16, messages=QUESTION) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert message.content[0].text == text
    assert message.stop_reason in ("end_turn", "max_tokens")
    assert message.usage.output_tokens > 0


def test_stream_events_come_in_anthropics_order(client, model):
    kinds = [
        event.type
        for event in client.messages.create(model=model, max_tokens=16, messages=QUESTION, stream=True)
        if event.type != "ping"
    ]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@pytest.mark.parametrize(
    "choice",
    [{"type": "any", "disable_parallel_tool_use": True}, {"type": "tool", "name": "get_weather"}],
    ids=["any", "named"],
)
def test_a_tool_that_must_be_called_is_called(client, model, choice):
    message = client.messages.create(
        model=model, max_tokens=200, messages=QUESTION, tools=[WEATHER_TOOL], tool_choice=choice
    )
    [use] = [block for block in message.content if block.type == "tool_use"]
    assert message.stop_reason == "tool_use"
    assert use.name == "get_weather"
    assert is_weather(use.input)


def test_a_streamed_call_is_put_together_by_the_client(client, model):
    with client.messages.stream(
        model=model, max_tokens=200, messages=QUESTION, tools=[WEATHER_TOOL], tool_choice={"type": "any"}
    ) as stream:
        message = stream.get_final_message()
    assert is_weather(next(block.input for block in message.content if block.type == "tool_use"))


def test_a_call_and_its_result_go_on_in_the_conversation(client, model):
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Tose", "unit": "celsius"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}
    message = client.messages.create(
        model=model,
        max_tokens=8,
        tools=[WEATHER_TOOL],
        messages=[*QUESTION, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}],
    )
    assert message.type == "message"


def test_pictures_are_seen(client, model, png):
    source = {"type": "base64", "media_type": "image/png", "data": png}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "Describe the image."}]
    seen = client.messages.create(model=model, max_tokens=24, messages=[{"role": "user", "content": content}])
    blind = client.messages.create(model=model, max_tokens=1, messages=[{"role": "user", "content": content[1:]}])
    assert seen.content[0].text
    assert seen.usage.input_tokens > blind.usage.input_tokens


def test_tokens_are_counted_without_an_answer(client, model):
    counted = client.messages.count_tokens(model=model, messages=QUESTION)
    answered = client.messages.create(model=model, max_tokens=1, messages=QUESTION)
    assert counted.input_tokens == answered.usage.input_tokens + (answered.usage.cache_read_input_tokens or 0)


def test_models_are_listed(client, model):
    assert model in [one.id for one in client.models.list()]


def test_a_wrong_key_is_an_authentication_error(model):
    with pytest.raises(anthropic.AuthenticationError) as error:
        anthropic.Anthropic(base_url=ROOT, api_key="no-key-of-this-server").messages.create(
            model=model, max_tokens=8, messages=QUESTION
        )
    assert error.value.body["error"]["type"] == "authentication_error"


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(anthropic.NotFoundError) as error:
        client.messages.create(model="no-such-model", max_tokens=8, messages=QUESTION)
    assert error.value.body["type"] == "error"
    assert error.value.body["error"]["type"] == "not_found_error"
    assert error.value.request_id


def test_too_long_a_prompt_is_an_invalid_request(client, model):
    with pytest.raises(anthropic.BadRequestError) as error:
        client.messages.create(model=model, max_tokens=8, messages=[{"role": "user", "content": "word " * 20_000}])
    assert error.value.body["error"]["type"] == "invalid_request_error"
