"""Makes uniform GGUF variants of the demo model, measures them, and writes the tables of models/README.md.

    table.py --model RUN/model --demo ../demo --llama-cpp LLAMA_CPP --libllama LIBLLAMA --work DIR

Every variant is made by llama.cpp's quantizer with an importance matrix from the calibration set's lines without
pictures, from those with, or from both. It is then dequantized into the Hugging Face model, which answers the
evaluation set; divergence is from the F16 model's distributions.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from measure import Measure, divergences, load, read
from model import Quick

MARKS = ("<!-- tables by models/train/table.py -->", "<!-- end of the tables -->")
LAYER_LINES = 3  # every so-manieth line serves to measure single layers
SOURCES = ("text", "images", "both")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of the trained model, Hugging Face layout")
    parser.add_argument("--demo", type=Path, required=True, help="folder of the F16 files and the data sets")
    parser.add_argument("--llama-cpp", type=Path, required=True, help="source tree of llama.cpp, for gguf-py")
    parser.add_argument("--libllama", type=Path, required=True, help="shared library of the same version")
    parser.add_argument("--work", type=Path, required=True, help="folder for the variants and importance matrices")
    parser.add_argument("--readme", type=Path, help="file whose part between the marks is written anew")
    parser.add_argument("--every", type=int, default=1, help="measure variants on every so-manieth line only")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


class Subject:
    """The model, with the weights of the demo's GGUF, and the lines it is measured on."""

    def __init__(self, options):
        self.options = options
        self.model, self.tokenizer = load(options.model)
        self.f16 = options.demo / "luq-demo-F16.gguf"
        self.values, _ = self.quantized.read(self.f16)
        self.quantized.insert(self.model, self.values)
        self.quick = Quick(self.model, torch.float32)
        self.evaluation = self.measure(options.demo / "evaluation")
        self.base, self.right = self.evaluation.distributions()

    @property
    def quantized(self):
        import quantized

        return quantized

    def measure(self, folder, keep=lambda line: True):
        lines, pictures = read(folder)
        return Measure(self.quick, self.tokenizer, [line for line in lines if keep(line)], pictures)

    def measured(self, every):
        """Accuracy by category and mean divergences of the weights that are in the model now."""
        logs, right = self.evaluation.distributions(every)
        per_line = divergences(self.base[::every], logs)
        groups = {"images": [], "text": []}
        for line, value in zip(self.evaluation.lines[::every], per_line):
            groups["images" if line.images else "text"].append(value)
        kld = {name: sum(values) / len(values) for name, values in groups.items()}
        kld["all"] = sum(per_line) / len(per_line)
        return {"accuracy": self.evaluation.by_category(right, every), "kld": kld}

    def importances(self):
        folder = self.options.demo / "calibration"
        text = self.quantized.importance(self.measure(folder, lambda line: not line.images), self.model)
        images = self.quantized.importance(self.measure(folder, lambda line: line.images), self.model)
        found = {"text": text, "images": images, "both": self.quantized.added(text, images)}
        for name, sums in found.items():
            self.quantized.write_importance(
                self.options.work / f"imatrix-{name}.gguf", sums, f"{folder.name}: {name}", 1
            )
        return {name: self.quantized.means(sums) for name, sums in found.items()}


def variants(subject, importances):
    """{(type, source): {"bytes", "accuracy", "kld"}}; what needs no importance matrix is made with that of both."""
    options, found = subject.options, {}
    for name in subject.quantized.FILE_TYPES:
        for source in SOURCES if name != "Q8_0" else ("both",):
            target = options.work / f"luq-demo-{name}-{source}.gguf"
            subject.quantized.quantize(
                options.libllama, subject.f16, target, name, importances[source], options.threads
            )
            subject.quantized.insert(subject.model, subject.quantized.read(target)[0])
            found[name, source] = dict(bytes=target.stat().st_size, **subject.measured(options.every))
            print(name, source, found[name, source]["accuracy"]["all"], found[name, source]["kld"], flush=True)
    return found


