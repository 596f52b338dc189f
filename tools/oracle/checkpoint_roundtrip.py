"""Opens model folders written by lmpo in transformers: no warning, and the logits of the original.

    build/oracle/bin/python tools/oracle/checkpoint_roundtrip.py build/release/bin/lmpo

Small random Llamas and Mistrals (float32 and bfloat16, tied and untied, one in shards) go through one training step with
learning rate 0, so lmpo must write what it read. Exits with 1 if anything differs.
"""
import argparse
import json
import logging
import pathlib
import subprocess
import tempfile
import warnings

import torch
from safetensors import safe_open
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
                          PreTrainedTokenizerFast)

SIZES = dict(vocab_size=300, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, initializer_range=0.2)
STORED_TYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}


def make_tokenizer():
    """Bytes, and the three special tokens of SIZES."""
    vocabulary = ["<unk>", "<s>", "</s>"] + sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def with_biases(config):
    """A Llama whose biases are not zero, as transformers makes them."""
    model = LlamaForCausalLM(config)
    for name, parameter in model.named_parameters():
        if name.endswith(".bias"):
            torch.nn.init.normal_(parameter, std=config.initializer_range)
    return model


def make_models(folder: pathlib.Path):
    """Saves the models and returns their folders."""
    folders = []
    for seed, (dtype, tied) in enumerate((dtype, tied) for dtype in ("float32", "bfloat16") for tied in (True, False)):
        torch.manual_seed(seed)
        sizes = SIZES | {"tie_word_embeddings": tied}
        models = {"llama": LlamaForCausalLM(LlamaConfig(**sizes, rope_parameters=LLAMA3)),
                  "llama_bias": with_biases(LlamaConfig(**sizes, attention_bias=True, mlp_bias=True)),
                  "mistral": MistralForCausalLM(MistralConfig(**sizes, head_dim=16, sliding_window=12))}
        for family, model in models.items():
            path = folder / f"{family}_{dtype}_{'tied' if tied else 'untied'}"
            make_tokenizer().save_pretrained(path)
            model.to(getattr(torch, dtype)).save_pretrained(path, max_shard_size="40KB" if seed == 1 else "5GB")
            folders.append(path)
    return folders


class Complaints(logging.Handler):
    """Whatever transformers logs as a warning, or Python's own warnings."""
    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def open_strictly(folder: pathlib.Path):
    """The model as its files say, in float32 arithmetic; an AssertionError that holds every complaint."""
    complaints = Complaints()
    logger = logging.getLogger("transformers")
    logger.addHandler(complaints)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, report = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", attn_implementation="eager",
                                                             output_loading_info=True)
    logger.removeHandler(complaints)
    messages = complaints.messages + [str(warning.message) for warning in caught]
    messages += [f"{kind}: {found}" for kind, found in report.items() if found]
    assert not messages, f"{folder}: transformers complains:\n" + "\n".join(messages)
    config = json.loads((folder / "config.json").read_text())
    said = STORED_TYPES[config.get("dtype") or config["torch_dtype"]]
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            types = {file.get_slice(name).get_dtype() for name in file.keys()}
        assert types == {said}, f"{path}: holds {types}, config.json says {said}"
    return model.eval().float()


def logits_of(model):
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, model.config.vocab_size, (2, 64), generator=generator)
    with torch.no_grad():
        return model(tokens).logits


def compare(written: pathlib.Path, original: pathlib.Path):
    """The largest difference of the logits; an AssertionError where the first folder is not flawless."""
    return (logits_of(open_strictly(written)) - logits_of(open_strictly(original))).abs().max().item()


def train_without_learning(binary: pathlib.Path, folder: pathlib.Path, work: pathlib.Path):
    """The folder that lmpo writes after a step that changes nothing."""
    data, written = work / "pairs.jsonl", work / f"{folder.name}_written"
    data.write_text(json.dumps({"prompt": "one two", "chosen": " three", "rejected": " four"}) + "\n")
    subprocess.run([binary, "train", "--model", folder, "--data", data, "--output_dir", written, "--max_steps", "1",
                    "--learning_rate", "0", "--save_strategy", "no"], check=True, capture_output=True)
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for folder in make_models(work):
            difference = compare(train_without_learning(arguments.binary, folder, work), folder)
            print(f"{folder.name}: opens without a warning; logits differ by {difference:g}", flush=True)
            good &= difference == 0
    raise SystemExit(0 if good else 1)


main()
