"""Compares chat templates rendered by `lmpo tokenize` with jinja2 in transformers' settings.

    tools/oracle/setup
    build/oracle/bin/python tools/oracle/chat_templates.py [--conversations 5000] [--data DATA]

Templates: Llama 3, Zephyr, ChatML and Mistral from their model cards, and those that mistral_common generates for its
tokenizers v1 to v3, v7 and tekken. Conversations: all of DATA, and generated ones with odd roles and contents. If the template
raises or jinja2 fails, lmpo must refuse the conversation; this is tried for some of them, one by one. Prints differences;
exits with 1 if there are any.
"""
import argparse
import importlib.resources
import json
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

from mistral_common.integrations.chat_templates.chat_templates import convert_tokenizer_to_chat_template
from transformers.utils.chat_template_utils import render_jinja_template

import tokenizers_golden as golden
from model_templates import TEMPLATES

MISTRAL = importlib.resources.files("mistral_common") / "data"
GENERATED = {"mistral v1": "tokenizer.model.v1", "mistral v2": "mistral_instruct_tokenizer_240216.model.v2",
             "mistral v3": "mistral_instruct_tokenizer_240323.model.v3",
             "mistral v7": "mistral_instruct_tokenizer_241114.model.v7", "tekken v3": "tekken_240718.json"}
NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
ROLES = {"human": "user", "gpt": "assistant"}


def message(turn):
    if "from" in turn:
        return {"role": ROLES.get(turn["from"], turn["from"]), "content": turn["value"]}
    return turn


def conversations(data):
    """Of every row of the shared data, one for each answer; a text alone becomes a question."""
    for path in sorted(pathlib.Path(data).iterdir()):
        if path.suffix == ".json":
            for row in json.loads(path.read_text()):
                turns = [message(turn) for turn in row.get("conversations", row.get("messages", []))]
                if not turns:
                    question = "\n".join(filter(None, [row["instruction"], row["input"]]))
                    turns = [{"role": "user", "content": question}]
                answers = [row[key] for key in ["chosen", "rejected", "output"] if key in row]
                for answer in answers:
                    yield turns + [message(answer) if isinstance(answer, dict) else {"role": "assistant", "content": answer}]
                if not answers:
                    yield turns
        elif path.suffix == ".txt":
            for text in path.read_text().split("\n\n"):
                yield [{"role": "user", "content": text}]
        elif path.suffix == ".jsonl":
            for line in path.read_text().splitlines():
                yield [{"role": "user", "content": json.loads(line)["text"]}]


def generated(count, seed):
    source = random.Random(seed)
    texts = ["", " ", "\n", "Hi", "  two  spaces ", "\n\nlines\r\n", "{{ bos_token }}", "{% if x %}", "{# no #}", "<s>[INST] a </s>",
             "<|im_end|>", "<|eot_id|>", "é\u0301", "😀👩‍👩‍👧", "中文", "שלום", "\u00a0\u3000", "\u0000\u001f", "a\\nb", "'\"", "<b>&amp;</b>",
             "\u2028\u0085", "<<SYS>>\nx\n<</SYS>>", "[/INST]", "x" * 300]
    others = [None, True, False, 0, 7, -1.5, 1e20, [], {}, [1, "a"], {"a": None}]

    def content():
        kind = source.random()
        if kind < 0.75:
            return "".join(source.choice(texts) for _ in range(source.randint(1, 3)))
        if kind < 0.9:
            return [{"type": source.choice(["text"] * 6 + ["image", "Text", ""]), "text": source.choice(texts)}
                    for _ in range(source.randint(0, 3))]
        return source.choice(others)

    def turn(role):
        result = {"role": role, "content": content()}
        extra = source.random()
        if extra < 0.03:
            del result["content"]
        elif extra < 0.06:
            result["name"] = source.choice(texts)
        elif extra < 0.1:
            result["tool_calls"] = source.choice([None, [], [{"id": "abcdefghi", "type": "function", "function": {
                "name": "f", "arguments": source.choice(['{"a": 1}', {"a": [1, None, "é"]}, ""])}}]])
        elif extra < 0.12:
            result = {"content": result["content"], "role": role}
        return result

    roles = ["user", "assistant", "system", "tool", "User", "", "developer", "rôle\n", "function", "ipython", "system "]
    for _ in range(count):
        length = source.randint(1, 6)
        if source.random() < 0.5:
            first = [turn("system")] if source.random() < 0.3 else []
            yield first + [turn(["user", "assistant"][i % 2]) for i in range(length)]
        else:
            yield [turn(source.choice(roles[:3] if source.random() < 0.6 else roles)) for _ in range(length)]


