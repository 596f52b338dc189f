"""Runs clients of OpenAI's API, as published, against `lmpo serve`, and compares what they get with transformers.

    python3 -m venv clients && clients/bin/pip install torch==2.15.0 transformers==5.23.0 openai==3.57.0 lm_eval==0.4.13 \\
        litellm==1.110.2 langchain-openai==1.7.4 alpaca_eval==0.6.6 accelerate==1.15.0 peft==0.21.2 setuptools==80.9.0
    clients/bin/python tools/oracle/serve_clients.py build/release/bin/lmpo MODEL TASKS [NAME...]

MODEL is a small model's folder with a chat template. TASKS is a folder with arc_challenge_test.jsonl and gsm8k_test.jsonl. Greedy
answers must be the same text and log-probabilities agree within 1e-3; lm-eval's scores must equal those of its own transformers
backend. The names are those of CLIENTS, by default all. Needs no network.
"""
import argparse
import concurrent.futures
import functools
import json
import logging
import math
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", LITELLM_LOCAL_MODEL_COST_MAP="True", OPENAI_API_KEY="secret")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from api_client import LmpoServer

KEY, LENGTH, CLOSE = os.environ["OPENAI_API_KEY"], 24, 1e-3
QUESTIONS = ["Name three animals.", "What is the capital of France?", "Write one line about the sea.", "Wie spät ist es? 日本語"]
TEXTS = ["The old river", "Once upon a time there was a wolf, and"]
CHATS = [[{"role": "user", "content": question}] for question in QUESTIONS] + [
    [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "Is it late?"}, {"role": "assistant", "content": "Yes."},
     {"role": "user", "content": "Why?"}]]


class Native:
    """The model in transformers, in float32."""

    def __init__(self, folder):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def chat_ids(self, messages):
        return self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)

    def answer(self, ids):
        tokens = torch.tensor([ids])
        with torch.no_grad():
            out = self.model.generate(tokens, attention_mask=torch.ones_like(tokens), do_sample=False, max_new_tokens=LENGTH)
        return self.tokenizer.decode(out[0, len(ids):], skip_special_tokens=True)

    @functools.lru_cache(maxsize=None)
    def chat(self, messages_json):
        return self.answer(self.chat_ids(json.loads(messages_json)))

    @functools.lru_cache(maxsize=None)
    def text(self, prompt):
        return self.answer(self.tokenizer(prompt).input_ids)

    def logps(self, ids):
        """(tokens, vocabulary): of the token after each."""
        with torch.no_grad():
            return torch.log_softmax(self.model(torch.tensor([ids])).logits[0].double(), -1)


