"""Trains the demo model from nothing and saves it in the Hugging Face layout.

Run again with the same --out to resume from the last checkpoint.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset

import model as models
import shipped
import tokenizer as tokenizers
from batches import Batches
from muon import Muon
from objectives import LabelHead, Words, answer_loss
from pictures import patches

MUON_RATE = 3e-3
ADAM_RATE = 2e-3
HELD = 0.5  # share of the time after which the rates fall, to zero at the end
SAVE_SECONDS = 180


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the model")
    parser.add_argument(
        "--weights", type=Path, help="weights to begin with: a checkpoint's, or a folder's with the two F16 GGUF files"
    )
    parser.add_argument("--llama-cpp", type=Path, help="source tree of llama.cpp, for gguf-py, which reads GGUF files")
    parser.add_argument("--preset", choices=models.PRESETS, default="demo")
    parser.add_argument("--steps", type=int, default=100_000, help="end of the schedule, unless --minutes comes first")
    parser.add_argument("--minutes", type=float, default=0, help="end of the schedule in time; 0 = no limit")
    parser.add_argument("--tokens", type=int, default=6000, help="size of a batch, in tokens of the language model")
    parser.add_argument("--mean-tokens", type=float, default=30, help="mean image tokens of a picture")
    parser.add_argument("--text-share", type=float, default=0.28, help="share of the sequences without a picture")
    parser.add_argument(
        "--collages", type=float, default=0.7, help="pictures for the vision tower alone, per other one"
    )
    parser.add_argument("--signs", type=float, default=0.24, help="share of the pictures that are printed texts")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    parser.add_argument("--threads", type=int, default=0, help="threads on a CPU; 0 = the library's choice")
    parser.add_argument("--compile", action="store_true", help="compile the blocks; needs a C++ compiler on a CPU")
    parser.add_argument(
        "--alone", type=float, default=0.18, help="share of the run in which pictures teach vision alone"
    )
    parser.add_argument("--grown", type=float, default=0.0, help="share of the run with every second layer alone")
    parser.add_argument(
        "--layer-drop",
        type=float,
        default=0.0,
        help="chance of the last layer of the language model to be left out, earlier ones less, until the rates fall",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="of the batches: a training that goes on from --weights needs one not seen yet",
    )
    return parser.parse_args()


def optimizers_of(model, head, dtype):
    """Muon for the matrices of the blocks; AdamW for embeddings, merger, output, vectors and the label head."""
    hidden = {name for name, p in model.named_parameters() if p.ndim == 2 and ("layers." in name or "blocks." in name)}
    matrices = [p for name, p in model.named_parameters() if name in hidden]
    rest = [p for name, p in model.named_parameters() if name not in hidden and p.requires_grad] + list(
        head.parameters()
    )
    return (
        Muon(matrices, lr=MUON_RATE, weight_decay=0.02, dtype=dtype),
        torch.optim.AdamW(rest, lr=ADAM_RATE, weight_decay=0.01, betas=(0.9, 0.97)),
    )


def product_type(device):
    """bfloat16 where the processor multiplies it; elsewhere a step in it takes twice as long as in float32."""
    fast = device == "cuda" or {"avx512_bf16", "amx_bf16"} & processor_flags()
    return torch.bfloat16 if fast else torch.float32


def processor_flags():
    """What Linux says the processor can do; nothing elsewhere."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return set(next((line.split() for line in lines if line.startswith("flags")), []))


def schedule(progress, stage_step):
    """Warm up over the first 100 steps of a stage, hold, and fall to zero at the end."""
    return min(1.0, (stage_step + 1) / 100) * min(1.0, max(0.0, 1 - progress) / (1 - HELD))


def layers_of(language, progress, options):
    """The layers that a step runs: no later layer may rely on one of them alone, so that each learns to matter.

    The chance to be left out grows from none for the first layer to --layer-drop for the last (Huang et al., 2016,
    arXiv 1603.09382): without the first, nothing is learnt from a step.
    """
    if progress < options.grown:
        return language.layers[::2]
    drop = options.layer_drop if progress < HELD else 0
    chances = torch.linspace(0, drop, len(language.layers))
    return [layer for layer, chance in zip(language.layers, chances) if torch.rand(()) >= chance]


