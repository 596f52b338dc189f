"""Validates and runs every recipe with small stand-ins of its model and data, and compares its settings with the published ones.

    build/oracle/bin/python tools/oracle/recipes_check.py build/release/bin/lmpo DATA

In a folder of its own lie, under the names that the recipes use, a random model of the recipe's family (make_families.py) with a
tokenizer and the model's kind of chat template, and preference pairs of DATA in the Hub's form (Parquet, one file for each split).
`lmpo validate RECIPE` must find no error there, and `lmpo train RECIPE` must end. PUBLISHED names the values that the sources publish,
read in their repositories. recipes/example is left out: `lmpo example` makes its data, and lmpo's own tests run it. Exits with 1 if
anything is wrong.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

import pyarrow
import pyarrow.parquet
import torch
import yaml
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging

import make_families

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOKENIZERS = SOURCE / "src/data/testdata"
GEMMA = ("{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
         "{% for message in messages %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
         "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
         "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}")
QWEN = ("{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
        + (TOKENIZERS / "chatml/chat_template.jinja").read_text())
# The model's name in recipes: its variant of make_families.py, a folder of TOKENIZERS, and a template other than that folder's.
MODELS = {
    "alignment-handbook/zephyr-7b-sft-full": ("mistral_full", "zephyr", None),
    "mistralai/Mistral-7B-Instruct-v0.2": ("mistral_full", "mistral", None),
    "princeton-nlp/Llama-3-Base-8B-SFT": ("llama", "llama3", None),
    "meta-llama/Meta-Llama-3-8B-Instruct": ("llama", "llama3", None),
    "meta-llama/Llama-3.1-8B-Instruct": ("llama_llama3", "llama3", None),
    "meta-llama/Llama-3.2-3B-Instruct": ("llama_llama3", "llama3", None),
    "Qwen/Qwen2.5-7B-Instruct": ("qwen2", "chatml", QWEN),
    "google/gemma-2-9b-it": ("gemma2", "mistral", GEMMA),
}
PAIRS, TEST_PAIRS = 256, 8  # two steps of 128
ROWS = dict(batch=128, num_train_epochs=1, lr_scheduler_type="cosine", warmup_ratio=0.1, seed=42)
SHORT, LONG = dict(max_length=1024, max_prompt_length=512), dict(max_length=2048, max_prompt_length=1800)
ZEPHYR, LLAMA, INSTRUCT = ("alignment-handbook/zephyr-7b-sft-full", "princeton-nlp/Llama-3-Base-8B-SFT",
                           "meta-llama/Meta-Llama-3-8B-Instruct")
BINARIZED = "HuggingFaceH4/ultrafeedback_binarized"


def run_of(model, data, learning_rate, lengths, **others):
    return ROWS | lengths | dict(model_name_or_path=model, data=data, learning_rate=learning_rate) | others


MISTRAL_BASE = run_of(ZEPHYR, BINARIZED, 3e-7, SHORT)
MISTRAL_INSTRUCT = run_of("mistralai/Mistral-7B-Instruct-v0.2", "princeton-nlp/mistral-instruct-ultrafeedback", 5e-7, LONG)
LLAMA_BASE = run_of(LLAMA, BINARIZED, 6e-7, LONG)
LLAMA_INSTRUCT = run_of(INSTRUCT, "princeton-nlp/llama3-ultrafeedback", 1e-6, LONG)
PUBLISHED = {
    # github.com/princeton-nlp/SimPO, training_configs; batches are 2 x 16 x 4 GPUs
    "simpo/mistral-base": MISTRAL_BASE | dict(beta=2.0, gamma_beta_ratio=0.8),
    "simpo/mistral-instruct": MISTRAL_INSTRUCT | dict(beta=2.5, gamma_beta_ratio=0.1),
    "simpo/llama-3-base": LLAMA_BASE | dict(beta=2.0, gamma_beta_ratio=0.5),
    "simpo/llama-3-instruct": LLAMA_INSTRUCT | dict(beta=2.5, gamma_beta_ratio=0.55),
    "simpo/llama-3-instruct-v0.2": run_of(INSTRUCT, "princeton-nlp/llama3-ultrafeedback-armorm", 1e-6, LONG, beta=10, gamma_beta_ratio=0.3),
    "simpo/gemma-2-9b-it": run_of("google/gemma-2-9b-it", "princeton-nlp/gemma2-ultrafeedback-armorm", 8e-7, LONG, beta=10,
                                  gamma_beta_ratio=0.5),
    # github.com/DtYXs/Pre-DPO, scripts/train_simpo.sh and scripts/examples; 1 x 32 x 4 GPUs; the seed is LLaMA-Factory's
    "simpo/llama-3.2-3b-instruct": ROWS | dict(model_name_or_path="meta-llama/Llama-3.2-3B-Instruct", learning_rate=1e-6, beta=2.5,
                                               gamma_beta_ratio=0.4, warmup_ratio=0.06, max_length=4096),
    # arXiv 2502.14643, Table 5
    "lmpo/mistral-base": MISTRAL_BASE | {"beta": 2.0, "home_advantage": 1.6, "lambda": 1.0},
    "lmpo/mistral-instruct": MISTRAL_INSTRUCT | {"beta": 2.5, "home_advantage": 0.25, "lambda": 0.2},
    "lmpo/llama-3-base": LLAMA_BASE | {"beta": 2.0, "home_advantage": 1.0, "lambda": 0.2},
    "lmpo/llama-3-instruct": LLAMA_INSTRUCT | {"beta": 2.5, "home_advantage": 1.4, "lambda": 0.2},
    # github.com/tengxiao1/SimPER, training_configs (their beta is not used by the loss)
    "simper/mistral-base": MISTRAL_BASE,
    "simper/mistral-instruct": MISTRAL_INSTRUCT,
    "simper/llama-3-base": LLAMA_BASE,
    "simper/llama-3-instruct": LLAMA_INSTRUCT,
    # github.com/huggingface/alignment-handbook: zephyr-7b-beta/dpo, pref_align_scan/dpo (and huggingface.co/blog/pref-tuning)
    "dpo/mistral-base": run_of(ZEPHYR, BINARIZED, 5e-7, SHORT, beta=0.01),
    "ipo/mistral-base": run_of(ZEPHYR, BINARIZED, 5e-7, dict(max_prompt_length=512), beta=0.01),
    "kto/mistral-base": run_of(ZEPHYR, BINARIZED, 5e-7, dict(max_prompt_length=512), beta=0.01),
    # the same, zephyr-141b-A35b/orpo: only these two
    "orpo/mistral-base": dict(beta=0.05, learning_rate=5e-6),
}


def differences(name, recipe):
    """What the recipe says other than what is published."""
    found = dict(recipe, batch=recipe["per_device_train_batch_size"] * recipe["gradient_accumulation_steps"])
    if isinstance(recipe["dataset"], dict):
        found["data"] = recipe["dataset"]["path"]
    return [f"{key} is {found.get(key)}, published {value}" for key, value in PUBLISHED.get(name, {}).items() if found.get(key) != value]


def read_rows(path):
    """Prompt, chosen and rejected turns; one turn of the user each, as in UltraFeedback."""
    def turn(role, text):
        return dict(role=role, content=text)
    return [([turn("user", f"{row['instruction']}\n{row['input']}".strip())], turn("assistant", row["chosen"]), turn("assistant", row["rejected"]))
            for row in json.loads(path.read_text())]


def make_tokenizer(folder, template):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(TOKENIZERS / folder)
    if template == GEMMA:
        tokenizer.add_special_tokens({"additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"]})
    tokenizer.chat_template = template or tokenizer.chat_template
    return tokenizer


def make_model(folder, variant, tokenizer):
    """A stand-in; Gemma stops at the end of a turn too."""
    stops = [tokenizer.eos_token_id, *tokenizer.convert_tokens_to_ids(["<end_of_turn>"] if "gemma" in variant else [])]
    model = make_families.make(variant, len(tokenizer), bos_token_id=tokenizer.bos_token_id, max_position_embeddings=8192,
                               eos_token_id=stops if len(stops) > 1 else stops[0]).to(torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_data(folder, rows):
    """The columns of ultrafeedback_binarized, for any name of a split that a recipe asks for."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist([dict(prompt=prompt[-1]["content"], chosen=prompt + [chosen], rejected=prompt + [rejected])
                                       for prompt, chosen, rejected in rows])
    for split, first, last in (("train", TEST_PAIRS, PAIRS + TEST_PAIRS), ("test", 0, TEST_PAIRS)):
        for name in (split, f"{split}_prefs"):
            if folder.name == BINARIZED.split("/")[1] or name == split:
                pyarrow.parquet.write_table(table.slice(first, last - first), folder / "data" / f"{name}-00000-of-00001.parquet")
    return table


