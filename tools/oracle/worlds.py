"""Shared by the parity scripts: small random models with a real tokenizer, and the tokenized pairs of a preference file."""
import json
import pathlib

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (AutoModelForCausalLM, AutoModelForImageTextToText, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
                          PreTrainedTokenizerFast)

LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                  r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEMPLATE = ("{% for message in messages %}"
            "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' "
            "+ message['content'] | trim + '<|eot_id|>' %}"
            "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}")
ROLES = {"human": "user", "gpt": "assistant", "system": "system"}


def make_tokenizer(data: pathlib.Path, vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer in Llama-3's manner, trained on the shared texts."""
    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=specials, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    names = ["wiki_demo.txt", "c4_demo.jsonl", "alpaca_en_demo.json", "dpo_en_demo.json"]
    tokenizer.train([str(data / name) for name in names], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>",
                                   chat_template=TEMPLATE, clean_up_tokenization_spaces=False)


def make_model(family: str, tokenizer, folder: pathlib.Path, scale: float = 0.06, **overrides):
    """A random model of hidden size 256 with its tokenizer, saved to a folder; the Mistral has a short window."""
    sizes = dict(vocab_size=16384, hidden_size=256, intermediate_size=688, num_hidden_layers=4,
                 num_attention_heads=8, num_key_value_heads=4, max_position_embeddings=4096, initializer_range=scale,
                 bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
                 attn_implementation="eager") | overrides
    torch.manual_seed(1)
    if family == "llama":
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    else:
        model = MistralForCausalLM(MistralConfig(**sizes, sliding_window=100))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


def opener(folder):
    """transformers' class that opens a folder, multimodal or not."""
    multimodal = "vision_config" in json.loads((folder / "config.json").read_text())
    return AutoModelForImageTextToText if multimodal else AutoModelForCausalLM


def open_model(folder, dtype="float32"):
    """The model of a folder in float32; with dtype bfloat16, what is rounded to the weights' type is rounded (Gemma's embedding scale)."""
    model = opener(folder).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    for module in model.modules() if dtype == "bfloat16" else ():
        if hasattr(module, "embed_scale"):
            module.embed_scale.copy_(module.embed_scale.bfloat16())
    return model


def read_pairs(path: pathlib.Path):
    """Rows of a file in from/value form as (prompt messages, chosen message, rejected message)."""
    def message(turn):
        return {"role": ROLES[turn["from"]], "content": turn["value"]}
    for row in json.loads(path.read_text()):
        yield [message(turn) for turn in row["conversations"]], message(row["chosen"]), message(row["rejected"])


def tokenize(tokenizer, prompt, answer, max_length):
    """TRL's boundary: the response is what the conversation adds to the prompt with its generation prompt."""
    def ids(messages, **options):
        return tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **options)
    prompt_ids = ids(prompt, add_generation_prompt=True)
    return prompt_ids, ids(prompt + [answer])[len(prompt_ids):max_length]


def follows_length(model):
    """Whether the model's rotary table depends on the longest sequence that it is given."""
    return "longrope" in str(model.config.get_text_config().rope_parameters)


def summed_logp(model, prompt, answer, length=0):
    """Sum of the answer's log-probabilities: float32 forward, log-softmax and sum in float64 (differentiable).

    Where the rotary table follows the length, the sequence is padded to `length` tokens, as beside the other of its pair.
    """
    tokens = prompt + answer
    padding = length - len(tokens) if follows_length(model) else 0
    logits = model(torch.tensor([tokens + [0] * padding])).logits[0, len(prompt) - 1:len(tokens) - 1].double()
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(answer)[:, None]).sum()


def text_parameters(model):
    """Names and parameters of the language model: of a multimodal model by the names that lmpo gives its text part."""
    if not hasattr(model.config, "vision_config"):
        return list(model.named_parameters())
    named = [(f"model.{name}", parameter) for name, parameter in model.model.language_model.named_parameters()]
    return named + ([] if model.config.tie_word_embeddings else [("lm_head.weight", model.lm_head.weight)])


def logged(folder, *keys):
    """Of each step that training into the folder logged: the value, or the values, under the keys."""
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    steps = [[entry[key] for key in keys] for entry in history if "loss" in entry]
    return [values[0] for values in steps] if len(keys) == 1 else steps
