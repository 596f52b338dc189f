"""Learning rates of transformers' schedules, for src/train/schedule_test.cpp.

    build/oracle/bin/python tools/oracle/schedule_golden.py > src/train/testdata/schedules.json
"""
import json

import torch
from transformers import get_scheduler


def rates(name, warmup, total):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
    result = []
    for _ in range(total):
        result.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return result


cases = [{"name": name, "warmup": warmup, "total": total, "rates": rates(name, warmup, total)}
         for name in ("cosine", "linear", "constant", "constant_with_warmup")
         for warmup, total in ((0, 7), (3, 20), (20, 20), (1, 1))]
print(json.dumps(cases, indent=1))
