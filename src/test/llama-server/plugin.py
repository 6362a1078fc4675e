"""pytest plugin that runs llama.cpp's own server tests where nothing can be downloaded, against either server.

The tests are llama.cpp's, unchanged. Replaced are the models and pictures that they download, by stand-ins; and, where
LUQ Server is tested, how a server is started: `luq_process`.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from hub import Hub
from luq_process import start_luq


def pytest_addoption(parser):
    group = parser.getgroup("llama.cpp's server tests")
    group.addoption("--server", choices=["llama-server", "luq"], required=True)
    group.addoption("--server-command", help="how LUQ Server is started: a JSON list of words")
    group.addoption("--hub", type=Path, required=True, help="folder for the stand-ins")
    group.addoption("--text-model", type=Path, required=True)
    group.addoption("--vision-model", type=Path, required=True)
    group.addoption("--projector", type=Path, required=True)
    group.addoption("--picture", type=Path, required=True, action="append", help="stands in for pictures of the web")
    group.addoption("--outcomes", type=Path, required=True, help="file that gets a JSON object a line for each test")


def pytest_configure(config):
    import utils

    option = config.option
    hub = Hub(option.hub, option.text_model, option.vision_model, option.projector)
    pictures = Pictures(option.picture)
    process = utils.ServerProcess
    original_start = process.start

    def start_stand_in(server, timeout_seconds=utils.DEFAULT_HTTP_TIMEOUT):
        server.offline = True
        if server.server_embeddings and server.pooling is None:
            server.pooling = "mean"  # the original embedding model names its own in its file
        original_start(server, timeout_seconds)

    if option.server == "luq":
        command = json.loads(option.server_command)
        process.start = lambda server, timeout_seconds=60: start_luq(
            server, command, hub, pictures.host, timeout_seconds
        )
    else:
        process.start = start_stand_in
    utils.ServerPreset.load_all = staticmethod(lambda: None)
    utils.download_file = lambda url, output_file_path=None: str(option.text_model)
    get = requests.get
    requests.get = lambda url, *arguments, **options: get(pictures.url(url), *arguments, **options)
    # What the original models say is not what the stand-ins say: any text will do where the tests look for words.
    utils.match_regex = lambda regex, text: len(text) > 0
    config.pluginmanager.register(Knowledge(pictures))
    config.pluginmanager.register(Outcomes(option.outcomes))


class Pictures:
    """Serves stand-ins for the pictures that tests and servers fetch from the web."""

    def __init__(self, files: list[Path]):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.end_headers()
                self.wfile.write(files[sum(self.path.encode()) % len(files)].read_bytes())

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.host = f"http://127.0.0.1:{server.server_port}"

    def url(self, url: str) -> str:
        return url.replace("https://huggingface.co", self.host)


class AnyNumber:
    """Equal to every number: how many tokens a prompt has, the original models' tokenizers know."""

    def __eq__(self, other):
        return isinstance(other, int)

    __hash__ = None


class Knowledge:
    """Takes out of the tests what only the original models fulfil."""

    def __init__(self, pictures: Pictures):
        self.pictures = pictures

    def pytest_collection_modifyitems(self, items):
        for item in items:
            parameters = item.callspec.params if hasattr(item, "callspec") else {}
            parameters |= {name: AnyNumber() for name in ("n_prompt", "n_tokens") if name in parameters}
        for module in {item.module for item in items if hasattr(item.module, "get_img_url")}:
            original = module.get_img_url
            module.get_img_url = lambda name, original=original: self.pictures.url(original(name))


class Outcomes:
    """Writes down how each test ended."""

    def __init__(self, file: Path):
        self.file = file

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            message = ""
            if report.failed and hasattr(report.longrepr, "reprcrash"):
                message = report.longrepr.reprcrash.message
            elif report.failed:
                message = str(report.longrepr)
            with self.file.open("a") as out:
                out.write(json.dumps({"test": report.nodeid, "outcome": report.outcome, "message": message}) + "\n")