def reference(template, conversation, prompt):
    """The text, or None where the template or jinja2 raises."""
    try:
        return render_jinja_template([conversation], chat_template=template, add_generation_prompt=prompt, **NAMES)[0][0]
    except Exception:  # whatever jinja2 or Python raises: the conversation is refused
        return None


def render(command, folder, inputs, prompt):
    """The texts; None where lmpo refuses the only input."""
    flags = ["--add_generation_prompt", "true" if prompt else "false"]
    lines = "".join(json.dumps(each) + "\n" for each in inputs)
    done = subprocess.run([*command, "--model", str(folder), *flags], input=lines.encode(), capture_output=True)
    if done.returncode == 2 and len(inputs) == 1:
        return [None]
    if done.returncode != 0:
        sys.exit(f"{shlex.join(done.args)} failed: {done.stderr.decode()}")
    return [json.loads(line)["text"] for line in done.stdout.decode().split("\n") if line]


def compare(name, template, inputs, folder, options):
    (folder / "chat_template.jinja").write_text(template, newline="")
    wrong = texts = refused = tried = 0
    for prompt in [False, True]:
        wanted = [reference(template, each, prompt) for each in inputs]
        rendered = [i for i, text in enumerate(wanted) if text is not None]
        refusals = [i for i, text in enumerate(wanted) if text is None]
        texts += len(rendered)
        refused += len(refusals)
        refusals = random.Random(options.seed).sample(refusals, min(options.refused, len(refusals)))
        tried += len(refusals)
        results = render(options.command, folder, [inputs[i] for i in rendered], prompt)
        results += [render(options.command, folder, [inputs[i]], prompt)[0] for i in refusals]
        for index, text in zip(rendered + refusals, results, strict=True):
            if text != wanted[index]:
                wrong += 1
                if wrong <= options.show:
                    print(f"  {json.dumps(inputs[index], ensure_ascii=False)[:600]}\n    wanted {str(wanted[index])[-300:]!r}\n"
                          f"    got    {str(text)[-300:]!r}")
    print(f"{name}: {texts} texts and {tried} of {refused} refusals, {wrong} differences", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", type=shlex.split, default=[str(golden.ROOT / "build/release/bin/lmpo"), "tokenize"])
    parser.add_argument("--data", type=pathlib.Path, default=golden.ROOT / "../shared/data")
    parser.add_argument("--conversations", type=int, default=5000)
    parser.add_argument("--refused", type=int, default=200, help="so many refusals of each template, with and without a prompt")
    parser.add_argument("--only", nargs="*", help="names of templates, as they are printed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    inputs = list(conversations(options.data)) + list(generated(options.conversations, options.seed))
    templates = TEMPLATES | {name: convert_tokenizer_to_chat_template(str(MISTRAL / file)) for name, file in GENERATED.items()}
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        shutil.copy(golden.FOLDER / "llama2.json", folder / "tokenizer.json")
        (folder / "tokenizer_config.json").write_text(json.dumps(NAMES))
        for name, template in templates.items():
            if not options.only or name in options.only:
                wrong += compare(name, template, inputs, folder, options)
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
