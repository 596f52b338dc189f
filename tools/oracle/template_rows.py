"""The expected results for row_renderer.h: conversations rendered by transformers through templates like those of published models.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/template_rows.py

Writes src/data/testdata/template_rows.json: for each template its text and rows, each with the texts of prompt and responses by TRL's
rule (the prompt is the common beginning of its rendering with the generation prompt and of the whole conversations). Where that rule
would score words of the prompt, lmpo's rule is used: the prompt as generation sees it, the response what follows the prompt's last
words and header.
"""
import json
import pathlib

from transformers.utils.chat_template_utils import render_jinja_template

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/data/testdata/template_rows.json"
# Short versions of our own with the structure of the models' templates.
TEMPLATES = {
    "llama-3.1": """{{- bos_token }}
{%- if messages[0].role == 'system' %}{%- set system = messages[0].content | trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system = '' %}{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\n\n' }}
{%- if tools is not none %}{{- 'Environment: ipython\n' }}{%- endif %}
{{- 'Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n' }}{{- system }}{{- '<|eot_id|>' }}
{%- if tools is not none %}{{- '<|start_header_id|>user<|end_header_id|>\n\nTools:\n' }}
{%- for t in tools %}{{- t | tojson(indent=4) }}{{- '\n\n' }}{%- endfor %}
{{- messages[0].content | trim + '<|eot_id|>' }}{%- set messages = messages[1:] %}{%- endif %}
{%- for message in messages %}
{%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content | trim + '<|eot_id|>' }}
{%- elif 'tool_calls' in message %}
{%- if message.tool_calls | length != 1 %}{{- raise_exception('one call at once') }}{%- endif %}
{%- set call = message.tool_calls[0].function %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{{- '{"name": "' + call.name + '", "parameters": ' }}{{- call.arguments | tojson }}{{- '}<|eot_id|>' }}
{%- else %}{{- '<|start_header_id|>ipython<|end_header_id|>\n\n' }}{{- message.content }}{{- '<|eot_id|>' }}
{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}""",
    "qwen2.5": """{%- if tools %}{{- '<|im_start|>system\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content }}{%- else %}{{- 'You are Q. Be kind.' }}{%- endif %}
{{- '\n\n# Tools\n<tools>' }}{%- for tool in tools %}{{- '\n' }}{{- tool | tojson }}{%- endfor %}{{- '\n</tools><|im_end|>\n' }}
{%- else %}{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{%- else %}{{- '<|im_start|>system\nYou are Q. Be kind.<|im_end|>\n' }}{%- endif %}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) or (message.role == 'assistant' and not message.tool_calls) %}
{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}{{- '<|im_start|>assistant' }}
{%- if message.content %}{{- '\n' + message.content }}{%- endif %}
{%- for call in message.tool_calls %}{%- if call.function is defined %}{%- set call = call.function %}{%- endif %}
{{- '\n<tool_call>\n{"name": "' }}{{- call.name }}{{- '", "arguments": ' }}{{- call.arguments | tojson }}{{- '}\n</tool_call>' }}
{%- endfor %}{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}""",
    "mistral-v0.3": """{%- if messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
{%- if message.role == 'user' %}
{%- if tools is not none and loop.last %}{{- '[AVAILABLE_TOOLS] ' }}{{- tools | tojson }}{{- '[/AVAILABLE_TOOLS]' }}{%- endif %}
{%- if loop.last and system is defined %}{{- '[INST] ' + system + '\n\n' + message.content + '[/INST]' }}
{%- else %}{{- '[INST] ' + message.content + '[/INST]' }}{%- endif %}
{%- elif message.tool_calls is defined and message.tool_calls is not none %}
{{- '[TOOL_CALLS] [' }}{%- for call in message.tool_calls %}{%- set out = call.function | tojson %}{{- out[:-1] }}
{{- ', "id": "' + call.id + '"}' }}{%- if not loop.last %}{{- ', ' }}{%- endif %}{%- endfor %}{{- ']' + eos_token }}
{%- elif message.role == 'assistant' %}{{- ' ' + message.content | trim + eos_token }}
{%- elif message.role == 'tool' %}{{- '[TOOL_RESULTS] {"content": ' + message.content | string + ', "call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
{%- endif %}{%- endfor %}""",
    "gemma": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}""",
    "smollm3": """{%- if messages[0].role == 'system' %}{%- set custom = messages[0].content.rstrip() %}{%- else %}{%- set custom = 'You are a helpful assistant.' %}{%- endif %}
{{- '<|im_start|>system\n## Metadata\n\nReasoning Mode: /no_think\n\n' + custom + '<|im_end|>\n' }}
{%- for message in messages %}
{%- if message.role == 'user' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}{%- if '</think>' in message.content %}{%- set text = message.content.split('</think>')[-1].lstrip('\n') %}{%- else %}{%- set text = message.content %}{%- endif %}
{{- '<|im_start|>assistant\n<think>\n\n</think>\n' + text.lstrip('\n') + '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}{{- '<|im_start|>user\n' + message.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n<think>\n\n</think>\n' }}{%- endif %}""",
    "phi-3": """{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}""",
    "deepseek-r1": """{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] }}{% elif message['role'] == 'user' %}{{ '<|User|>' + message['content'] }}{% elif message['role'] == 'assistant' %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{ '<|Assistant|>' + content + eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|Assistant|><think>\n' }}{% endif %}""",
}


def user(text):
    return {"role": "user", "content": text}


def says(text, **more):
    return {"role": "assistant", "content": text, **more}


CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"unit": "C", "city": "Rome"}}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": {
    "type": "object", "properties": {"unit": {"type": "string"}, "city": {"type": "string"}}, "required": ["city"]}}}
