"""Runs llama.cpp's own tests of its server against this one, and writes down which pass.

The tests come from the source that the build uses and are not changed; `plugin.py` replaces what they download, and how
a server is started. What of `results.txt` is run again is replaced there; --page writes the page that tells of it.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from page import Results, write_page

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DEMO = ROOT / "models/demo"


def main() -> int:
    options = arguments()
    results = Results.read(HERE / "results.txt")
    sources = options.sources / "tools/server/tests"
    names = ["llama-server", "luq"] if options.stock else ["luq"]
    failed = []
    for name in names:
        outcomes = options.sources / f"{name}.jsonl"
        run(options, sources, name, outcomes)
        for line in outcomes.read_text().splitlines():
            outcome = json.loads(line)
            results.put(outcome["test"], name, outcome["outcome"])
            if name == "luq" and outcome["outcome"] == "failed":
                failed.append(outcome)
    for outcome in failed:
        if results.passes(outcome["test"], "llama-server"):
            print(f"{outcome['test']}\n    {outcome['message'].splitlines()[0] if outcome['message'] else ''}")
    results.write(HERE / "results.txt")
    if options.page:
        write_page(results, HERE / "reasons.txt", ROOT / "docs/llama-server-tests.md")
    both, stock = results.counts()
    print(f"{both} of the {stock} tests that llama-server passes")
    return 0


def arguments() -> argparse.Namespace:
    words = sys.argv[1:]
    command = words[words.index("--") + 1 :]
    parser = argparse.ArgumentParser(prog="luq test --llama-server-tests", description=__doc__)
    parser.add_argument("--sources", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--stock", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--both", action="store_true", help="against llama-server too, which is built for it")
    parser.add_argument("--page", action="store_true", help="write docs/llama-server-tests.md from the results")
    parser.add_argument(
        "--text-model",
        type=Path,
        default=DEMO / "luq-demo-F16.gguf",
        help="GGUF that stands in for text models; the demo model unless given",
    )
    parser.add_argument("--port", type=int, default=18080)
    parser.add_argument(
        "tests", nargs="*", metavar="TEST", help="a file, as chat_completion, or a test as pytest names it; all without"
    )
    options = parser.parse_args(words[: words.index("--")])
    options.command = command
    return options


def run(options: argparse.Namespace, sources: Path, name: str, outcomes: Path) -> None:
    outcomes.unlink(missing_ok=True)
    outcomes.touch()
    hub = options.sources / "hub"
    (sources / "tmp").mkdir(exist_ok=True)
    subprocess.run(
        [
            *[sys.executable, "-m", "pytest", "-q", "-p", "plugin", "-p", "no:cacheprovider", "-m", "not slow"],
            *["--tb=no", f"--server={name}", f"--server-command={json.dumps(options.command)}", f"--hub={hub}"],
            *[f"--text-model={options.text_model.resolve()}", f"--vision-model={DEMO / 'luq-demo-F16.gguf'}"],
            *[f"--projector={DEMO / 'mmproj-luq-demo-F16.gguf'}", f"--outcomes={outcomes}"],
            *[f"--picture={DEMO / 'examples' / picture}" for picture in ("describe.png", "word.png")],
            *([test_path(test) for test in options.tests] or ["unit"]),
        ],
        cwd=sources,
        check=False,
        env=os.environ
        | {
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PORT": str(options.port),
            "LLAMA_CACHE": str(hub),
            "LLAMA_SERVER_BIN_PATH": str((options.stock or Path()) / "llama-server"),
            # llama.cpp v0.5.0 compiled by GCC 12 dies in its AMX kernels, which repacked weights are for.
            "LLAMA_ARG_REPACK": "0",
        },
    )


def test_path(test: str) -> str:
    """`chat_completion` is the file unit/test_chat_completion.py."""
    return test if "/" in test else f"unit/test_{test}.py"


if __name__ == "__main__":
    sys.exit(main())
