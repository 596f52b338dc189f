"""The expected results for src/data/boundary.h: prompt and responses as tokens, at both boundaries, by transformers.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/tokenize_pairs.py

Writes src/data/testdata: small tokenizers with the chat templates of Llama-3, ChatML, Zephyr and Mistral, rows, and the expected
tokens. With a folder and a preference file in from/value form it does the same for the rows of that file:

    build/oracle/bin/python tools/oracle/tokenize_pairs.py FOLDER DATA/dpo_en_demo.json

The rules are those of TRL 1.x (`trl`) and of the published scripts of SimPO and LMPO (`simpo`).
"""
import json
import pathlib
import sys

from jinja2.exceptions import TemplateError
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from model_templates import TEMPLATES
from worlds import LLAMA3_PATTERN, ROLES

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / "src/data/testdata"
ROWS = [
    {"prompt": [{"role": "user", "content": "What is the colour of the sky?"}],
     "chosen": [{"role": "assistant", "content": "Blue, as a rule."}],
     "rejected": [{"role": "assistant", "content": "Blue as the sea, and sometimes red in the evening."}]},
    {"prompt": [{"role": "user", "content": "Name a fruit."}, {"role": "assistant", "content": "A pear."},
                {"role": "user", "content": " Another one, please.\n"}],
     "chosen": [{"role": "assistant", "content": "\n\nAn apple."}],
     "rejected": [{"role": "assistant", "content": "No! "}]},
    {"prompt": [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "Is 7 prime? ☕ é"}],
     "chosen": [{"role": "assistant", "content": "Yes 👍🏽"}],
     "rejected": [{"role": "assistant", "content": "It is, since only 1 and 7 divide it."}]},
    {"prompt": [{"role": "user", "content": "Go on with the list."}, {"role": "assistant", "content": "One, two, "}],
     "chosen": [{"role": "assistant", "content": "three."}], "rejected": [{"role": "assistant", "content": "ten."}]},
    {"prompt": "The sky is", "chosen": " blue.", "rejected": " green as the grass in the evening of a rule."},
    {"prompt": "", "chosen": "A text alone.", "rejected": "An"},
    {"prompt": "The evenin", "chosen": "g is red.", "rejected": "gs are red"},
    {"prompt": "BOS", "chosen": "EOS", "rejected": "one EOS two"},
]


def make_tokenizer(family: str, texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A BPE tokenizer: byte-level as Llama-3's for llama3 and chatml, sentencepiece-like for zephyr and mistral."""
    specials = {"llama3": ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"],
                "chatml": ["<|endoftext|>", "<|im_end|>", "<|im_start|>"],
                "zephyr": ["<s>", "</s>", "<unk>"], "mistral": ["<s>", "</s>", "<unk>"]}[family]
    bos, eos = specials[:2]
    if family in ("llama3", "chatml"):
        tokenizer = Tokenizer(models.BPE(ignore_merges=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        specials += [f"<0x{byte:02X}>" for byte in range(256)]
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")
        alphabet = ["▁"]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=specials, show_progress=False, initial_alphabet=alphabet))
    if family in ("zephyr", "mistral"):
        # As the tokenizer.json of Llama-2 and Mistral: spaces become U+2581 before one pass over the whole text, and
        # byte tokens are ordinary.
        state = json.loads(tokenizer.to_str())
        state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
        tokenizer = Tokenizer.from_str(json.dumps(state))
        tokenizer.pre_tokenizer = None
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                               decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos,
                                   chat_template=TEMPLATES[family], clean_up_tokenization_spaces=False)


def ids(tokenizer, text, special=False):
    return tokenizer(text, add_special_tokens=special)["input_ids"]


def common_prefix_length(ids, other_ids):  # of trl.data_utils
    return next((i for i, (one, other) in enumerate(zip(ids, other_ids)) if one != other), min(len(ids), len(other_ids)))


def continued(prompt, answer):
    """The conversation whose last turn the prompt has begun and the answer ends."""
    return prompt[:-1] + [{**prompt[-1], "content": prompt[-1]["content"] + answer[0]["content"]}] + answer[1:]


def split_by_trl(tokenizer, prompt, answers):
    """TRL 1.16: prompt, and prompt + answer, each tokenized whole; the answers begin where the first of them parts from
    the prompt. Ours: an answer continues a prompt that ends with the assistant's turn."""
    if isinstance(prompt, str):
        answers = [answer if answer.endswith(tokenizer.eos_token) else answer + tokenizer.eos_token for answer in answers]
        context, wholes = ids(tokenizer, prompt, True), [ids(tokenizer, prompt + answer, True) for answer in answers]
        if context[:2] == [tokenizer.bos_token_id] * 2:  # ours: never BOS twice
            context, wholes = context[1:], [whole[1:] for whole in wholes]
    else:
        open_turn = prompt[-1]["role"] == "assistant"
        options = dict(tokenize=True, return_dict=False)
        context = tokenizer.apply_chat_template(prompt, add_generation_prompt=not open_turn,
                                                continue_final_message=open_turn, **options)
        wholes = [tokenizer.apply_chat_template(continued(prompt, answer) if open_turn else prompt + answer, **options)
                  for answer in answers]
    length = min(common_prefix_length(context, whole) for whole in wholes)
    return [(whole[:length], whole[length:]) for whole in wholes]


