"""A folder in the form of Hugging Face's cache in which stand-ins lie for the models that the tests name."""

from pathlib import Path

from reranker import write_reranker

COMMIT = "0" * 40


class Hub:
    """Text models are all the one file but the reranker, vision models the other one with its projector."""

    def __init__(self, folder: Path, text: Path, vision: Path, projector: Path):
        self.folder = folder
        self.text = text
        self._put("ggml-org/test-model-stories260K", "stories260K-F32.gguf", text)
        self._put("ggml-org/test-model-stories260K-infill", "stories260K-infill-F32.gguf", text)
        self._put("ggml-org/stories15M_MOE", "stories15M_MOE-F16.gguf", text)
        self._put("ggml-org/models", "bert-bge-small/ggml-model-f16.gguf", text)
        folder.mkdir(parents=True, exist_ok=True)
        reranker = write_reranker(folder / "reranker.gguf")
        self._put("ggml-org/models", "jina-reranker-v1-tiny-en/ggml-model-f16.gguf", reranker)
        self._put("ggml-org/models", "tinyllamas/stories260K.gguf", text)
        self._put("ggml-org/tinygemma3-GGUF", "tinygemma3-Q8_0.gguf", vision)
        self._put("ggml-org/tinygemma3-GGUF", "mmproj-tinygemma3.gguf", projector)

    def _put(self, repo: str, name: str, model: Path) -> None:
        root = self.folder / ("models--" + repo.replace("/", "--"))
        link = root / "snapshots" / COMMIT / name
        link.parent.mkdir(parents=True, exist_ok=True)
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / "main").write_text(COMMIT)
        if not link.is_symlink():
            link.symlink_to(model)

    def models(self) -> dict[str, tuple[Path, Path | None]]:
        """What a server that loads models on demand finds: file and projector by `repository:tag`."""
        found = {}
        for file in sorted(self.folder.glob("*/snapshots/*/*.gguf")):
            repo = file.relative_to(self.folder).parts[0].removeprefix("models--").replace("--", "/", 1)
            if not file.name.startswith("mmproj"):
                found[f"{repo}:{file.stem.rpartition('-')[2].upper()}"] = self.files(repo, None)
        return found

    def files(self, repo: str, name: str | None) -> tuple[Path, Path | None]:
        """File and projector of a repository, with or without a tag; `name` where there are several models in it."""
        snapshot = self.folder / ("models--" + repo.partition(":")[0].replace("/", "--")) / "snapshots" / COMMIT
        if name is not None:
            return snapshot / name, None
        models = [file for file in snapshot.glob("*.gguf") if not file.name.startswith("mmproj")]
        if len(models) != 1:
            raise FileNotFoundError(f"no stand-in for {repo}")
        return models[0], next(snapshot.glob("mmproj*.gguf"), None)