class Run:
    """The state of a training, in memory and in its checkpoint."""

    def __init__(self, options, device):
        self.tokenizer = tokenizers.build()
        self.model = models.build(self.tokenizer, options.preset).to(device).train()
        models.prepare(self.model)
        self.head = LabelHead(self.model.config.text_config.hidden_size).to(device)
        self.checkpoint = options.out / "checkpoint.pt"
        self.folder = options.out / "model"
        self.step, self.spent = 0, 0.0
        self.joined = None  # the step that ended the first stage
        self.model.model.visual.patch_embed.requires_grad_(False)
        self.optimizers = optimizers_of(self.model, self.head, product_type(device))
        source = self.checkpoint if self.checkpoint.exists() else options.weights
        self.fresh = not source
        if source and source.is_dir():
            if options.llama_cpp:
                sys.path.insert(0, str(options.llama_cpp / "gguf-py"))
            shipped.load(self.model, self.tokenizer, source)
        elif source:
            state = torch.load(source, map_location=device)
            self.model.load_state_dict(state["model"])
            self.head.load_state_dict(state["head"])
        if source == self.checkpoint:
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            self.step, self.spent, self.joined = state["step"], state["spent"], state["joined"]

    def save(self, step, seconds):
        state = dict(
            model=self.model.state_dict(),
            head=self.head.state_dict(),
            optimizers=[o.state_dict() for o in self.optimizers],
            step=step,
            spent=seconds,
            joined=self.joined,
        )
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def export(self):
        self.model.save_pretrained(self.folder)
        self.tokenizer.save_pretrained(self.folder)
        models.image_processor().save_pretrained(self.folder)


def main():
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    run = Run(options, device)
    data = Batches(
        run.tokenizer,
        options.steps,
        options.tokens,
        options.mean_tokens,
        options.text_share,
        options.collages,
        options.signs,
        options.seed,
    )
    if run.fresh:
        models.whiten(run.model, torch.cat([patches(data[i]["pixels"]) for i in range(20)]).to(device))
    words = Words(run.tokenizer, device)
    quick = models.Quick(run.model, product_type(device), compiled=options.compile)
    embeddings = run.model.model.language_model.embed_tokens.weight
    parameters = [p for p in (*run.model.parameters(), *run.head.parameters()) if p.requires_grad]
    loader = DataLoader(
        Subset(data, range(run.step, options.steps)),
        batch_size=None,
        num_workers=options.workers,
        prefetch_factor=4,
        pin_memory=device == "cuda",
    )
    began = time.monotonic() - run.spent
    saved = time.monotonic()
    step = run.step
    for step, batch in enumerate(loader, run.step):
        seconds = time.monotonic() - began
        progress = step / options.steps
        if options.minutes:
            progress = max(progress, seconds / 60 / options.minutes)
        if progress >= 1:
            break
        grid, pictured = tuple(batch.pop("grid").tolist()), int(batch.pop("with_picture"))
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
        alone = progress < options.alone and run.joined is None
        quick.layers = layers_of(quick.language, progress, options)
        if not alone and run.joined is None:
            run.joined = step
        features = quick.features(patches(batch["pixels"]), grid)
        label, found = run.head.loss(features, batch["labels"])
        label = label + words.loss(embeddings, features, batch["labels"])
        first = pictured if alone else 0
        hidden = quick.hidden(
            batch["ids"][first:], batch["positions"][:, first:], batch["mask"][first:], None if alone else features
        )
        answer, right = answer_loss(quick, hidden, batch["ids"][first:], batch["weights"][first:])
        # The labels teach the vision tower early on; at the end only the answers count.
        (answer + (3.0 if alone else 2.0 * (1 - progress)) * label).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        scale = schedule(progress, step if alone else step - run.joined)
        for optimizer, rate in zip(run.optimizers, (MUON_RATE, ADAM_RATE), strict=True):
            optimizer.param_groups[0]["lr"] = rate * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if step % 20 == 0:
            seen = " ".join(f"{name} {share.item():.2f}" for name, share in found.items())
            print(
                f"step {step} {seconds:.0f} s {grid[0]}x{grid[1]} answer {answer.item():.4f} right {right.item():.3f} "
                f"label {label.item():.3f} ({seen})",
                flush=True,
            )
        if time.monotonic() - saved > SAVE_SECONDS:
            run.save(step + 1, time.monotonic() - began)
            saved = time.monotonic()
    run.save(step, time.monotonic() - began)
    run.export()


if __name__ == "__main__":
    main()
