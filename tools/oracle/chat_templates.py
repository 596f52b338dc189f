"""Compares chat templates rendered by `lmpo tokenize` with jinja2 in transformers' settings.

    tools/oracle/setup
    build/oracle/bin/python tools/oracle/chat_templates.py [--conversations 5000] [--data DATA] [--templates FOLDER ...]

Templates: Llama 3, Zephyr, ChatML and Mistral from their model cards, those that mistral_common generates for its tokenizers v1
to v3, v7 and tekken, and the .jinja files of the folders. Those of the package trl, which setup installs, are in
build/oracle/lib/python3*/site-packages/trl/chat_templates; llama.cpp's repository has more in models/templates.
Conversations: all of DATA, generated ones with odd roles and contents, and generated ones with tools, tool calls, reasoning and
switches. If the template raises or jinja2 fails, lmpo must refuse the conversation; this is tried for some of them, one by one.
Prints differences; exits with 1 if there are any.
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


PARAMETERS = {"type": "object", "properties": {
    "city": {"type": "string", "description": "Where? <b>\"Zürich\"</b> & co"}, "unit": {"type": "string", "enum": ["C", "F"]},
    "days": {"type": ["integer", "null"], "default": None}, "where": {"type": "object", "properties": {"lat": {"type": "number"}}},
    "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Tells the weather.\nOr not.", "parameters": PARAMETERS}},
         {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}},
         {"type": "function", "function": {"name": "add", "description": "a + b", "parameters": {
             "type": "object", "properties": {"a": {"type": "number", "minimum": -1.5e-7}, "b": {"type": "integer"}},
             "required": ["a", "b"]}, "return": {"type": "number", "description": "The sum: 1.0"}}}]
SWITCHES = {"enable_thinking": [True, False], "thinking": [True, False], "date_string": ["1 May 2025"],
            "tools_in_user_message": [True, False], "builtin_tools": [["brave_search"], []], "preserve_thinking": [True, False],
            "custom_tools": [TOOLS[:1]], "xml_tools": [TOOLS[:2]], "python_tools": [TOOLS[:1]], "documents": [[{"doc_id": 1, "text": "a"}]],
            "controls": [{"length": "short", "originality": "abstractive"}], "reasoning_effort": ["low", "high"],
            "model_identity": ["You are Q."], "keep_reasoning": [True], "nothing_reads_this": [1]}


def with_tools(count, seed):
    """Rows with everything that conversations of agents have, most of it as the templates expect it."""
    source = random.Random(seed)
    words = ["Hi", "What is 2+2?", " Rome\n", "zwölf \"°C\"", "a < b && c", "", "<tool_response>\nx\n</tool_response>", "\nend"]
    arguments = [{"city": "Rome", "unit": "C"}, {}, {"where": {"lat": 1.0, "x": [1, None, True, "é\u2028"]}}, '{"city": "Rome"}']

    def text():
        return " ".join(source.choice(words) for _ in range(source.randint(1, 2)))

    def answer():
        turn = {"role": "assistant", "content": text()}
        if source.random() < 0.3:
            turn[source.choice(["reasoning_content", "reasoning", "thinking"])] = source.choice(["well", "\nlet me see\n", ""])
        elif source.random() < 0.2:
            turn["content"] = f"<think>\n{text()}\n</think>\n\n" + turn["content"]
        return turn

    def call(number):
        name = source.choice(["weather", "now", "add"])
        return {"id": f"call{number:05d}", "type": "function", "function": {"name": name, "arguments": source.choice(arguments)}}

    for _ in range(count):
        turns = [{"role": source.choice(["system"] * 9 + ["developer"]), "content": text() + source.choice(["", "", "/no_think"])}] \
            if source.random() < 0.4 else []
        for number in range(source.randint(1, 3)):
            turns.append({"role": "user", "content": text()})
            if source.random() < 0.4:
                calls = [call(number + i) for i in range(source.choice([1, 1, 1, 2]))]
                turns.append(answer() | {"content": source.choice(["", None, text()]), "tool_calls": calls})
                for each in calls:
                    result = {"role": "tool", "content": source.choice([text(), '{"t": 21.5}'])}
                    result |= {"tool_call_id": each["id"]} if source.random() < 0.8 else {}
                    turns.append(result | ({"name": each["function"]["name"]} if source.random() < 0.8 else {}))
            if source.random() < 0.9:
                turns.append(answer())
        row = {"messages": turns}
        if source.random() < 0.6:
            tools = source.sample(TOOLS, source.randint(1, 3))
            row["tools"] = json.dumps(tools) if source.random() < 0.2 else tools
        names = source.sample(list(SWITCHES), source.choice([0, 0, 1, 2]))
        if names:
            row["chat_template_kwargs"] = {name: source.choice(SWITCHES[name]) for name in names}
        yield row


def reference(template, conversation, prompt):
    """The text, or None where the template or jinja2 raises."""
    row = conversation if isinstance(conversation, dict) else {"messages": conversation}
    tools = row.get("tools")
    tools = json.loads(tools) if isinstance(tools, str) else tools
    try:  # apply_chat_template drops what is None
        messages = [{key: value for key, value in turn.items() if value is not None} for turn in row["messages"]]
        return render_jinja_template([messages], chat_template=template, add_generation_prompt=prompt, tools=tools,
                                     **NAMES, **row.get("chat_template_kwargs", {}))[0][0]
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
    parser.add_argument("--templates", nargs="*", type=pathlib.Path, default=[], help="folders with more .jinja files")
    parser.add_argument("--only", nargs="*", help="names of templates, as they are printed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    inputs = list(conversations(options.data)) + list(generated(options.conversations, options.seed))
    inputs += with_tools(options.conversations, options.seed)
    templates = TEMPLATES | {name: convert_tokenizer_to_chat_template(str(MISTRAL / file)) for name, file in GENERATED.items()}
    templates |= {path.stem: path.read_text() for folder in options.templates for path in sorted(folder.glob("*.jinja"))}
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
