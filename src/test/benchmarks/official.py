"""Scores answers with lmms-eval, and with VLMEvalKit where a checkout of it is given, for OfficialScoresTest.

Reads a JSON object a line, {"benchmark": ..., "answers": [{"reference": ..., "text": ...}]}, and writes a line for
each: the benchmark's first metric, or null where these packages would ask a language model or score something else.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path

from loguru import logger


class NeedsJudgeError(Exception):
    pass


def package(name, path=None):
    """A package whose __init__ is not run: those of the two load torch, transformers and datasets."""
    module = types.ModuleType(name)
    module.__path__ = [] if path is None else [str(path)]
    sys.modules[name] = module
    return module


class LmmsEval:
    def __init__(self):
        root = Path(importlib.util.find_spec("lmms_eval").submodule_search_locations[0])
        for name in ["lmms_eval", "lmms_eval.api", "lmms_eval.tasks", "lmms_eval.tasks._task_utils"]:
            package(name, root.joinpath(*name.split(".")[1:]))
        for task in ["mme", "pope", "textvqa", "vqav2", "chartqa", "mathvista"]:
            package(f"lmms_eval.tasks.{task}", root / "tasks" / task)
        package("sacrebleu")
        judge = package("lmms_eval.llm_judge")
        judge.Request = judge.ServerConfig = lambda *args, **kwargs: None
        judge.get_server = lambda *args, **kwargs: None
        registry = package("lmms_eval.api.registry")
        registry.register_aggregation = registry.register_metric = lambda *args, **kwargs: lambda function: function
        self.metrics = importlib.import_module("lmms_eval.api.metrics")
        self.mme = importlib.import_module("lmms_eval.tasks.mme.utils")
        self.pope = importlib.import_module("lmms_eval.tasks.pope.utils")
        self.textvqa = importlib.import_module("lmms_eval.tasks.textvqa.utils")
        self.vqav2 = importlib.import_module("lmms_eval.tasks.vqav2.utils")
        self.chartqa = importlib.import_module("lmms_eval.tasks.chartqa.utils")
        evaluator = importlib.import_module("lmms_eval.tasks.mathvista.mathvista_evals").MathVistaEvaluator
        evaluator.get_chat_response = self.judge
        self.mathvista = evaluator()

    @staticmethod
    def judge(*args, **kwargs):
        raise NeedsJudgeError

    def mean(self, answers, score):
        return 100 * sum(score(a["reference"], a["text"].strip()) for a in answers) / len(answers)

    def score(self, benchmark, answers):
        return getattr(self, "score_" + benchmark)(answers)

    def score_mme(self, answers):
        rows = []
        for answer in answers:
            reference = answer["reference"]
            doc = {
                "answer": reference["answers"][0],
                "category": reference["category"],
                "question_id": reference["group"],
            }
            rows.append(self.mme.mme_process_results(doc, [answer["text"]])["mme_perception_score"])
        return self.mme.mme_aggregate_results(rows)

    def score_pope(self, answers):
        if any(answer["text"].lower().strip() not in ("yes", "no") for answer in answers):
            return None
        rows = []
        for number, answer in enumerate(answers):
            doc = {"answer": answer["reference"]["answers"][0], "question_id": number}
            rows.append(self.pope.pope_process_results(doc, [answer["text"]])["pope_f1_score"])
        return 100 * self.pope.pope_aggregate_f1_score(rows)

    def score_textvqa(self, answers):
        def score(reference, text):
            doc = {"answers": list(reference["answers"]), "question_id": 1}
            return self.textvqa.textvqa_process_results(doc, [text])["exact_match"]

        return self.mean(answers, score)

    def score_vqav2(self, answers):
        def score(reference, text):
            people = [{"answer": answer, "answer_id": i} for i, answer in enumerate(reference["answers"])]
            return self.vqav2.vqav2_process_results({"answers": people, "question_id": 1}, [text])["exact_match"]

        return self.mean(answers, score)

    def score_gqa(self, answers):
        def score(reference, text):
            return self.metrics.exact_match_hf_evaluate(
                predictions=[text], references=[reference["answers"][0]], ignore_case=True, ignore_punctuation=True
            )["exact_match"]

        return self.mean(answers, score)

    def score_chartqa(self, answers):
        return self.mean(answers, lambda r, text: self.chartqa.relaxed_correctness(text, r["answers"][0]))

    def score_docvqa(self, answers):
        return self.mean(answers, lambda r, text: self.metrics.anls(r["answers"], [text])["anls"])

    def score_mathvista(self, answers):
        def score(reference, text):
            choice = reference["kind"] == "multi_choice"
            problem = {
                "question_type": "multi_choice" if choice else "free_form",
                "answer_type": "text" if choice else reference["kind"],
                "choices": reference.get("options", []),
                "query": "",
            }
            extraction = self.mathvista.extract_answer(text, problem, quick_extract=True)
            # The quick rules catch the judge's exception like any other.
            if extraction == "":
                raise NeedsJudgeError
            value = self.mathvista.normalize_extracted_answer(
                extraction,
                problem["choices"],
                problem["question_type"],
                problem["answer_type"],
                reference.get("precision", 0),
            )
            return self.mathvista.safe_equal(value, reference["answers"][0])

        try:
            return self.mean(answers, score)
        except NeedsJudgeError:
            return None

    def score_mmbench(self, answers):
        return None


class VlmEvalKit:
    """The rules that find an option in an answer, and circular evaluation of what they find."""

    def __init__(self, checkout):
        package("vlmeval")
        package("vlmeval.smp")
        package("vlmeval.smp.log").get_logger = lambda name: None
        path = checkout / "vlmeval/utils/matching_util.py"
        spec = importlib.util.spec_from_file_location("matching_util", path)
        self.rules = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.rules)

    def score_mmbench(self, answers):
        groups = {}
        for answer in answers:
            reference = answer["reference"]
            choices = {chr(65 + i): option for i, option in enumerate(reference["options"])}
            right = self.rules.can_infer(answer["text"].strip(), choices) == reference["answers"][0]
            groups[reference["group"]] = groups.get(reference["group"], True) and right
        return 100 * sum(groups.values()) / len(groups)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vlmevalkit", type=Path, help="a checkout of VLMEvalKit, for mmbench")
    options = parser.parse_args()
    logger.remove()
    lmms_eval = LmmsEval()
    if options.vlmevalkit is not None:
        lmms_eval.score_mmbench = VlmEvalKit(options.vlmevalkit).score_mmbench
    for line in sys.stdin:
        case = json.loads(line)
        score = lmms_eval.score(case["benchmark"], case["answers"])
        print(json.dumps(None if score is None else float(score)), flush=True)


main()
