"""Compares which tokens SFT scores with transformers' assistant masks.

    tools/oracle/setup
    build/oracle/bin/python tools/oracle/assistant_masks.py FOLDER ... [--rows 400] [--tokenizer tokenizer.json]

FOLDERs hold chat templates (.jinja), see chat_templates.py. Templates with {% generation %}: `lmpo inspect --sft_on marked` must score
exactly the tokens of return_assistant_tokens_mask, up to the last of them. Pairs NAME.jinja and NAME_training.jinja, as TRL has them:
where both write the same text, `--sft_on assistant` with the first, which has no marks, must score the texts that the second marks,
but for white space at their ends, an empty thought before them, and turns that it leaves out. Rows are generated: several turns, tools, tool calls, reasoning. Prints differences; exits with 1
if there are any.
"""
import argparse
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

from transformers import PreTrainedTokenizerFast

import tokenizers_golden as golden
from chat_templates import with_tools

NAMES = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}  # of the tokenizer


def rows(count, seed):
    """Conversations of several turns that end with an answer."""
    for row in with_tools(count * 3, seed):
        while row["messages"] and (row["messages"][-1]["role"] != "assistant" or not row["messages"][-1]["content"]):
            row["messages"].pop()
        if any(turn["role"] == "user" for turn in row["messages"]):
            yield row


def reference(tokenizer, template, row):
    """The ids and which of them are scored, or None where the template refuses the row."""
    tools = row.get("tools")
    tools = json.loads(tools) if isinstance(tools, str) else tools
    try:
        result = tokenizer.apply_chat_template(row["messages"], tools=tools, chat_template=template, tokenize=True, return_dict=True,
                                               return_assistant_tokens_mask=True, **row.get("chat_template_kwargs", {}))
    except Exception:  # whatever jinja2 or Python raises
        return None
    return result["input_ids"], result["assistant_masks"]


def scored(options, folder, template, inputs, sft_on):
    """Of each row the mask and the scored texts, or None where it is dropped."""
    if not inputs:
        return []
    (folder / "chat_template.jinja").write_text(template, newline="")
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in inputs))
    command = [options.lmpo, "inspect", data, "--model", folder, "--kind", "sft", "--sft_on", sft_on, "--json", "--show", len(inputs),
               "--show_tokens", 0]
    done = subprocess.run([str(word) for word in command], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"lmpo inspect failed: {done.stderr.decode()}")
    results = []
    for row in json.loads(done.stdout)["shown"]:
        if row["dropped"]:
            results.append(None)
            continue
        pieces = row["sequences"][0]["pieces"]
        mask = [int(piece["kind"] == "scored") for piece in pieces for _ in range(piece["tokens"])]
        texts = ["".join(piece["text"] for piece in run) for kind, run in itertools.groupby(pieces, lambda piece: piece["kind"])
                 if kind == "scored"]
        results.append((mask, texts))
    return results


def marked_texts(tokenizer, ids, mask):
    runs = itertools.groupby(zip(ids, mask, strict=True), lambda pair: pair[1])
    return [tokenizer.decode([token for token, _ in run]) for marked, run in runs if marked]


def report(name, kept, dropped, wrong, total):
    print(f"{name}: {kept} rows equal, {wrong} different, {dropped} dropped by lmpo, {total - kept - wrong - dropped} refused", flush=True)
    return wrong


def show(options, wrong, row, wanted, got):
    if wrong <= options.show:
        print(f"  {json.dumps(row, ensure_ascii=False)[:700]}\n    wanted {wanted}\n    got    {got}")


def compare_marks(options, tokenizer, folder, name, template):
    inputs = [(row, each) for row in options.inputs if (each := reference(tokenizer, template, row)) and any(each[1])]
    kept = dropped = wrong = 0
    for (row, (ids, mask)), result in zip(inputs, scored(options, folder, template, [row for row, _ in inputs], "marked"), strict=True):
        wanted = mask[: len(mask) - mask[::-1].index(1)]
        wanted[0] = 0  # nothing predicts the first token
        if result is None:
            dropped += 1
        elif result[0] == wanted:
            kept += 1
        else:
            wrong += 1
            show(options, wrong, row, marked_texts(tokenizer, ids, mask), result[1])
    return report(name, kept, dropped, wrong, len(options.inputs))


def bare(text):
    return text.strip().removeprefix("<think>\n\n</think>").strip()


def compare_turns(options, tokenizer, folder, name, plain, marked):
    def text(template, row):
        tools = row.get("tools")
        return tokenizer.apply_chat_template(row["messages"], tools=json.loads(tools) if isinstance(tools, str) else tools,
                                             chat_template=template, tokenize=False, **row.get("chat_template_kwargs", {}))
    inputs = [(row, each) for row in options.inputs if (each := reference(tokenizer, marked, row)) and any(each[1])
              and reference(tokenizer, plain, row) and text(plain, row) == text(marked, row)]
    kept = dropped = wrong = left_out = 0
    for (row, (ids, mask)), result in zip(inputs, scored(options, folder, plain, [row for row, _ in inputs], "assistant"), strict=True):
        wanted = [bare(each) for each in marked_texts(tokenizer, ids, mask) if each.strip()]
        rest = iter(wanted)
        if result is None:
            dropped += 1
        elif all(bare(each) in rest for each in result[1]):  # in the order of the turns
            kept += 1
            left_out += len(wanted) - len(result[1])
        else:
            wrong += 1
            show(options, wrong, row, wanted, result[1])
    return report(f"{name}, without marks ({left_out} turns left out)", kept, dropped, wrong, len(options.inputs))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--lmpo", type=pathlib.Path, default=golden.ROOT / "build/release/bin/lmpo")
    parser.add_argument("--tokenizer", type=pathlib.Path, default=golden.FOLDER / "llama3.json")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=2)
    options = parser.parse_args()
    templates = {path.stem: path.read_text() for folder in options.folders for path in sorted(folder.glob("*.jinja"))}
    options.inputs = list(itertools.islice(rows(options.rows, options.seed), options.rows))
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "tokenizer.json").write_bytes(options.tokenizer.read_bytes())
        (folder / "tokenizer_config.json").write_text(json.dumps(NAMES))
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **NAMES)
        for name, template in templates.items():
            if "generation %}" in template.replace("endgeneration", ""):
                wrong += compare_marks(options, tokenizer, folder, name, template)
            if f"{name}_training" in templates:
                wrong += compare_turns(options, tokenizer, folder, name, template, templates[f"{name}_training"])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
