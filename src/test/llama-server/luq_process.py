"""Starts LUQ Server with the settings that a test of llama-server asks for."""

import subprocess
import sys
import time

import requests


class NoSuchSettingError(Exception):
    """The test starts llama-server with an option that this server has nothing like."""


# What llama-server samples with where nothing else is said.
SAMPLING = {"defaults.top-k": 40, "defaults.top-p": 0.95, "defaults.min-p": 0.05}

UNSUPPORTED = (
    "gcp_compat lora_files mcp_servers_config mcp_servers_json model_draft n_ga n_ga_w server_tools "
    "server_tools_runtime slot_save_path spec_synth_len spec_synth_rates ui_mcp_proxy enable_ctx_shift models_preset "
    "reasoning_format backend_sampling models_dir"
).split()


def settings(server, hub, picture_host) -> dict[str, str]:
    """This server's settings for what llama-server is asked for.

    Options for what is always so here are left out: templates, continuous batching.
    """
    unsupported = [name for name in UNSUPPORTED if getattr(server, name)]
    if unsupported:
        raise NoSuchSettingError(", ".join(unsupported))
    result = {
        "quarkus.http.host": server.server_host,
        "quarkus.http.port": server.server_port,
        "luq.worker.context-size": server.n_ctx,
        "luq.worker.slots": server.n_slots,
        "luq.worker.slot-context-size": server.n_ctx // server.n_slots
        if server.n_ctx and server.n_slots and not server.kv_unified
        else None,
        "luq.worker.batch-size": server.n_batch,
        "luq.worker.threads": server.n_threads,
        "luq.worker.stream-interval": "0ms",
        "luq.worker.kv-cache-type": server.ctk,
        "luq.worker.prompt-cache-bytes": None if server.cache_ram is None else server.cache_ram << 20,
        "luq.api.keys": server.api_key,
        "luq.api.slots": str(bool(server.server_slots)).lower(),
        "luq.api.metrics": str(bool(server.server_metrics)).lower(),
        # A router of several models refuses names that it does not know.
        "luq.api.any-model-name": str(bool(server.model_hf_repo)).lower(),
        "luq.api.verbose": str(bool(server.debug)).lower(),
        # llama-server allows all origins unless it is told otherwise; here that needs a key.
        "luq.api.cors-origins": server.cors_origins or ("*" if server.api_key else None),
        "luq.images.media-dir": server.media_path,
        "luq.images.url-hosts": picture_host,
    }
    names = sorted((server.model_alias or "default").split(","))
    on_demand = not server.model_hf_repo
    models = hub.models() if on_demand else {names[0]: hub.files(server.model_hf_repo, server.model_hf_file)}
    for model, (file, projector) in models.items():
        of_model = {
            "model": file,
            "mmproj": None if server.no_mmproj else projector,
            "aliases": None if on_demand else ",".join(names[1:]) or None,
            "tags": server.model_tags,
            "load": "demand" if on_demand else None,
            "keep-alive": server.sleep_idle_seconds,
            # The original embedding model names its own in its file.
            "pooling": server.pooling
            or ("rank" if server.server_reranking else "mean" if server.server_embeddings else None),
            "chat-template": server.chat_template,
            "chat-template-file": server.chat_template_file,
            "defaults.temperature": server.temperature,
            "defaults.enable-thinking": {"on": "true", "off": "false"}.get(server.reasoning),
            "defaults.max-tokens": None if server.n_predict == -1 else server.n_predict,
            "defaults.seed": server.seed,
            **SAMPLING,
        }
        result |= {f'luq.models."{model}".{key}': value for key, value in of_model.items()}
    return {key: str(value) for key, value in result.items() if value is not None}


def start_luq(server, command, hub, picture_host, timeout_seconds):
    import utils

    words = [f"-D{key}={value}" for key, value in settings(server, hub, picture_host).items()]
    jar = command.index("-jar")
    server._log = sys.stdout
    server.process = subprocess.Popen([*command[:jar], *words, *command[jar:]])
    utils.server_instances.add(server)
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with {server.process.returncode}")
        try:
            if requests.get(server.make_url("/q/health/ready"), timeout=5).status_code == 200:
                server.ready = True
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"the server was not ready within {timeout_seconds} s")
