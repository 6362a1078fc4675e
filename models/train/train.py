"""Trains the demo model from nothing and saves it in the Hugging Face layout.

Run again with the same --out to resume from the last checkpoint.
"""

import argparse
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

import model as models
import tokenizer as tokenizers
from batches import IGNORE, LABEL_SIZES, Batches
from dialogues import PLURALS
from scenes import COLORS, KINDS

MUON_RATE = 3e-3
ADAM_RATE = 1.5e-3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the model")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--vision-steps", type=int, default=600, help="first steps, of the vision tower alone")
    parser.add_argument("--image-tokens", type=int, default=512, help="image tokens per batch")
    parser.add_argument("--workers", type=int, default=4, help="processes that draw pictures")
    parser.add_argument("--threads", type=int, default=0, help="threads on a CPU; 0 = the library's choice")
    parser.add_argument("--minutes", type=float, default=0, help="end the schedule after this long; 0 = no limit")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def label_loss(heads, features, batch):
    """Cross-entropy of what each image token should know about its quarter of the picture."""
    losses = [
        F.cross_entropy(head(features).float(), batch["labels"][:, i], ignore_index=IGNORE)
        for i, head in enumerate(heads)
    ]
    return sum(losses) / len(losses)


def word_loss(model, words, features, batch):
    """Cross-entropy of the kind and the colour in each image token's quarter, read off by the words' embeddings.

    It lays what is seen and the word for it in one direction, so that attention finds "circle" among the image
    tokens from the start; without it, comparing and searching stay at chance for thousands of steps.
    """
    embeddings = model.model.language_model.embed_tokens.weight
    place = batch["labels"][:, 8]
    inside = place != IGNORE
    losses = []
    for first, rows in zip((0, 4), words):
        target = batch["labels"][inside].gather(1, first + place[inside][:, None])[:, 0]
        target = torch.where(target < len(rows), target, IGNORE)
        logits = features[inside].float() @ embeddings[rows].mean(1).T
        losses.append(F.cross_entropy(logits, target, ignore_index=IGNORE))
    return sum(losses) / 2


def word_tokens(tokenizer):
    """Token ids of the kinds (singular, plural) and of the colours, each word as within a sentence."""
    forms = [[(kind, PLURALS[kind]) for kind in KINDS], [(color,) for color in COLORS]]
    ids = [[[tokenizer.encode(" " + form) for form in word] for word in group] for group in forms]
    return [torch.tensor(group)[..., 0] for group in ids]


def answer_loss(model, features, batch):
    """Cross-entropy of the answers, and the share of their tokens that is guessed right."""
    embeddings = model.model.language_model.embed_tokens(batch["ids"])
    pictures = batch["ids"] == model.config.image_token_id
    embeddings = embeddings.masked_scatter(pictures[..., None], features.to(embeddings.dtype))
    mask = torch.zeros(batch["mask"].shape, dtype=torch.bfloat16, device=embeddings.device)
    mask.masked_fill_(~batch["mask"], torch.finfo(mask.dtype).min)
    hidden = model.model.language_model(
        inputs_embeds=embeddings, position_ids=batch["positions"], attention_mask=mask, use_cache=False
    ).last_hidden_state
    weights = batch["weights"][:, 1:]
    chosen = weights > 0
    logits = model.lm_head(hidden[:, :-1][chosen]).float()
    losses = F.cross_entropy(logits, batch["ids"][:, 1:][chosen], reduction="none")
    answer = (losses * weights[chosen]).sum() / weights[chosen].sum()
    right = (logits.argmax(-1) == batch["ids"][:, 1:][chosen]).float().mean()
    return answer, right


def optimizers_of(model, heads):
    """Muon for the matrices between layers; AdamW for embeddings, output, vectors and label heads."""
    hidden = {
        name for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name and "lm_head" not in name
    }
    matrices = [p for name, p in model.named_parameters() if name in hidden]
    rest = [p for name, p in model.named_parameters() if name not in hidden] + list(heads.parameters())
    return (
        torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=ADAM_RATE, weight_decay=0.01, betas=(0.9, 0.97)),
    )


def schedule(progress, stage_step):
    """Warm up over the first 100 steps of a stage, hold, and fall to zero over the last 40 % of the run."""
    return min(1.0, (stage_step + 1) / 100) * min(1.0, max(0.0, 1 - progress) / 0.4)


def main():
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(options.seed)
    models.quicken()
    tokenizer = tokenizers.build()
    model = models.build(tokenizer).to(device).train()
    if device == "cpu":
        # At these lengths plain products are quicker than the fused CPU kernel, most of all backwards.
        model.model.language_model.set_attn_implementation("eager")
    heads = nn.ModuleList(
        nn.Linear(model.config.vision_config.out_hidden_size, size) for size in LABEL_SIZES
    ).to(device)
    optimizers = optimizers_of(model, heads)
    words = word_tokens(tokenizer)
    checkpoint = options.out / "checkpoint.pt"
    first, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        heads.load_state_dict(state["heads"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        first, spent = state["step"], state["spent"]
    options.out.mkdir(parents=True, exist_ok=True)

    def save(step, seconds):
        state = dict(
            model=model.state_dict(), heads=heads.state_dict(), optimizers=[o.state_dict() for o in optimizers]
        )
        partial = checkpoint.with_suffix(".partial")
        torch.save(state | dict(step=step, spent=seconds), partial)
        partial.replace(checkpoint)

    data = Batches(tokenizer, options.steps, options.image_tokens)
    loader = DataLoader(
        Subset(data, range(first, options.steps)), batch_size=None, num_workers=options.workers, prefetch_factor=4
    )
    parameters = [*model.parameters(), *heads.parameters()]
    began = time.monotonic() - spent
    for step, batch in enumerate(loader, first):
        seconds = time.monotonic() - began
        progress = step / options.steps
        if options.minutes:
            progress = max(progress, seconds / 60 / options.minutes)
        if progress >= 1:
            break
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
        alone = step < options.vision_steps
        with torch.autocast(device, dtype=torch.bfloat16):
            features = model.model.visual(batch["pixels"], batch["grid"]).pooler_output
            label = label_loss(heads, features, batch) + word_loss(model, words, features, batch)
            answer, right = (torch.zeros((), device=device),) * 2 if alone else answer_loss(model, features, batch)
        # The labels teach the vision tower early on; at the end only the answers count.
        (answer + (3.0 if alone else 2.0 * (1 - progress)) * label).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        scale = schedule(progress, step if alone else step - options.vision_steps)
        for optimizer, rate in zip(optimizers, (MUON_RATE, ADAM_RATE), strict=True):
            optimizer.param_groups[0]["lr"] = rate * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if step % 20 == 0:
            print(
                f"step {step} {seconds:.0f} s answer {answer.item():.4f} right {right.item():.3f} "
                f"label {label.item():.3f}", flush=True,
            )
        if step % 250 == 249:
            save(step + 1, time.monotonic() - began)
    save(step, time.monotonic() - began)
    folder = options.out / "model"
    model.to(torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    models.image_processor().save_pretrained(folder)


if __name__ == "__main__":
    main()
