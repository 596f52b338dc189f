#!/usr/bin/env python3
"""The penalties that scikit-learn's cross-validation chooses on 200 synthetic data sets of AlpacaEval's shape, by alpaca_eval's
own function: for src/judge/length_control_test.cpp, which makes the same sets.

build/oracle/bin/python tools/oracle/length_control_golden.py >src/judge/testdata/penalty_golden.json

Needs alpaca_eval (pip install alpaca_eval), which brings scikit-learn.
"""
import json
import math
import sys
import warnings

import pandas
from alpaca_eval.metrics.glm_winrate import fit_LogisticRegressionCV

warnings.simplefilter("ignore")


class Numbers:
    """Uniform numbers in [0, 1) of a linear congruential generator, the same as the test's."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 11) / 2**53


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def rows_of(seed):
    """Rows of (tanh(z), difficulty, own, weight, win chance): twice as many gamed rows as rows of the model."""
    numbers = Numbers(seed)
    count = 60 + 40 * (seed % 5)
    strength = [0, 0.3, 1, 2][seed % 4]
    rows = []
    for row in range(3 * count):
        own = 1 if row >= 2 * count else 0
        length = math.tanh(3 * (numbers.next() + numbers.next() - 1))
        difficulty = 6 * (numbers.next() - 0.5)
        score = strength * (-1.2 * length + 0.5 * difficulty + own * (seed % 7 - 3) / 3)
        chance = sigmoid(score + 12 * (numbers.next() - 0.5))
        rows.append((length, difficulty, own, 1 if own else 0.1, chance))
    return rows


def chosen(seed, **more):
    """The place in the grid of the penalty that is chosen."""
    frame = pandas.DataFrame(rows_of(seed), columns=["length", "difficulty", "own", "weight", "preference"])
    weight = frame.pop("weight")
    model = fit_LogisticRegressionCV(frame, "preference", sample_weight=weight, n_splits=5, **more)
    return list(model.Cs_).index(model.C_[0])


sets = range(1, 201)
json.dump({"chosen": [chosen(seed) for seed in sets],  # liblinear stops at a tolerance of 1e-4
           "at_the_optimum": [chosen(seed, tol=1e-10, max_iter=100000) for seed in sets]}, sys.stdout)
print()
