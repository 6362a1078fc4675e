"""Runs the clients against a server that the launcher starts, and prints a table of what each of them could do.

Python's cases are run by pytest, JavaScript's by node's own runner, and the example of docs/ by Maven. A case belongs
to the client that its file is named after. Fails when a case fails, or, without --allow-missing, a client is missing.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXAMPLE = ROOT / "docs/examples/quarkus-langchain4j"
DEMO = ROOT / "models/demo"
EMBEDDER = "embedder"
READY_WITHIN_S = 180
LONGEST_CASE_S = 120
# Those without a package: a client whose requests are replayed, and the examples of a page, which use others.
WITHOUT_PACKAGE = {"open-webui": "its requests", "examples": "docs/api.md"}


@dataclass
class Case:
    client: str
    name: str
    result: str
    message: str = ""


def main() -> int:
    options = arguments()
    key = secrets.token_hex(16)
    port = free_port()
    command = [options.launcher, "serve", "--port", str(port), f"-Dluq.api.keys={key}", *models(options)]
    results = options.node.parent / "clients"
    results.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and the server with it
    with (results / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(server, port, results / "server.log")
        environment = os.environ | {
            "LUQ_TEST_URL": f"http://127.0.0.1:{port}",
            "LUQ_TEST_KEY": key,
            "LUQ_TEST_TIMEOUT": str(LONGEST_CASE_S),
            "LUQ_TEST_MODEL": first_model(port, key),
            "LUQ_TEST_EMBEDDER": EMBEDDER,
            "LUQ_TEST_PICTURE": str(ROOT / "models/demo/examples/describe.png"),
            "LUQ_TEST_SEES": "no" if options.model and not options.mmproj else "yes",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        cases = [
            *python_cases(results, environment, options.words),
            *node_cases(results, environment, options),
            *example_cases(environment, options),
        ]
    finally:
        server.terminate()
        server.wait()
    return report(cases, options)


def models(options: argparse.Namespace) -> list[str]:
    """The model that is asked, and the demo model once more, on demand, for embeddings."""
    model, projector = options.model, options.mmproj
    embedder = {"model": DEMO / "luq-demo-F16.gguf", "load": "demand", "pooling": "last"}
    words = [f"-Dluq.models.{EMBEDDER}.{setting}={value}" for setting, value in embedder.items()]
    if not model:
        model, projector = DEMO / "luq-demo-F16.gguf", DEMO / "mmproj-luq-demo-F16.gguf"
        words.append("-Dluq.model-id=luq-demo")
    return [*words, "--model", str(model), *(["--mmproj", str(projector)] if projector else [])]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="luq test --clients", description=__doc__)
    parser.add_argument("--launcher", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--node", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", help="GGUF to serve instead of the demo model")
    parser.add_argument("--mmproj", help="its vision projector; without one no case with a picture is run")
    parser.add_argument("--allow-missing", action="store_true", help="clients that cannot be installed are left out")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only cases with one of these in their names or files")
    return parser.parse_args()


def first_model(port: int, key: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/models", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)["data"][0]["id"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(server: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/q/health/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    sys.exit(f"the server did not become ready: {log.read_text()}")


def python_cases(results: Path, environment: dict, words: list[str]) -> list[Case]:
    report = results / "python.xml"
    report.unlink(missing_ok=True)
    selection = ["-k", " or ".join(words)] if words else []
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
            *selection,
            HERE / "python",
        ],
        env=environment,
        check=False,
    )
    return read_cases(report, lambda case: client_of(case.get("classname").rpartition(".")[2].removeprefix("test_")))


def node_cases(results: Path, environment: dict, options: argparse.Namespace) -> list[Case]:
    if not (options.node / "key").is_file():
        return []
    cases = []
    for file in sorted((HERE / "node").glob("*.test.mjs")):
        report = results / f"{file.stem}.xml"
        selection = [f"--test-name-pattern={word}" for word in options.words if word not in file.name]
        copy = options.node / file.name  # node looks for packages beside the file
        copy.write_bytes(file.read_bytes())
        subprocess.run(
            [
                "node",
                "--test",
                f"--test-timeout={LONGEST_CASE_S * 1000}",
                "--test-reporter=spec",
                "--test-reporter-destination=stdout",
                "--test-reporter=junit",
                f"--test-reporter-destination={report}",
                *selection,
                copy,
            ],
            env=environment,
            check=False,
        )
        client = file.name.removesuffix(".test.mjs")
        cases += read_cases(report, lambda _, client=client: f"{client} (node)")
    return cases


def example_cases(environment: dict, options: argparse.Namespace) -> list[Case]:
    """The example of an application that uses this server, which is all about pictures."""
    if environment["LUQ_TEST_SEES"] == "no" or (
        options.words and not any(word in EXAMPLE.name for word in options.words)
    ):
        return []
    for old in (EXAMPLE / "target").glob("surefire-reports/*.xml"):
        old.unlink()
    subprocess.run(
        ["mvn", "-B", "-ntp", "-q", "-f", EXAMPLE / "pom.xml", "test"],
        env=environment | {name: environment[f"LUQ_TEST_{name[4:]}"] for name in ("LUQ_URL", "LUQ_KEY", "LUQ_MODEL")},
        check=False,
    )
    reports = list((EXAMPLE / "target").glob("surefire-reports/*.xml")) or [Path(EXAMPLE.name)]
    return [case for report in reports for case in read_cases(report, lambda _: EXAMPLE.name)]


def client_of(file: str) -> str:
    return file.replace("_", "-")


def read_cases(report: Path, client) -> list[Case]:
    if not report.is_file():
        return [Case(report.stem, "the runner", "failed", "it wrote no report")]
    cases = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        failure = next((case.find(tag) for tag in ("failure", "error") if case.find(tag) is not None), None)
        skipped = case.find("skipped")
        result = "failed" if failure is not None else "left out" if skipped is not None else "passed"
        message = (failure if failure is not None else skipped if skipped is not None else {}).get("message") or ""
        cases.append(Case(client(case), case.get("name").removeprefix("test_").replace("_", " "), result, message))
    return cases


def version(client: str, node: Path) -> str:
    name, _, where = client.partition(" ")
    if where:
        package = node / "node_modules" / name / "package.json"
        return json.loads(package.read_text())["version"] if package.is_file() else "missing"
    if name in WITHOUT_PACKAGE:
        return WITHOUT_PACKAGE[name]
    if name == EXAMPLE.name:
        return ElementTree.parse(EXAMPLE / "pom.xml").findtext(".//{*}quarkus-langchain4j.version")
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def report(cases: list[Case], options: argparse.Namespace) -> int:
    print("\n| client | version | case | result |\n|---|---|---|---|")
    for case in cases:
        short = f": {case.message.splitlines()[0][:160]}" if case.message else ""
        print(f"| {case.client} | {version(case.client, options.node)} | {case.name} | {case.result}{short} |")
    missing = missing_clients(options.node)
    for client in missing:
        print(f"| {client} | missing | | not run |")
    counts = {result: sum(case.result == result for case in cases) for result in ("passed", "failed", "left out")}
    print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['left out']} skipped")
    if not cases:
        print("no case is named so")
    return int(not cases or counts["failed"] > 0 or (bool(missing) and not options.allow_missing))


def missing_clients(node: Path) -> list[str]:
    python = [client_of(file.stem.removeprefix("test_")) for file in sorted((HERE / "python").glob("test_*.py"))]
    javascript = [
        f"{file.name.removesuffix('.test.mjs')} (node)" for file in sorted((HERE / "node").glob("*.test.mjs"))
    ]
    return [client for client in [*python, *javascript] if version(client, node) == "missing"]


if __name__ == "__main__":
    sys.exit(main())
