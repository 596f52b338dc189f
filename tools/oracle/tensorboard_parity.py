"""Reads the event files of `lmpo train` with TensorBoard, for a run that was killed and resumed.

    build/oracle/bin/python tools/oracle/tensorboard_parity.py build/release/bin/lmpo

Three readers: TensorBoard's record reader with its checksums, its EventAccumulator, and the server that `tensorboard --logdir` starts,
over HTTP. Each must show the tags of transformers' rewrite_logs with the steps and values of trainer_state.json, in order, and nothing
that the killed run had logged after its checkpoint. (A step that is logged and evaluated logs the epoch twice, as in transformers; the
server shows it once.)
"""
import argparse
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

STEPS, SAVED, KILLED = 40, 10, 17


def rewrite(name):
    """transformers.integrations.integration_utils.rewrite_logs."""
    for split in ("eval", "test"):
        if name.startswith(split + "_"):
            return f"{split}/{name[len(split) + 1:]}"
    return f"train/{name}"


def expected_curves(state):
    curves = {}
    for entry in state["log_history"]:
        for name, value in entry.items():
            if name != "step" and isinstance(value, (int, float)) and "runtime" not in name and "per_second" not in name:
                curves.setdefault(rewrite(name), []).append((entry["step"], float(numpy.float32(value))))
    return curves


def train(binary, folder, *more):
    world = folder / "world/world"
    return [binary, "train", "--model", folder / "world/random", "--data", world / "preferences.jsonl", "--output_dir",
            folder / "out", "--max_steps", str(STEPS), "--save_steps", str(SAVED), "--logging_steps", "1", "--eval_dataset",
            world / "held_out_preferences.jsonl", "--eval_strategy", "steps", "--eval_steps", "4", "--learning_rate", "1e-4", *more]


def run_broken_and_resumed(binary, folder):
    subprocess.run([binary, "example", folder / "world", "--no_train"], check=True, capture_output=True)
    program = subprocess.Popen(train(binary, folder), stderr=subprocess.PIPE, text=True)
    for line in program.stderr:
        if line.startswith(f"step {KILLED}/"):
            program.send_signal(signal.SIGKILL)
    program.wait()
    subprocess.run(train(binary, folder, "--resume"), check=True, capture_output=True)


def check(name, found, expected):
    """The same tags, steps and values; of a step's, the server has the last."""
    assert set(expected) <= set(found), f"{name}: no {set(expected) - set(found)}"
    for tag, curve in expected.items():
        assert found[tag] in (curve, list(dict(curve).items())), f"{name}: {tag}: {found[tag]}, not {curve}"
    print(f"{name}: {len(expected)} tags, {sum(map(len, expected.values()))} values, all equal")


def accumulated(run):
    reader = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
    reader.Reload()
    tags = reader.Tags()
    print("texts:", ", ".join(tags["tensors"]))
    text = reader.Tensors("args/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '"learning_rate"' in text and reader.SummaryMetadata("args/text_summary").plugin_data.plugin_name == "text"
    # The accumulator never forgets texts; those of a step that was run twice are the same.
    samples = {}
    for event in reader.Tensors("eval/sample_0/text_summary"):
        samples.setdefault(event.step, set()).add(event.tensor_proto.string_val[0])
    assert list(map(len, samples.values())) == [1] * (STEPS // 4), samples
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in tags["scalars"]}


def served(runs, run, tags):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", runs, "--port", str(port),
                               "--samples_per_plugin", "scalars=100000"], stderr=subprocess.DEVNULL)
    plugins = f"http://localhost:{port}/data/plugin"
    base = f"{plugins}/scalars"
    try:
        for _ in range(120):
            time.sleep(1)
            try:
                listed = json.load(urllib.request.urlopen(f"{base}/tags"))
            except OSError:
                continue
            if set(tags) <= set(listed.get(run, [])):
                break
        query = urllib.parse.urlencode({"run": run, "tag": "eval/sample_0/text_summary"})
        samples = [text["step"] for text in json.load(urllib.request.urlopen(f"{plugins}/text/text?{query}"))]
        assert samples == list(range(4, STEPS + 1, 4)), samples
        curves = {}
        for tag in tags:
            query = urllib.parse.urlencode({"run": run, "tag": tag})
            curves[tag] = [(step, float(value)) for _, step, value in json.load(urllib.request.urlopen(f"{base}/scalars?{query}"))]
        return curves
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    binary = parser.parse_args().binary.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run_broken_and_resumed(binary, folder)
        runs = folder / "out/runs"
        (run,) = runs.iterdir()
        files = sorted(run.iterdir())
        assert len(files) == 2, files
        events = [len(list(RawEventFileLoader(str(file)).Load())) for file in files]
        print(f"{run.name}: two files of {events} whole records")
        curves = expected_curves(json.loads((folder / "out/trainer_state.json").read_text()))
        check("EventAccumulator", accumulated(run), curves)
        check("tensorboard --logdir", served(runs, run.name, list(curves)), curves)


if __name__ == "__main__":
    main()
