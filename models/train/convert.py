"""Writes the two F16 GGUF files of a trained model with llama.cpp's own converter.

The converter knows pre-tokenizers by a hash of their output, and ours is not on its list: it is Qwen2's, with
another vocabulary, so the converter is told so.
"""

import argparse
import runpy
import sys
from pathlib import Path

CARD = """---
license: apache-2.0
language: [en]
---
A small vision-language model that describes coloured shapes, reads signs and bar charts, and knows a few facts.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llama-cpp", type=Path, required=True, help="source tree of llama.cpp")
    parser.add_argument("--model", type=Path, required=True, help="the trained model, Hugging Face layout")
    parser.add_argument("--out", type=Path, required=True, help="folder for the GGUF files")
    options = parser.parse_args()

    sys.path[:0] = [str(options.llama_cpp), str(options.llama_cpp / "gguf-py")]
    from conversion.base import TextModel

    TextModel.get_vocab_base_pre = lambda *_: "qwen2"
    (options.model / "README.md").write_text(CARD)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, extra in (("luq-demo-F16.gguf", []), ("mmproj-luq-demo-F16.gguf", ["--mmproj"])):
        script = str(options.llama_cpp / "convert_hf_to_gguf.py")
        sys.argv = [
            script,
            str(options.model),
            "--outtype",
            "f16",
            "--outfile",
            str(options.out / name),
            "--model-name",
            "LUQ Demo",
            *extra,
        ]
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as exit:
            if exit.code:
                raise


if __name__ == "__main__":
    main()
