"""Runs models written by `lmpo export` in llama.cpp itself (Python package xllamacpp) and compares with `lmpo score` of the source.

    build/oracle/bin/python tools/oracle/llamacpp_parity.py build/release/bin/lmpo

Random models (a Llama with llama3 scaling, a Mistral) as f32: ids of texts equal those of tokenizers, log-probabilities of
responses agree within 1e-3 per token. Exits with 1 if anything differs. llama.cpp's own messages go to standard error.
"""
import argparse
import json
import pathlib
import random
import subprocess
import tempfile
import urllib.request

import xllamacpp
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SIZES = dict(vocab_size=400, hidden_size=96, intermediate_size=160, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
             bos_token_id=0, eos_token_id=1, initializer_range=0.1)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
CONFIGS = {"llama3": SIZES | dict(model_type="llama", architectures=["LlamaForCausalLM"], rope_theta=5e5,
                                  rope_scaling=LLAMA3),
           "llama_bias": SIZES | dict(model_type="llama", architectures=["LlamaForCausalLM"], attention_bias=True,
                                      mlp_bias=True),
           "mistral": SIZES | dict(model_type="mistral", architectures=["MistralForCausalLM"], head_dim=32,
                                   sliding_window=None)}

TOKENIZERS = {"llama3": "llama3", "llama_bias": "llama3", "mistral": "mistral"}


def lmpo(binary, *words):
    return subprocess.run([binary, *map(str, words)], capture_output=True, text=True, check=True).stdout


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
        answer = self.post("/completion", prompt=prefix, n_predict=1, n_probs=SIZES["vocab_size"], temperature=0,
                           logit_bias=[[letter, 1000.0]], cache_prompt=False)
        found = {entry["id"]: entry["logprob"] for entry in answer["completion_probabilities"][0]["top_logprobs"]}
        return found[token]


def make_texts(count):
    words = [word for path in sorted(SOURCE.glob("docs/*.md")) for word in path.read_text().split()]
    random.seed(1)
    return [" ".join(random.choices(words, k=random.randint(1, 12))) for _ in range(count)]


def randomize_biases(file):
    """A new model's are zero, as transformers makes them."""
    tensors = load_file(file)
    for name in tensors:
        if name.endswith(".bias"):
            tensors[name].normal_(std=SIZES["initializer_range"])
    save_file(tensors, file, metadata={"format": "pt"})


def check_tokens(server, tokenizer, family):
    texts = make_texts(300) + ["", " a", "a  b\n\n c", "caf\u00e9 \U0001f999 12345", "it's I'LL"]
    different = [text for text in texts if server.encode(text) != tokenizer.encode(text).ids]
    print(f"{family}: {len(texts) - len(different)} of {len(texts)} texts have the same ids", *different[:3], sep="\n  ")
    return not different


def check_scores(binary, server, tokenizer, family, folder, work):
    texts = make_texts(24)
    rows = [{"prompt": a, "chosen": " " + b, "rejected": " zzz"} for a, b in zip(texts[::2], texts[1::2])]
    data = work / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scored = [json.loads(line) for line in lmpo(binary, "score", "--model", folder, "--data", data).splitlines()]
    worst = 0.0
    for row, score in zip(rows, scored):
        ids = tokenizer.encode(row["prompt"] + row["chosen"]).ids + [SIZES["eos_token_id"]]
        begin = score["prompt_tokens"]
        assert score["chosen_tokens"] == len(ids) - begin, row
        total = sum(server.log_probability(ids[:i], ids[i]) for i in range(begin, len(ids)))
        worst = max(worst, abs(total - score["chosen_logp"]) / score["chosen_tokens"])
    print(f"{family}: {len(rows)} responses; log-probabilities differ by at most {worst:.1e} a token", flush=True)
    return worst < 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    binary = parser.parse_args().binary.resolve()
    good = True
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for family, config in CONFIGS.items():
            file, folder, out = work / f"{family}.json", work / family, work / f"{family}.gguf"
            file.write_text(json.dumps(config))
            lmpo(binary, "init", "--config", file, "--tokenizer", SOURCE / "src/data/testdata" / TOKENIZERS[family], folder)
            randomize_biases(folder / "model.safetensors")
            lmpo(binary, "export", folder, "--format", "gguf", "--type", "f32", "--output", out)
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            server = LlamaCpp(out)
            good &= check_tokens(server, tokenizer, family)
            good &= check_scores(binary, server, tokenizer, family, folder, work)
    raise SystemExit(0 if good else 1)


main()