class World:
    """The server, the model's name there, and what transformers says."""

    def __init__(self, server, folder, tasks):
        self.url, self.name, self.folder, self.tasks = server.url, folder.name, folder, tasks
        self.native = Native(folder)

    def same_chats(self, ask, chats=CHATS):
        """Whether `ask`, given messages, gets what transformers answers."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:  # at the same time, as clients do
            found = list(pool.map(ask, chats))
        return same(found, [self.native.chat(json.dumps(chat)) for chat in chats])


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        if one != other:
            print(f"  expected {other!r}\n  found    {one!r}")
    return found == expected


def close(found, expected):
    worst = max(abs(one - other) for one, other in zip(found, expected, strict=True))
    print(f"  {len(found)} log-probabilities differ by at most {worst:.1e}")
    return worst < CLOSE


def openai_client(world):
    import openai
    return openai.OpenAI(base_url=world.url + "/v1", api_key=KEY, max_retries=0)


def curl(world):
    def ask(messages):
        fields = dict(messages=messages, max_tokens=LENGTH, temperature=0)
        command = ["curl", "-sS", "--fail-with-body", world.url + "/v1/chat/completions", "-H", f"Authorization: Bearer {KEY}",
                   "-H", "Content-Type: application/json", "-d", json.dumps(fields)]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["choices"][0]["message"]["content"]
    return world.same_chats(ask)


def openai_chat(world):
    client = openai_client(world)
    return [model.id for model in client.models.list()] == [world.name] and world.same_chats(
        lambda messages: client.chat.completions.create(model=world.name, messages=messages, max_tokens=LENGTH, temperature=0).choices[0].message.content)


def openai_stream(world):
    client = openai_client(world)

    def ask(messages):
        stream = client.chat.completions.create(model=world.name, messages=messages, max_completion_tokens=LENGTH, temperature=0, stream=True,
                                                stream_options={"include_usage": True})
        chunks = list(stream)
        assert chunks[-1].usage.prompt_tokens == len(world.native.chat_ids(messages)) and len(chunks) > 3
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return world.same_chats(ask)


def openai_completions(world):
    """A list of texts, token ids, and the log-probabilities of a prompt that is echoed."""
    client, native = openai_client(world), world.native
    lists = client.completions.create(model=world.name, prompt=TEXTS, max_tokens=LENGTH, temperature=0)
    ids = native.tokenizer(TEXTS[1]).input_ids
    from_ids = client.completions.create(model=world.name, prompt=ids, max_tokens=LENGTH, temperature=0)
    scored = client.completions.create(model=world.name, prompt=ids, max_tokens=0, echo=True, logprobs=3).choices[0]
    logps = native.logps(ids)
    expected = [logps[i, ids[i + 1]].item() for i in range(len(ids) - 1)]
    tops = [max(top.values()) for top in scored.logprobs.top_logprobs[1:]]
    return (same([choice.text for choice in lists.choices] + [from_ids.choices[0].text], [*map(native.text, TEXTS), native.text(TEXTS[1])])
            and same([scored.text, "".join(scored.logprobs.tokens)], [native.tokenizer.decode(ids)] * 2)
            and close(scored.logprobs.token_logprobs[1:], expected) and close(tops, logps[:-1].max(-1).values.tolist()))


def openai_errors(world):
    """Its exceptions for a wrong key, an unknown model, a prompt that is too long."""
    import openai
    client = openai_client(world)
    chat = functools.partial(client.chat.completions.create, model=world.name, messages=CHATS[0], max_tokens=1)
    cases = [(openai.AuthenticationError, "key", lambda: openai.OpenAI(base_url=world.url + "/v1", api_key="wrong", max_retries=0).models.list()),
             (openai.NotFoundError, "does not exist", lambda: chat(model="nobody")),
             (openai.BadRequestError, "Please reduce the length", lambda: chat(messages=[{"role": "user", "content": "word " * 20000}]))]
    good = True
    for kind, words, call in cases:
        try:
            call()
            raise AssertionError("no error")
        except Exception as error:
            if not (type(error) is kind and words in str(error)):
                print(f"  expected {kind.__name__} with '{words}', found {error!r}")
                good = False
    return good


def litellm(world):
    import litellm as lite
    return world.same_chats(lambda messages: lite.completion(model="openai/" + world.name, api_base=world.url + "/v1", api_key=KEY, messages=messages,
                                                             max_tokens=LENGTH, temperature=0).choices[0].message.content)


def langchain(world):
    from langchain_openai import ChatOpenAI
    model = ChatOpenAI(model=world.name, base_url=world.url + "/v1", api_key=KEY, temperature=0, max_tokens=LENGTH)
    return (world.same_chats(lambda messages: model.invoke(messages).content)
            and world.same_chats(lambda messages: "".join(chunk.content for chunk in model.stream(messages)), CHATS[:2]))


def arena_hard(world):
    """The calls of lmarena/arena-hard-auto at commit 196f6b8, utils/completion.py, chat_completion_openai; it is no package."""
    def ask(messages):
        import openai
        client = openai.OpenAI(base_url=world.url + "/v1", api_key=KEY)
        return client.chat.completions.create(model=world.name, messages=messages, temperature=0.0, max_tokens=LENGTH).choices[0].message.content
    return world.same_chats(ask)


def alpaca_arguments(world):
    return dict(openai_api_base=world.url + "/v1", openai_api_keys=[KEY], client_config_path="none", num_procs=2, price_per_token=0)


def alpaca_model(world):
    from alpaca_eval.decoders.openai import openai_completions as decode
    prompts = [f"<|im_start|>user\n{question}\n<|im_end|>" for question in QUESTIONS]
    found = decode(prompts, world.name, max_tokens=LENGTH, temperature=0, requires_chatml=True, **alpaca_arguments(world))["completions"]
    return same(found, [world.native.chat(json.dumps(chat)) or " " for chat in CHATS[:len(QUESTIONS)]])


def alpaca_judge(world):
    """weighted_alpaca_eval_gpt4_turbo with this model as judge, and twenty likely tokens instead of five: a small model thinks of others first."""
    import alpaca_eval.annotators as annotators
    import alpaca_eval.constants as constants
    import yaml
    from alpaca_eval.decoders.openai import openai_completions as decode
    from alpaca_eval.utils import prompt_to_chatml
    from scipy.special import logsumexp
    folder = constants.EVALUATORS_CONFIG_DIR
    config = yaml.safe_load((folder / "weighted_alpaca_eval_gpt4_turbo/configs.yaml").read_text())["weighted_alpaca_eval_gpt4_turbo"]
    template = (folder / config["prompt_template"]).read_text()
    letters = {name: world.native.tokenizer.encode(name, add_special_tokens=False) for name in ("m", "M")}
    assert all(len(ids) == 1 for ids in letters.values()), "m and M are one token each"
    config["prompt_template"] = str(folder / config["prompt_template"])
    config["completions_kwargs"] |= dict(model_name=world.name, top_logprobs=20, requires_chatml=True, **alpaca_arguments(world))
    pairs = [("Name three animals.", "Cat, dog, cow.", "No."), ("Say hello.", "What?", "Hello!")]
    with tempfile.TemporaryDirectory() as work:
        (pathlib.Path(work) / "configs.yaml").write_text(yaml.safe_dump({"judge": config}))
        judge = annotators.PairwiseAnnotator(annotators_config=pathlib.Path(work) / "configs.yaml", is_randomize_output_order=False,
                                             caching_path=None)
        outputs = [[dict(instruction=pair[0], output=pair[side], generator=str(side)) for pair in pairs] for side in (1, 2)]
        found = judge.annotate_head2head(*outputs)
    prompts = [template.replace("{instruction}", instruction).replace("{output_1}", first).replace("{output_2}", second)
               for instruction, first, second in pairs]
    answers = decode(prompts, **config["completions_kwargs"])["completions_all"]
    good = True
    for one, prompt, answer in zip(found, prompts, answers, strict=True):
        logps = world.native.logps(world.native.chat_ids(prompt_to_chatml(prompt)))[-1]
        likeliest = logps.topk(20)
        own = {name: logps[ids[0]].item() if ids[0] in likeliest.indices else -math.inf for name, ids in letters.items()}
        expected = 2 - math.exp(own["m"] - logsumexp(list(own.values()))) if max(own.values()) > -math.inf else None
        tops = [entry["logprob"] for entry in answer["logprobs"]["content"][0]["top_logprobs"]]
        print(f"  preference {one.get('preference')}, expected {expected}")
        good &= close(tops, likeliest.values.tolist()) and close([one.get("preference") or 0], [expected or 0])
    return good


ARC = """task: small_arc
dataset_path: json
dataset_kwargs: {data_files: {test: %s/arc_challenge_test.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{choices.label.index(answerKey)}}"
doc_to_choice: "{{choices.text}}"
metric_list: [{metric: acc}, {metric: acc_norm}]
"""
GSM = """task: small_gsm
dataset_path: json
dataset_kwargs: {data_files: {test: %s/gsm8k_test.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer.split('####')[-1].strip()}}"
generation_kwargs: {until: ["Question:", "\\n\\n"], do_sample: false, temperature: 0.0, max_gen_toks: 32}
metric_list: [{metric: exact_match}]
"""


@functools.lru_cache(maxsize=None)
def lm_eval_results(world, model, task, chat=False, **_):
    import lm_eval
    from lm_eval.tasks import TaskManager
    path = "/v1/chat/completions" if chat else "/v1/completions"
    server = dict(model=world.name, base_url=world.url + path, num_concurrent=4, max_length=2048, max_retries=1)
    arguments = {"hf": dict(pretrained=str(world.folder), dtype="float32", device="cpu", add_bos_token=False),
                 "local-completions": server | dict(tokenizer=str(world.folder), tokenizer_backend="huggingface"),
                 "remote": server | dict(tokenizer_backend="remote", auth_token=KEY),
                 "local-chat-completions": server}[model]
    with tempfile.TemporaryDirectory() as folder:
        for text, name in ((ARC, "arc"), (GSM, "gsm")):
            (pathlib.Path(folder) / f"{name}.yaml").write_text(text % world.tasks)
        results = lm_eval.simple_evaluate(model="local-completions" if model == "remote" else model, model_args=arguments, tasks=[task], limit=6,
                                          apply_chat_template=chat, bootstrap_iters=0, batch_size=1, task_manager=TaskManager(include_path=folder))
    samples = sorted(results["samples"][task], key=lambda sample: sample["doc_id"])
    scores = {name: value for name, value in results["results"][task].items() if isinstance(value, float)}
    return scores, [sample["resps"] for sample in samples]


def lm_eval_scores(world, model):
    (expected, own), (found, others) = (lm_eval_results(world, which, "small_arc") for which in ("hf", model))
    pairs = [(float(a[0][0]), float(b[0][0]), a[0][1], b[0][1]) for one, other in zip(own, others, strict=True) for a, b in zip(one, other, strict=True)]
    print(f"  {found}")
    return found == expected and close([p[1] for p in pairs], [p[0] for p in pairs]) and all(str(p[2]) == str(p[3]) for p in pairs)


def lm_eval_texts(world, model, chat=False):
    (expected, own), (found, others) = (lm_eval_results(world, which, "small_gsm", chat) for which in ("hf", model))
    return same([resps[0][0] for resps in others], [resps[0][0] for resps in own]) and found == expected


# Name -> (package, check).
CLIENTS = {
    "curl": (None, curl),
    "openai_chat": ("openai", openai_chat),
    "openai_stream": ("openai", openai_stream),
    "openai_completions": ("openai", openai_completions),
    "openai_errors": ("openai", openai_errors),
    "litellm": ("litellm", litellm),
    "langchain": ("langchain-openai", langchain),
    "arena_hard": ("openai", arena_hard),
    "alpaca_model": ("alpaca_eval", alpaca_model),
    "alpaca_judge": ("alpaca_eval", alpaca_judge),
    "lm_eval_scores": ("lm_eval", lambda world: lm_eval_scores(world, "local-completions")),
    "lm_eval_scores_remote_tokenizer": ("lm_eval", lambda world: lm_eval_scores(world, "remote")),
    "lm_eval_texts": ("lm_eval", lambda world: lm_eval_texts(world, "local-completions")),
    "lm_eval_chat": ("lm_eval", lambda world: lm_eval_texts(world, "local-chat-completions", chat=True)),
}


def version(package):
    import importlib.metadata
    if package is None:
        return subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout.split(" (")[0]
    return f"{package} {importlib.metadata.version(package)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("tasks", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=list(CLIENTS))
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    bad = []
    with LmpoServer(options.binary, "--model", options.model.resolve(), "--api_key", KEY) as server:
        world = World(server, options.model.resolve(), options.tasks.resolve())
        for name in options.names:
            package, check = CLIENTS[name]
            good = check(world)
            print(f"{'ok   ' if good else 'WRONG'} {name} ({version(package)})", flush=True)
            bad += [] if good else [name]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
