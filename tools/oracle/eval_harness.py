"""Compares lmpo eval with lm-eval on transformers, document by document: every log-likelihood, every choice, every written answer.

    build/oracle/bin/pip install lm_eval==0.4.13 accelerate
    build/oracle/bin/python tools/oracle/eval_harness.py build/release/bin/lmpo MODEL DATA TASK [--num_fewshot N] [--limit N]
        [--apply_chat_template] [--batch_size N]

DATA holds files TASK_SPLIT.jsonl of all splits that the task names, which both read. Both compute in float32 and use all processors.
The last lines say how long each took, from the start of the program to its end, by the clock and in seconds of processors, which say more on a busy machine.
"""
import argparse
import collections
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HARNESS = """
import json, sys, torch, lm_eval
from lm_eval.tasks import TaskManager
torch.set_num_threads(%d)
options = json.loads(sys.argv[1])
manager = TaskManager()
overrides = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": options["files"]}}
task = manager._factory.build(manager._entry(options["task"]), overrides=overrides, registry=manager._index)
chat = options["chat"]
result = lm_eval.simple_evaluate(model="hf", model_args={"pretrained": options["model"], "dtype": "float32"}, tasks=[task],
    num_fewshot=options["shots"], limit=options["limit"], batch_size=options["batch"], device="cpu", apply_chat_template=chat,
    fewshot_as_multiturn=chat, bootstrap_iters=100)
samples = [{"doc_id": s["doc_id"], "filter": s["filter"], "resps": s["resps"], "filtered": s["filtered_resps"], "arguments": s["arguments"],
            "scores": {m: s[m] for m in s["metrics"]}} for s in result["samples"][options["task"]]]
json.dump({"samples": samples, "results": result["results"][options["task"]]}, open(options["output"], "w"), default=str)
"""


def timed(command):
    """Seconds by the clock and of processors."""
    def now():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.perf_counter(), used.ru_utime + used.ru_stime
    start = now()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=None)
    return [end - begin for begin, end in zip(start, now())]


def run_lmpo(given, folder):
    command = [given.lmpo, "eval", "-m", given.model, "--tasks", given.task, "--data", given.data, "--output_path", folder,
               "--batch_size", str(given.lmpo_batch_size), "--dtype", "float32"]
    command += ["--num_fewshot", str(given.num_fewshot)] if given.num_fewshot is not None else []
    command += ["--limit", str(given.limit)] if given.limit else []
    command += ["--apply_chat_template"] if given.apply_chat_template else []
    seconds = timed(command)
    samples = next(pathlib.Path(folder).rglob("samples_*.jsonl"))
    results = next(pathlib.Path(folder).rglob("results_*.json"))
    return seconds, [json.loads(line) for line in samples.open()], json.loads(results.read_text())["results"][given.task]


def run_harness(given, folder):
    files = {path.stem[len(given.task) + 1:]: str(path) for path in pathlib.Path(given.data).glob(given.task + "_*.jsonl")}
    output = str(pathlib.Path(folder) / "harness.json")
    options = {"task": given.task, "files": files, "model": given.model, "shots": given.num_fewshot, "limit": given.limit,
               "chat": given.apply_chat_template, "batch": given.batch_size, "output": output}
    seconds = timed([sys.executable, "-c", HARNESS % given.threads, json.dumps(options)])
    return seconds, *json.loads(pathlib.Path(output).read_text()).values()


def compare(ours, theirs):
    """Prints what differs; returns the counts."""
    counts = collections.Counter()
    worst = (0.0, None)
    by_key = {(sample["doc_id"], sample["filter"]): sample for sample in ours}
    for sample in theirs:
        own = by_key[sample["doc_id"], sample["filter"]]
        counts["documents"] += 1
        prompts = [[arguments[f"arg_{i}"] for i in range(len(arguments))] for arguments in own["arguments"].values()]
        counts["other prompts"] += [p[0] for p in prompts] != [argument[0] for argument in sample["arguments"]]
        counts["other scores"] += any(abs(own[name] - float(value)) > 1e-6 for name, value in sample["scores"].items() if name in own)
        for reply, other in zip(own["resps"], sample["resps"]):
            if isinstance(other[0], str):
                counts["texts"] += 1
                counts["other texts"] += reply[0] != other[0]
                continue
            difference = abs(float(reply[0][0]) - other[0][0])
            counts["log-likelihoods"] += 1
            counts["further than 1e-3"] += difference > 1e-3
            counts["other greedy marks"] += (reply[0][1] == "True") != other[0][1]
            worst = max(worst, (difference, sample["doc_id"]), key=lambda pair: pair[0])
    print(dict(counts), f"largest difference {worst[0]:.2e} (document {worst[1]})")
    return counts


def main():
    parser = argparse.ArgumentParser()
    for name in ("lmpo", "model", "data", "task"):
        parser.add_argument(name)
    parser.add_argument("--num_fewshot", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--apply_chat_template", action="store_true")
    parser.add_argument("--batch_size", type=int, default=1)
    parser.add_argument("--lmpo_batch_size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own_seconds, ours, own_results = run_lmpo(given, folder)
        their_seconds, theirs, their_results = run_harness(given, folder)
    compare(ours, theirs)
    for name, value in own_results.items():
        if "," in name:
            print(f"{name}: lmpo {value}, lm-eval {their_results.get(name)}")
    for what, own, other in zip(("seconds", "seconds of processors"), own_seconds, their_seconds):
        print(f"{what}: lmpo {own:.1f}, lm-eval {other:.1f}, ratio {other / own:.1f}")


if __name__ == "__main__":
    main()
