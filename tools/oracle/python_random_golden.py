"""Golden values for src/base/python_random_test.cpp, by Python itself (any version from 3.2 on).

    python3 tools/oracle/python_random_golden.py > src/base/testdata/python_random.json
"""
import json
import random

SEEDS = [0, 1, 42, 1234, 2**31, 2**32 - 1, 2**32, 2**63 + 12345, "", "a", "is_switched_outputs", "\u00e4\u4e2d \U0001f600",
         "a text that is longer than one block of SHA-512, which has 128 bytes, padding included; " * 30]


def draws(seed):
    source = random.Random(seed)
    small, large, half = list(range(7)), list(range(40000)), list(range(100))
    return {
        "seed": seed,
        "random": [source.random() for _ in range(3)],
        "bits": [source.getrandbits(count) for count in (1, 31, 32, 33, 64)],
        "below": [[bound, source.randrange(bound)] for bound in (1, 2, 3, 1000, 2**31, 2**32 + 1, 2**52)],
        "choices": source.choices(half, k=5),
        # Lists below and above the size from which on the drawn are remembered.
        "sample": [[len(of), source.sample(of, k)]
                   for of, k in ((small, 0), (small, 7), (large, 3), (large, 25), (half, 5), (half, 6), (half, 25), (half, 100))],
        "shuffle": random.Random.shuffle(source, half) or half,
        "after": [source.random() for _ in range(700)][-1],
    }


print(json.dumps([draws(seed) for seed in SEEDS]))
