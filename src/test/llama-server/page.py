"""The results of the tests as a file, and the page that is made of it."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

SERVERS = "llama-server", "luq"
HEAD = """# llama.cpp's own server tests

`./luq test --llama-server-tests` takes `tools/server/tests` of the llama.cpp that this server is built from and runs
it, unchanged, against this server: a plugin of pytest starts it with the settings that a test asks llama-server for.
`--both` runs llama-server too. What counts is a test that llama-server passes.

Models and pictures that the tests download are replaced, for both servers: text models by SmolLM2-135M-Instruct
(`--text-model`; the demo model without it), the reranker by one of random weights, the vision model by the demo model.
Where a test looks for certain words in an answer, any answer will do. Tests that llama-server fails so, because they
know the original models' tokens, need a network or an option that its build lacks, count for neither; the slow ones are
left out.
"""


@dataclass
class Results:
    """How tests ended, by test and server."""

    outcomes: dict[str, dict[str, str]] = field(default_factory=dict)

    @staticmethod
    def read(file: Path) -> "Results":
        results = Results()
        for line in file.read_text().splitlines() if file.is_file() else []:
            if not line.startswith("#"):
                *outcomes, test = line.split("\t", len(SERVERS))
                results.outcomes[test] = dict(zip(SERVERS, outcomes))
        return results

    def put(self, test: str, server: str, outcome: str) -> None:
        test = test.replace("\n", "\\n").replace("\t", "\\t").removeprefix("unit/")
        self.outcomes.setdefault(test, {})[server] = outcome

    def passes(self, test: str, server: str) -> bool:
        return self.outcomes.get(test.removeprefix("unit/"), {}).get(server) == "passed"

    def counts(self) -> tuple[int, int]:
        """Tests that both pass, and tests that llama-server passes."""
        stock = [test for test in self.outcomes if self.passes(test, "llama-server")]
        return sum(self.passes(test, "luq") for test in stock), len(stock)

    def write(self, file: Path) -> None:
        lines = ["# " + ", ".join(SERVERS) + ", test"]
        lines += [
            "\t".join([*(outcomes.get(server, "not run") for server in SERVERS), test])
            for test, outcomes in sorted(self.outcomes.items())
        ]
        file.write_text("\n".join(lines) + "\n")


def write_page(results: Results, reasons_file: Path, page: Path) -> None:
    """Fails where a test that is not passed has no reason, and where a reason has no test."""
    reasons = dict(line.split("\t", 1) for line in reasons_file.read_text().splitlines() if not line.startswith("#"))
    unused = set(reasons)
    unexplained = []
    rows: dict[str, tuple[int, int]] = {}
    notes: dict[str, list[str]] = {}
    for test in sorted(results.outcomes):
        if not results.passes(test, "llama-server"):
            continue
        file = test.partition("::")[0]
        passed, count = rows.get(file, (0, 0))
        passes = results.passes(test, "luq")
        rows[file] = passed + passes, count + 1
        if passes:
            continue
        pattern = next((pattern for pattern in reasons if fnmatchcase(test, pattern.replace("[", "[[]"))), None)
        if pattern is None:
            unexplained.append(test)
        else:
            unused.discard(pattern)
            notes.setdefault(reasons[pattern], []).append(test.partition("::")[2])
    if unexplained or unused:
        raise SystemExit(f"tests without a reason: {unexplained}\nreasons without a test: {sorted(unused)}")
    both, stock = results.counts()
    lines = [
        HEAD,
        f"**{both} of {stock}** pass.\n",
        "| file | llama-server passes | this server passes of them |",
        "|---|---|---|",
    ]
    lines += [f"| {file} | {count} | {passed} |" for file, (passed, count) in rows.items()]
    lines += ["", "## The others", "", "| test | why |", "|---|---|"]
    lines += [f"| {', '.join(short(tests))} | {reason} |" for reason, tests in sorted(notes.items())]
    page.write_text("\n".join(lines) + "\n")


def short(tests: list[str]) -> list[str]:
    """Names without their parameters, with how often each is there."""
    names = [test.partition("[")[0] for test in tests]
    return [f"`{name}`" + (f" ({names.count(name)})" if names.count(name) > 1 else "") for name in dict.fromkeys(names)]
