"""Shared by scripts: pairs as long as UltraFeedback's, with means of 277 prompt and 2 x 266 response tokens, long-tailed."""
import json
import math
import random

MEANS_AND_SPREADS = ((277, 0.9), (266, 0.8), (266, 0.8))


def long_tailed(draws, mean, spread):
    drawn = draws.lognormvariate(math.log(mean) - spread**2 / 2, spread)
    return max(2, min(2048, int(drawn)))


def long_tailed_pairs(count, max_length=None, seed=1):
    """Tokens of (prompt, chosen, rejected); cut as SimPO's recipes do where max_length is given: a prompt keeps its last
    tokens up to max_length - 248 (1800 of 2048), a response what fits behind it."""
    draws = random.Random(seed)
    rows = [tuple(long_tailed(draws, mean, spread) for mean, spread in MEANS_AND_SPREADS) for _ in range(count)]
    if max_length is None:
        return rows
    cut = []
    for prompt, *responses in rows:
        prompt = min(prompt, max_length - 248)
        cut.append((prompt, *(min(response, max_length - prompt) for response in responses)))
    return cut


def write_rows(file, rows):
    """As texts for the tokenizer of src/data/testdata/llama3, of which every letter of "www" is one token; BOS and the
    end-of-turn token come on top."""
    for prompt, chosen, rejected in rows:
        row = {"prompt": "w" * (prompt - 1), "chosen": "x" * (chosen - 1), "rejected": "y" * (rejected - 1)}
        file.write(json.dumps(row) + "\n")