def simpo_texts(tokenizer, prompt, answers):
    """The script's texts: prompt turns, and what each answer adds to them. Ours: as in split_by_trl."""
    def render(messages, **options):
        return tokenizer.apply_chat_template(messages, tokenize=False, **options)
    template = tokenizer.chat_template
    if prompt[0]["role"] != "system" and ("system" in template or "<|im_start|>" in template):
        prompt = [{"role": "system", "content": ""}] + prompt
    if prompt[-1]["role"] == "assistant":
        begin = render(prompt, continue_final_message=True)
        return begin, [render(continued(prompt, answer))[len(begin):] for answer in answers]
    texts = []
    for answer in answers:
        try:
            texts.append(render(answer).removeprefix(tokenizer.bos_token))
        except TemplateError:
            texts.append(render(prompt + answer)[len(render(prompt)):])
    return render(prompt), texts


def split_by_simpo(tokenizer, prompt, answer):
    """The script's build_tokenized_answer and what tokenize_row adds."""
    whole, context = ids(tokenizer, prompt + answer), ids(tokenizer, prompt)
    begin = len(context) if whole[:len(context)] == context else len(context) - 1
    context, response = whole[:begin], whole[begin:]
    if not context or context[0] != tokenizer.bos_token_id:
        if not context and response[:1] == [tokenizer.bos_token_id]:  # ours: never BOS twice
            response = response[1:]
        context = [tokenizer.bos_token_id] + context
    if not response or response[-1] != tokenizer.eos_token_id:
        response = response + [tokenizer.eos_token_id]
    return context, response


def truncate_new(sides, max_length, mode):
    """TRL 1.x's collator: one slice of prompt + response."""
    cut = slice(None, max_length) if mode == "keep_start" else slice(-max_length, None)
    result = []
    for prompt, response in sides:
        kept = list(zip(prompt + response, [0] * len(prompt) + [1] * len(response)))[cut]
        result.append(([token for token, mask in kept if not mask], [token for token, mask in kept if mask]))
    return result


def truncate_old(sides, max_length, max_prompt_length, mode):
    """TRL 0.9's tokenize_row: the prompt first, then the responses."""
    longest = max(len(response) for _, response in sides)
    result = []
    for prompt, response in sides:
        if len(prompt) + longest > max_length:
            prompt = prompt[:max_prompt_length] if mode == "keep_start" else prompt[-max_prompt_length:]
        if len(prompt) + longest > max_length:
            response = response[:max_length - max_prompt_length]
        result.append((prompt, response))
    return result


def tokenize_pair(tokenizer, prompt, chosen, rejected, boundary, max_length=None, max_prompt_length=None, mode=None):
    """{"chosen": (prompt ids, response ids), "rejected": ...}; a response may be left empty by truncation.

    The prompt is a list of messages with each answer a message or a list of them, or all three are strings.
    """
    answers = [[a] if isinstance(a, dict) else a for a in (chosen, rejected)]
    if boundary == "trl":
        sides = split_by_trl(tokenizer, prompt, answers)
    else:
        if not isinstance(prompt, str):
            prompt, answers = simpo_texts(tokenizer, prompt, answers)
        sides = [split_by_simpo(tokenizer, prompt, answer) for answer in answers]
    if max_prompt_length is not None:
        sides = truncate_old(sides, max_length, max_prompt_length, mode or "keep_end")
    elif max_length is not None:
        sides = truncate_new(sides, max_length, mode or "keep_start")
    # The first token of a sequence has nothing before it, so it is context.
    sides = [(p, r) if p else (r[:1], r[1:]) for p, r in sides]
    return dict(zip(("chosen", "rejected"), sides))


def expected(tokenizer, row, boundary, options):
    """A row's [tokens, scored_begin] for each response, or why there are none."""
    try:
        sides = tokenize_pair(tokenizer, row["prompt"], row["chosen"], row["rejected"], boundary, **options)
    except TemplateError as error:
        return f"raises: {error}"
    if any(not response for _, response in sides.values()):
        return "no response left after truncation"
    return [[prompt + response, len(prompt)] for prompt, response in sides.values()]


def from_value_rows(path):
    def message(turn):
        return {"role": ROLES[turn["from"]], "content": turn["value"]}
    return [{"prompt": [message(turn) for turn in row["conversations"]], "chosen": [message(row["chosen"])],
             "rejected": [message(row["rejected"])]} for row in json.loads(pathlib.Path(path).read_text())]


def texts_of(row):
    for value in row.values():
        yield value if isinstance(value, str) else " ".join(message["content"] for message in value)


def write(folder, source_rows, vocabulary, lengths):
    settings = [{}, {"max_length": lengths[0]}, {"max_length": lengths[0], "mode": "keep_end"},
                {"max_length": lengths[0], "max_prompt_length": lengths[1]},
                {"max_length": lengths[0], "max_prompt_length": lengths[1], "mode": "keep_start"}]
    texts = [text for row in source_rows for text in texts_of(row)]
    for family in TEMPLATES:
        tokenizer = make_tokenizer(family, texts, vocabulary[family in ("zephyr", "mistral")])
        named = json.dumps(source_rows).replace("BOS", tokenizer.bos_token).replace("EOS", tokenizer.eos_token)
        rows = json.loads(named)
        tokenizer.save_pretrained(folder / family)
        (folder / family / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        cases = [{"boundary": boundary, "options": options,
                  "rows": [expected(tokenizer, row, boundary, options) for row in rows]}
                 for boundary in ("trl", "simpo") for options in settings]
        (folder / family / "golden.json").write_text(
            "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


def main():
    if len(sys.argv) == 3:
        write(pathlib.Path(sys.argv[1]), from_value_rows(sys.argv[2]), (4096, 4096), (256, 128))
    else:
        write(TESTDATA, ROWS, (340, 360), (30, 12))


if __name__ == "__main__":
    main()
