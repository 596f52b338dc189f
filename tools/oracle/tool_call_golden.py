"""Calls of tools as real chat templates write them, for src/serve/testdata/tool_calls.json:
tool_call_golden.py TEMPLATES OUT

TEMPLATES is a folder of templates by the names below: models/templates of llama.cpp, and trl/chat_templates of TRL with
"trl-" before their names. An answer is what a template adds to the prompt for an assistant's message, without the tokens
that end it. Run with build/oracle/bin/python.
"""
import json
import pathlib
import sys

import jinja2.sandbox

NAMES = ["Qwen-Qwen2.5-7B-Instruct", "Qwen-Qwen3-0.6B", "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
         "meta-llama-Llama-3.1-8B-Instruct", "mistralai-Mistral-Nemo-Instruct-2407",
         "Mistral-Small-3.2-24B-Instruct-2506", "unsloth-mistral-Devstral-Small-2507",
         "mistralai-Ministral-3-14B-Reasoning-2512", "Qwen3-Coder", "Qwen3.5-4B", "trl-qwen3_6", "trl-nemotron_3_nano"]
# What tells formats apart.
MARKS = ["<tool_call>", "<function=", "<parameter=", "[TOOL_CALLS]", "[ARGS]", "\"parameters\": ", "ipython"]
ENDS = ["<|im_end|>\n", "<|im_end|>", "<|eot_id|>", "</s>"]
TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "The weather of a city",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "its name"}, "days": {"type": "integer"}, "metric": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}}, "more": {"type": "object"}}}}}]
CALLS = [{"city": "Rome\n  12 </parameter>", "days": 3, "metric": True, "tags": ["a", "[ARGS]"], "more": {"x": None}},
         {"city": "17"}]


def message(content, arguments):
    calls = [{"type": "function", "id": f"abcdefgh{i}", "function": {"name": "weather", "arguments": each}}
             for i, each in enumerate(arguments)]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def answers(template):
    def refuse(text):
        raise jinja2.TemplateError(text)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                               extensions=["jinja2.ext.loopcontrols"])
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals.update(raise_exception=refuse, strftime_now=lambda _: "26 Jul 2024")
    compiled = environment.from_string(template)
    asked = [{"role": "user", "content": "Will it rain?"}]

    def render(messages, prompt):
        return compiled.render(messages=messages, tools=TOOLS, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>",
                               enable_thinking=False)

    for content, arguments in [("", CALLS[:1]), ("", CALLS), ("I look it up.", CALLS)]:
        try:
            whole = render([*asked, message(content, arguments)], False)
        except jinja2.TemplateError:
            continue  # not every family calls twice, or says something before
        begin = 0
        prompt = render(asked, True)
        while begin < min(len(prompt), len(whole)) and prompt[begin] == whole[begin]:
            begin += 1
        text = whole[begin:]
        for end in ENDS:
            text = text.removesuffix(end)
        said = content if content in text else ""
        yield {"text": text, "content": said, "calls": [json.dumps(each, ensure_ascii=False) for each in arguments]}


folder, out = map(pathlib.Path, sys.argv[1:])
golden = {}
for name in NAMES:
    template = (folder / f"{name}.jinja").read_text()
    golden[name] = {"marks": [mark for mark in MARKS if mark in template], "tools": TOOLS, "answers": list(answers(template))}
out.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