def prepare(recipe, rows, work):
    model = recipe["model_name_or_path"]
    variant, tokens, template = MODELS[model]
    if not (work / model).exists():
        make_model(work / model, variant, make_tokenizer(tokens, template))
    if isinstance(recipe["dataset"], dict):
        write_data(work / recipe["dataset"]["path"], rows)
    else:
        pairs = [dict(prompt=prompt, chosen=[chosen], rejected=[rejected]) for prompt, chosen, rejected in rows[:PAIRS + TEST_PAIRS]]
        (work / recipe["dataset"]).write_text("".join(json.dumps(pair) + "\n" for pair in pairs))


def check(binary, file, rows, work):
    name = f"{file.parent.name}/{file.stem}"
    recipe = yaml.safe_load(file.read_text())
    prepare(recipe, rows, work)
    problems = differences(name, recipe)

    def lmpo(*words):
        return subprocess.run([str(word) for word in (binary, *words)], cwd=work, capture_output=True, text=True)

    found = json.loads(lmpo("validate", file, "--json").stdout)["findings"]
    problems += [f"validate: {each['name']} at {each['place']}: {each['reason']}" for each in found if each["severity"] == "error"]
    warnings = sorted({each["name"] for each in found if each["severity"] == "warning"})
    trained = lmpo("train", file)
    problems += [] if trained.returncode == 0 else [f"train: {trained.stderr.strip().splitlines()[-1]}"]
    shutil.rmtree(work / recipe["output_dir"], ignore_errors=True)
    source = "as published" if name in PUBLISHED else "ours"
    print(f"{name} ({source}): {'; '.join(problems) or 'validated and trained'}; warnings: {', '.join(warnings) or 'none'}", flush=True)
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()
    logging.disable_progress_bar()
    rows = read_rows(arguments.data / "instruction_preference_1100.json")
    files = [file for file in sorted(SOURCE.glob("recipes/*/*.yaml")) if file.parent.name != "example"]
    with tempfile.TemporaryDirectory() as work:
        results = [check(arguments.binary.resolve(), file, rows, pathlib.Path(work)) for file in files]
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
