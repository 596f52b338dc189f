"""Runs models written by `lmpo export` in llama.cpp itself (Python package xllamacpp) and compares with transformers.

    build/oracle/bin/python tools/oracle/llamacpp_parity.py build/release/bin/lmpo [NAME...]

The random models of make_families.py that llama.cpp can open, as f32: ids of texts equal those of tokenizers, and log-probabilities of
24 sequences agree within 1e-4 (Gemma: 3e-3, because llama.cpp's GELU is a table of float16 numbers). Sequences of a length that
llama.cpp does not compute (LIMITS) are cut. Models that it cannot open must be refused by the export (REFUSED). Exits with 1 if anything differs. llama.cpp's own messages go to standard error.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import torch
import xllamacpp
from tokenizers import Tokenizer

import make_families

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOKENIZER = {"mistral": "mistral"}  # a folder of src/data/testdata; others take llama3's
VOCABULARY = 400
# What llama.cpp cannot open, and what lmpo says of it.
REFUSED = {"qwen3_bias_tied": "biases", "gemma_bias_untied": "biases", "gemma2_uncapped": "biases", "gemma3_capped": "biases",
           "olmo2_bias_tied": "biases", "olmo3_tied": "head", "smollm3_bias_untied": "biases"}
# Tokens up to which llama.cpp computes the same: it has no window for these.
LIMITS = {"mistral": 7, "qwen2_window": 6, "phi3_partial_tied": 8}
# Where llama.cpp has another scale of scores or other lengths than make_families.py's model.
CHANGES = {"gemma2": dict(query_pre_attn_scalar=16), "gemma3_text": dict(query_pre_attn_scalar=16),
           # llama.cpp takes the long factors where its context of 256 is longer than this, whatever the text's length
           "phi3_longrope": dict(original_max_position_embeddings=300)}
# Texts shorter than these are left out: transformers takes the short factors for them.
LEAST = {"phi3_longrope_partial": 25}
# Of which llama.cpp computes something else: its yarn has whole columns only.
DIFFERENT = {"qwen2_yarn"}


class LlamaCpp:
    """A server of one GGUF file, in float32 throughout."""
    def __init__(self, file):
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.n_ctx, params.port, params.warmup = 256, 0, False
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(params)

    def post(self, path, **body):
        request = urllib.request.Request(self.server.listening_address + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))

    def encode(self, text):
        return self.post("/tokenize", content=text, add_special=True, parse_special=True)["tokens"]

    def log_probability(self, prefix, token):
        # What is drawn does not matter, but must be a whole character for llama.cpp to tell probabilities: they are those
        # before the bias.
        letter = self.encode("a")[-1]
        answer = self.post("/completion", prompt=prefix, n_predict=1, n_probs=VOCABULARY, temperature=0,
                           logit_bias=[[letter, 1000.0]], cache_prompt=False)
        found = {entry["id"]: entry["logprob"] for entry in answer["completion_probabilities"][0]["top_logprobs"]}
        return found[token]


def make_texts(count):
    words = [word for path in sorted(SOURCE.glob("docs/*.md")) for word in path.read_text().split()]
    random.seed(1)
    return [" ".join(random.choices(words, k=random.randint(1, 12))) for _ in range(count)]


def check_tokens(server, tokenizer, name):
    texts = make_texts(300) + ["", " a", "a  b\n\n c", "caf\u00e9 \U0001f999 12345", "it's I'LL"]
    different = [text for text in texts if server.encode(text) != tokenizer.encode(text).ids]
    print(f"{name}: {len(texts) - len(different)} of {len(texts)} texts have the same ids", *different[:3], sep="\n  ")
    return not different


def check_scores(server, model, tokenizer, name):
    """The last token of each text and those before it at a few places."""
    worst, count = 0.0, 0
    for text in make_texts(24):
        ids = tokenizer.encode(text).ids[:LIMITS.get(name, 120)]
        if len(ids) < LEAST.get(name, 2):
            continue
        with torch.no_grad():
            expected = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
        for i in {1, len(ids) // 2, len(ids) - 1} - {0}:
            worst = max(worst, abs(server.log_probability(ids[:i], ids[i]) - expected[i - 1, ids[i]].item()))
            count += 1
    good = worst < (3e-3 if name.startswith("gemma") else 1e-4) or name in DIFFERENT
    note = " (llama.cpp has no such model: lmpo warns)" if name in DIFFERENT else ""
    print(f"{name}: {count} log-probabilities differ by at most {worst:.1e}{note}", flush=True)
    return good


def export(binary, folder, out):
    return subprocess.run([binary, "export", folder, "--format", "gguf", "--type", "f32", "--output", out], capture_output=True,
                          text=True)


def check(binary, name, work):
    tokens = SOURCE / "src/data/testdata" / TOKENIZER.get(name, "llama3")
    folder, out = work / "model", work / f"{name}.gguf"  # llama.cpp does special things to vocabularies of models named phi3
    shutil.rmtree(folder, ignore_errors=True)
    model = make_families.make(name, VOCABULARY, **CHANGES.get(name, {}))
    model.save_pretrained(folder)
    for file in make_families.TEXT_FILES:
        if (tokens / file).exists():
            shutil.copy(tokens / file, folder)
    done = export(binary, folder, out)
    if name in REFUSED:
        good = done.returncode == 2 and REFUSED[name] in done.stderr and not out.exists()
        print(f"{name}: {'refused' if good else 'NOT refused'}: {done.stderr.strip()}", flush=True)
        return good
    if done.returncode != 0:
        print(f"{name}: {done.stderr.strip()}", flush=True)
        return False
    print(f"{name}: {done.stderr.strip()}", flush=True)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    server = LlamaCpp(out)
    return check_tokens(server, tokenizer, name) & check_scores(server, model, tokenizer, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=list(make_families.VARIANTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        bad = [name for name in options.names if not check(options.binary.resolve(), name, pathlib.Path(work))]
    print("different:", *bad) if bad else print("all as expected")
    sys.exit(1 if bad else 0)


main()
