"""Opens model folders written by lmpo in transformers: no warning but the original's, and the logits of the original.

    build/oracle/bin/python tools/oracle/checkpoint_roundtrip.py build/release/bin/lmpo [NAME...]

The small random models of make_families.py (float32; some in bfloat16 too, some in shards) go through one training step with learning
rate 0, so lmpo must write what it read. Of a multimodal model it writes the language model. Exits with 1 if anything differs.
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
from transformers import PreTrainedTokenizerFast

import make_families
import worlds

CHANGES = dict(vocab_size=300, bos_token_id=1, eos_token_id=2)
IN_BFLOAT16 = ("llama", "llama_bias_tied", "mistral", "qwen3", "gemma2", "phi3", "olmo3")
STORED_TYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}


def make_tokenizer():
    """Bytes, and the three special tokens of CHANGES."""
    vocabulary = ["<unk>", "<s>", "</s>"] + sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def make_models(folder: pathlib.Path, names):
    """Saves the models and returns their folders."""
    for name in names:
        for dtype in ("float32", "bfloat16") if name in IN_BFLOAT16 else ("float32",):
            path = folder / f"{name}_{dtype}"
            make_tokenizer().save_pretrained(path)
            model = make_families.make(name, **CHANGES).to(getattr(torch, dtype))
            model.save_pretrained(path, max_shard_size="40KB" if dtype == "bfloat16" else "5GB")
            yield path


class Complaints(logging.Handler):
    """Whatever transformers logs as a warning, or Python's own warnings."""
    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def open_strictly(folder: pathlib.Path, allowed=None):
    """The model as its files say, in float32 arithmetic, and what transformers complains of; an AssertionError for a complaint that
    is not allowed."""
    complaints = Complaints()
    logger = logging.getLogger("transformers")
    logger.addHandler(complaints)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, report = worlds.opener(folder).from_pretrained(folder, dtype="auto", attn_implementation="eager", output_loading_info=True)
    logger.removeHandler(complaints)
    messages = complaints.messages + [str(warning.message) for warning in caught]
    messages += [f"{kind}: {found}" for kind, found in report.items() if found]
    new = [message for message in messages if allowed is not None and message not in allowed]
    assert not new, f"{folder}: transformers complains:\n" + "\n".join(new)
    config = json.loads((folder / "config.json").read_text())
    said = STORED_TYPES[config.get("dtype") or config["torch_dtype"]]
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            types = {file.get_slice(name).get_dtype() for name in file.keys()}
        assert types == {said}, f"{path}: holds {types}, config.json says {said}"
    return model.eval().float(), messages


def logits_of(model):
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, CHANGES["vocab_size"], (2, 64), generator=generator)
    with torch.no_grad():
        return model(tokens).logits


def compare(written: pathlib.Path, original: pathlib.Path):
    """The largest difference of the logits; an AssertionError where the first folder is not flawless."""
    before, complaints = open_strictly(original)
    after, _ = open_strictly(written, complaints)
    return (logits_of(after) - logits_of(before)).abs().max().item()


def train_without_learning(binary: pathlib.Path, folder: pathlib.Path, work: pathlib.Path):
    """The folder that lmpo writes after a step that changes nothing."""
    data, written = work / "pairs.jsonl", work / f"{folder.name}_written"
    data.write_text(json.dumps({"prompt": "one two", "chosen": " three", "rejected": " four"}) + "\n")
    subprocess.run([binary, "train", "--model", folder, "--data", data, "--output_dir", written, "--max_steps", "1", "--dtype", "auto",
                    "--learning_rate", "0", "--save_strategy", "no"], check=True, capture_output=True)
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=list(make_families.VARIANTS))
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for folder in make_models(work, arguments.names):
            difference = compare(train_without_learning(arguments.binary.resolve(), folder, work), folder)
            print(f"{folder.name}: opens without a warning; logits differ by {difference:g}", flush=True)
            good &= difference == 0
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
