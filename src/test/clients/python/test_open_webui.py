"""What Open WebUI sends for each thing that its users do; it needs a browser and a database itself."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import KEY, ROOT, TIMEOUT

HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
TASK = """### Task:
Generate a concise, 3-5 word title with an emoji summarizing the chat history.
### Output:
JSON format: { "title": "your concise title here" }
### Chat History:
<chat_history>
USER: What is 34 + 58?
ASSISTANT: 92
</chat_history>"""


@pytest.fixture(scope="module", params=["", "/v1"], ids=["without v1", "with v1"])
def connection(request):
    """A connection as its administrators write it, with or without /v1."""
    with httpx.Client(base_url=ROOT + request.param, headers=HEADERS, timeout=TIMEOUT) as client:
        yield client


def chat(connection, model, content, **options):
    body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 24, **options}
    return connection.post("/chat/completions", json=body)


def streamed_text(response) -> str:
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def test_the_model_list_is_read(connection, model):
    answer = connection.get("/models").json()
    assert model in [one["id"] for one in answer["data"]]
    assert "error" not in answer


def test_title_and_tags_are_made_beside_an_answer(connection, model):
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(
            chat, connection, model, "What is 34 + 58?", stream=True, stream_options={"include_usage": True}
        )
        tasks = [
            threads.submit(chat, connection, model, TASK.replace("title", kind), stream=False)
            for kind in ("title", "tags")
        ]
    assert streamed_text(answer.result())
    for task in tasks:
        assert task.result().json()["choices"][0]["message"]["content"]


def test_a_pasted_picture_is_seen(connection, model, picture):
    content = [{"type": "text", "text": "Describe the image."}, {"type": "image_url", "image_url": {"url": picture}}]
    assert streamed_text(chat(connection, model, content, stream=True))


def test_parameters_of_its_settings_are_taken(connection, model):
    response = chat(
        connection,
        model,
        "What is 34 + 58?",
        stream=True,
        temperature=0.7,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        seed=1,
        frequency_penalty=0.1,
        presence_penalty=0.1,
        repeat_penalty=1.1,
        stop=["\n\n"],
        logit_bias={"1": 5},
    )
    assert streamed_text(response) is not None


def test_the_stop_button_ends_the_generation(connection, model):
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "What is 34 + 58?"}],
        "stream": True,
        "max_tokens": 3000,
        "logit_bias": {},
        "ignore_eos": True,
    }
    with connection.stream("POST", "/chat/completions", json=body) as response:
        next(response.iter_lines())
    deadline = time.monotonic() + 10
    while in_flight() > 0:
        assert time.monotonic() < deadline, "the generation goes on although nobody reads it"
        time.sleep(0.1)


def in_flight() -> float:
    metrics = httpx.get(f"{ROOT}/metrics", headers=HEADERS).text
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith("luq_requests_running")
    )


def test_an_error_can_be_shown(connection):
    answer = chat(connection, "no-such-model", "Hello")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]
