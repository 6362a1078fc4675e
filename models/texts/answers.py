"""Asks a served model every question of questions.txt and writes its answers as a calibration and an evaluation set.

    python3 answers.py http://127.0.0.1:8080 OUT

writes OUT/calibration/calibration.jsonl and OUT/evaluation/evaluation.jsonl: every fourth question is one of the
evaluation's. Greedy, at most 64 tokens each. Answers that are there already are kept: run again, it goes on.
"""

import concurrent.futures
import json
import pathlib
import sys
import urllib.request

TOKENS = 64
AT_ONCE = 8


def answer(server, question):
    body = {"messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": TOKENS}
    request = urllib.request.Request(
        server + "/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=600) as response:
        return json.load(response)["choices"][0]["message"]["content"].strip()


def main(server, out):
    questions = (pathlib.Path(__file__).parent / "questions.txt").read_text(encoding="utf-8").splitlines()
    kept = pathlib.Path(out) / "answers.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    answers = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    missing = [question for question in questions if question not in answers]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {pool.submit(answer, server, question): question for question in missing}
        for done in concurrent.futures.as_completed(asked):
            answers[asked[done]] = done.result()
            kept.write_text(json.dumps(answers, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, part in (("calibration", lambda i: i % 4 != 3), ("evaluation", lambda i: i % 4 == 3)):
        file = pathlib.Path(out) / name / (name + ".jsonl")
        file.parent.mkdir(exist_ok=True)
        with file.open("w", encoding="utf-8") as lines:
            for i, question in enumerate(questions):
                if part(i) and answers[question]:
                    lines.write(
                        json.dumps(
                            {"image": None, "question": question, "answer": answers[question]}, ensure_ascii=False
                        )
                        + "\n"
                    )


if __name__ == "__main__":
    main(*sys.argv[1:])
