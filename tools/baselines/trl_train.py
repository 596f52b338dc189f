"""Trains with TRL and with lmpo on the same rows; prints pairs per second, peak memory and their ratios.

    build/oracle/bin/pip install trl==1.16.0 torch==2.15.0 transformers==5.13.0
    build/oracle/bin/python tools/baselines/trl_train.py build/release/bin/lmpo DATA \\
        [--objective simpo|dpo|dpo_precomputed] [--bf16] [--prompt_tokens 800 --response_tokens 100]

The model is a random Llama of 40.4 million parameters (hidden 512, feed-forward 1408, 8 layers, 8 heads over 4 key heads, vocabulary
16384). Rows are those of dpo_en_demo.json whose prompt fits into max_length 1024, or pairs of random words of given lengths. Each trainer
runs one epoch in steps of 2 pairs x 4; times are the trainers' own train_runtime.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "oracle"))
import worlds

MAX_LENGTH, MICRO_BATCH, ACCUMULATION = 1024, 2, 4


def make_rows(tokenizer, data, arguments):
    if arguments.prompt_tokens:
        words = [word for word in tokenizer.get_vocab() if word.startswith("Ġ") and word[1:].isalpha()]
        words = [word for word in words if len(tokenizer(" " + word[1:], add_special_tokens=False)["input_ids"]) == 1]
        picker = random.Random(1)

        def text(count):
            return " ".join(picker.choice(words)[1:] for _ in range(count))
        rows = [{"prompt": [{"role": "user", "content": text(arguments.prompt_tokens)}],
                 "chosen": [{"role": "assistant", "content": text(arguments.response_tokens)}],
                 "rejected": [{"role": "assistant", "content": text(arguments.response_tokens)}]}
                for _ in range(arguments.pairs)]
    else:
        rows = []
        for prompt, chosen, rejected in worlds.read_pairs(data / "dpo_en_demo.json"):
            ids = tokenizer.apply_chat_template(prompt, tokenize=True, add_generation_prompt=True, return_dict=False)
            if len(ids) < MAX_LENGTH:
                rows.append({"prompt": prompt, "chosen": [chosen], "rejected": [rejected]})
    return rows[:arguments.pairs]


def train_with_trl(model, rows, objective, bf16, output):
    """In a process of its own, for its peak of memory."""
    request = json.dumps({"model": str(model), "rows": rows, "objective": objective, "bf16": bf16, "output": str(output)})
    result = subprocess.run([sys.executable, __file__, "--baseline"], input=request, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def seconds_to_first_step(command, mark, request=""):
    """From starting the command to its first line with the mark, which it prints after an optimizer step."""
    started = time.time()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        run.stdin.write(request)
        run.stdin.close()
        for line in run.stdout:
            if mark in line:
                seconds = time.time() - started
                run.kill()
                return seconds
    sys.exit(f"{command[0]}: no step was done")


def compare_first_steps(binary, model, rows_file, rows, work):
    """One pair a step, the best of three in a row: the first time neither files nor memory are warm."""
    request = json.dumps({"model": str(model), "rows": rows, "objective": "simpo", "bf16": False, "output": str(work / "theirs"),
                          "first_step": True})
    command = [binary, "train", "--objective", "simpo", "-m", model, "--data", rows_file, "--output_dir", work / "ours",
               "--overwrite_output_dir", "--max_length", str(MAX_LENGTH), "--per_device_train_batch_size", "1",
               "--gradient_accumulation_steps", "1", "--max_steps", "3", "--logging_steps", "1", "--save_strategy", "no",
               "--disable_tqdm"]
    ours = min(seconds_to_first_step(command, "step 1/") for _ in range(3))
    baseline_command = [sys.executable, __file__, "--baseline"]
    theirs = min(seconds_to_first_step(baseline_command, "first step done", request) for _ in range(3))
    print(f"to the end of the first step, one pair: TRL {theirs:.2f} s, lmpo {ours:.2f} s, 1/{theirs / ours:.1f}")


def baseline(request):
    import resource

    import datasets
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    common = dict(output_dir=request["output"], per_device_train_batch_size=MICRO_BATCH,
                  gradient_accumulation_steps=ACCUMULATION, num_train_epochs=1, learning_rate=1e-6, report_to="none",
                  bf16=request["bf16"], use_cpu=True, logging_steps=1, save_strategy="no", gradient_checkpointing=False,
                  disable_tqdm=True, max_length=MAX_LENGTH)
    callbacks = []
    if request.get("first_step"):
        from transformers import TrainerCallback

        class FirstStep(TrainerCallback):
            def on_step_end(self, *_, **__):
                print("first step done", flush=True)
        callbacks = [FirstStep()]
        common |= dict(per_device_train_batch_size=1, gradient_accumulation_steps=1, max_steps=3)
    tokenizer = AutoTokenizer.from_pretrained(request["model"])
    tokenizer.pad_token = tokenizer.eos_token

    def load():
        return AutoModelForCausalLM.from_pretrained(request["model"], dtype="float32", attn_implementation="sdpa")
    started = time.time()
    rows = datasets.Dataset.from_list(request["rows"])
    if request["objective"] == "simpo":
        trainer = CPOTrainer(load(), args=CPOConfig(loss_type="simpo", beta=2.0, simpo_gamma=1.0, cpo_alpha=0.0, **common),
                             train_dataset=rows, processing_class=tokenizer, callbacks=callbacks)
    else:
        precomputed = request["objective"] == "dpo_precomputed"
        trainer = DPOTrainer(load(), ref_model=load(), train_dataset=rows, processing_class=tokenizer,
                             args=DPOConfig(beta=0.1, precompute_ref_log_probs=precomputed, **common))
    prepared = time.time() - started
    seconds = trainer.train().metrics["train_runtime"]
    print(json.dumps({"seconds": seconds, "prepared": prepared, "loss": trainer.state.log_history[0]["loss"],
                      "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def train_with_lmpo(binary, model, rows_file, arguments, output):
    flags = ["--objective", "simpo", "--beta", "2", "--gamma", "1"] if arguments.objective == "simpo" else [
        "--objective", "dpo", "--beta", "0.1", "--reference_cache", output.parent / "cache"]
    subprocess.run([binary, "train", "-m", model, "--data", rows_file, "--output_dir", output, "--overwrite_output_dir",
                    "--max_length", str(MAX_LENGTH), "--per_device_train_batch_size", str(MICRO_BATCH),
                    "--gradient_accumulation_steps", str(ACCUMULATION), "--num_train_epochs", "1",
                    "--learning_rate", "1e-6", "--logging_steps", "1", "--save_strategy", "no", "--disable_tqdm",
                    "--recompute", arguments.recompute, "--compute", "bfloat16" if arguments.bf16 else "float32", *flags],
                   check=True, capture_output=True)
    results = json.loads((output / "train_results.json").read_text())
    log = json.loads((output / "trainer_state.json").read_text())["log_history"]
    return {"seconds": results["train_runtime"], "peak": results["memory_peak"], "loss": log[0]["loss"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--objective", choices=["simpo", "dpo", "dpo_precomputed"], default="simpo")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--prompt_tokens", type=int, default=0)
    parser.add_argument("--response_tokens", type=int, default=100)
    parser.add_argument("--first_step", action="store_true", help="only the time to the first step, with SimPO")
    parser.add_argument("--recompute", choices=["none", "mlp", "layers"], default="none", help="of lmpo")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        tokenizer = worlds.make_tokenizer(arguments.data, 16384)
        worlds.make_model("llama", tokenizer, work / "model", scale=0.02, hidden_size=512, intermediate_size=1408,
                          num_hidden_layers=8)
        rows = make_rows(tokenizer, arguments.data, arguments)
        (work / "rows.json").write_text(json.dumps(rows))
        if arguments.first_step:
            compare_first_steps(arguments.binary, work / "model", work / "rows.json", rows, work)
            return
        ours = [train_with_lmpo(arguments.binary, work / "model", work / "rows.json", arguments, work / "ours")]
        theirs = train_with_trl(work / "model", rows, arguments.objective, arguments.bf16, work / "theirs")
        ours.append(train_with_lmpo(arguments.binary, work / "model", work / "rows.json", arguments, work / "ours"))
    seconds = [run["seconds"] for run in ours]
    print(f"{arguments.objective}{' bf16' if arguments.bf16 else ''}, {len(rows)} pairs"
          f"\n  TRL   {len(rows) / theirs['seconds']:.3f} pairs/s, {theirs['peak'] / 2**30:.2f} GiB, first loss {theirs['loss']:.5f}"
          f"\n  lmpo  {' and '.join(f'{len(rows) / value:.3f}' for value in seconds)} pairs/s (before and after), "
          f"{ours[0]['peak'] / 2**30:.2f} GiB, first loss {ours[0]['loss']:.5f}"
          f"\n  ratio {theirs['seconds'] / (sum(seconds) / 2):.2f}x the speed, 1/{theirs['peak'] / ours[0]['peak']:.1f} of the memory",
          flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--baseline"]:
        baseline(json.loads(sys.stdin.read()))
    else:
        main()
