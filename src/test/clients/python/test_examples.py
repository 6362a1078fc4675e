"""The examples in Python of docs/api.md, in order: a later one may use what an earlier one made."""

import os
import re
from pathlib import Path

from conftest import EMBEDDER, KEY, ROOT

PAGE = Path(__file__).parents[4] / "docs/api.md"


def test_the_examples_of_the_pages_run(model, picture, capsys):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 2
    names = {"picture": picture.partition(",")[2]}
    for block in blocks:
        here = block.replace("http://127.0.0.1:8080", ROOT).replace('"none"', repr(KEY))
        here = here.replace('"luq-demo"', repr(model)).replace('"MODEL"', repr(EMBEDDER))
        exec(compile(here, os.fspath(PAGE), "exec"), names)
        assert capsys.readouterr().out.strip()