def single_layers(subject):
    """Per layer, the divergence with this layer alone at IQ1_M."""
    low, _ = subject.quantized.read(subject.options.work / "luq-demo-IQ1_M-both.gguf")
    found = []
    for layer in range(subject.model.config.text_config.num_hidden_layers):
        subject.quantized.insert(subject.model, subject.values)
        subject.quantized.insert(subject.model, low, [layer])
        found.append(subject.measured(LAYER_LINES * subject.options.every))
        print("layer", layer, found[-1]["kld"], found[-1]["accuracy"]["all"], flush=True)
    subject.quantized.insert(subject.model, subject.values)
    return found


def percent(pair):
    return f"{100 * pair[0] / pair[1]:.1f}"


def tables(options, f16_bytes, whole, f16, found, layers, transfer):
    types = ["F16", *dict.fromkeys(name for name, _ in found)]
    best = {name: f16 if name == "F16" else found[name, "both"] for name in types}
    part = "all lines" if options.every == 1 else f"one line in {options.every}"
    yield f"Exact match in %, of F16 on all lines, then of all files on {part}; importance matrix from both:\n"
    yield "| category | lines | F16 | lines | " + " | ".join(types) + " |"
    yield "|---|---|---|---|" + "---|" * len(types)
    for category, pair in whole.items():
        if category in f16["accuracy"]:
            cells = " | ".join(percent(best[name]["accuracy"][category]) for name in types)
            yield f"| {category} | {pair[1]} | {percent(pair)} | {f16['accuracy'][category][1]} | {cells} |"
    yield "\nBy size and importance matrix:\n"
    yield "| file | imatrix from | bytes | of F16 | exact match, % | mean KL, nats | of lines with images | without |"
    yield "|---|---|---|---|---|---|---|---|"
    yield f"| F16 | | {f16_bytes:,} | 1 | {percent(f16['accuracy']['all'])} | 0 | 0 | 0 |"
    for (name, source), row in found.items():
        kld, right = row["kld"], percent(row["accuracy"]["all"])
        yield (
            f"| {name} | {source} | {row['bytes']:,} | {row['bytes'] / f16_bytes:.3f} | {right} "
            f"| {kld['all']:.4f} | {kld['images']:.4f} | {kld['text']:.4f} |"
        )
    yield f"\nOne layer alone at IQ1_M, all else F16, on one line in {LAYER_LINES * options.every}:\n"
    yield "| layer | mean KL, nats | of lines with images | without | exact match, % |"
    yield "|---|---|---|---|---|"
    for layer, row in enumerate(layers):
        kld, right = row["kld"], percent(row["accuracy"]["all"])
        yield f"| {layer} | {kld['all']:.4f} | {kld['images']:.4f} | {kld['text']:.4f} | {right} |"
    if transfer:
        yield "\nThe F16 model on pictures drawn by another renderer (matplotlib's Agg), which training never used:\n"
        yield "| category | right | asked | exact match, % |"
        yield "|---|---|---|---|"
        for category, pair in transfer.items():
            yield f"| {category} | {pair[0]} | {pair[1]} | {percent(pair)} |"


def main():
    options = arguments()
    sys.path.insert(0, str(options.llama_cpp / "gguf-py"))
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    subject = Subject(options)
    whole = subject.evaluation.by_category(subject.right)
    f16 = {"accuracy": subject.evaluation.by_category(subject.right[:: options.every], options.every)}
    print("F16", whole["all"], flush=True)
    transfer = None
    if (options.demo / "transfer").exists():
        other = subject.measure(options.demo / "transfer", lambda line: line.images)
        transfer = other.by_category(other.distributions()[1])
        print("transfer", transfer["all"], flush=True)
    found = variants(subject, subject.importances())
    layers = single_layers(subject)
    text = "\n".join(tables(options, subject.f16.stat().st_size, whole, f16, found, layers, transfer))
    (options.work / "tables.md").write_text(text + "\n")
    plain = {"F16": whole, "layers": layers, "transfer": transfer} | {f"{n} {s}": row for (n, s), row in found.items()}
    (options.work / "tables.json").write_text(json.dumps(plain, indent=1))
    if options.readme:
        old = options.readme.read_text()
        before, rest = old.split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        options.readme.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