RESULT = {"role": "tool", "tool_call_id": "abcdefghi", "name": "weather", "content": "21 C"}
SYSTEM = {"role": "system", "content": "Be brief. "}
ROWS = [
    {"prompt": [user("Hi?")], "chosen": [says("Hello.")], "rejected": [says("No.")]},
    {"prompt": [SYSTEM, user("What is 2+2?")], "chosen": [says("It is 4.")], "rejected": [says("It is 5.")]},
    {"prompt": [SYSTEM, user("One?"), says("<think>\nwell\n</think>\n\nYes, one."), user(" Two?\n")],
     "chosen": [says("Two.")], "rejected": [says("\nThree. ")]},
    {"prompt": [user("Weather?")], "chosen": [says("", tool_calls=[CALL])], "rejected": [says("no idea")], "tools": [TOOL]},
    {"prompt": [user("Weather?"), says("", tool_calls=[CALL]), RESULT], "chosen": [says("21 C")], "rejected": [says("no idea")]},
]


def texts(template, row):
    """[prompt, chosen, rejected], or why there are none."""
    def render(messages, add_generation_prompt=False):
        return render_jinja_template([messages], chat_template=template, add_generation_prompt=add_generation_prompt,
                                     tools=row.get("tools"), bos_token="<s>", eos_token="</s>")[0][0]
    try:
        prompt = render(row["prompt"], True)
        wholes = [render(row["prompt"] + row[side]) for side in ("chosen", "rejected")]
    except Exception as error:  # of whatever the template does with what it does not know
        return "raises"
    common = min(next((i for i, (a, b) in enumerate(zip(prompt, whole)) if a != b), min(len(prompt), len(whole)))
                 for whole in wholes)
    end = max(prompt.rfind(text) + len(text) for text in (turn["content"].strip() for turn in row["prompt"])
              if text and text in prompt)
    if end <= common:
        result = [prompt[:common], *(whole[common:] for whole in wholes)]
    else:
        last, header = row["prompt"][-1]["content"].strip(), prompt[end:]
        result = [prompt, *(whole.split(last + header, 1)[1] for whole in wholes)]
    called = any("tool_calls" in turn for turn in row["chosen"])
    return "chat template leaves out a response" if called and "weather" not in result[1] else result


def main():
    cases = [{"name": name, "template": template, "texts": [texts(template, row) for row in ROWS]}
             for name, template in TEMPLATES.items()]
    OUT.write_text(json.dumps({"rows": ROWS, "templates": cases}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
