"""Golden values for src/model/config_test.cpp: how transformers reads config.json files.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/config_golden.py

    src/model/testdata/configs.json   a list of {name, config, fields, inverse_frequencies}
    src/model/testdata/sharded/       a tiny Llama saved with max_shard_size 1KB
"""
import json
import pathlib
import shutil

import torch
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.mistral.modeling_mistral import MistralRotaryEmbedding

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata"
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
LLAMA_8B = {"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
            "vocab_size": 128256, "intermediate_size": 14336, "max_position_embeddings": 8192, "rms_norm_eps": 1e-05}
SMALL = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
CASES = {
    "llama defaults": {"model_type": "llama"},
    "mistral defaults": {"model_type": "mistral"},
    "llama 3, transformers 4": LLAMA_8B | {"rope_theta": 500000.0, "rope_scaling": None, "bos_token_id": 128000,
                                           "eos_token_id": 128009, "torch_dtype": "bfloat16", "use_cache": False},
    "llama 3.1, transformers 4": LLAMA_8B | {"rope_theta": 500000.0, "max_position_embeddings": 131072,
                                             "rope_scaling": LLAMA3 | {"rope_type": "llama3"}, "pretraining_tp": 1,
                                             "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
                                             "torch_dtype": "bfloat16", "attention_bias": False, "mlp_bias": False},
    "llama 3.2, transformers 5": LLAMA_8B | {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
                                             "head_dim": 64, "tie_word_embeddings": True, "dtype": "bfloat16",
                                             "max_position_embeddings": 131072, "bos_token_id": 128000,
                                             "eos_token_id": [128001, 128008, 128009],
                                             "rope_parameters": LLAMA3 | {"rope_type": "llama3", "factor": 32.0,
                                                                          "rope_theta": 500000.0}},
    "linear, old key": SMALL | {"rope_scaling": {"type": "linear", "factor": 2.5}, "rope_theta": 12345.0},
    "llama3, old key, no context": SMALL | {"rope_scaling": {"type": "llama3", "factor": 4, "low_freq_factor": 1.5,
                                                             "high_freq_factor": 3.7}},
    "llama3, context outside": SMALL | {"rope_scaling": LLAMA3 | {"rope_type": "llama3"},
                                        "original_max_position_embeddings": 256},
    "both spellings of rope": SMALL | {"rope_parameters": {"rope_type": "default", "rope_theta": 777.0},
                                       "rope_scaling": {"rope_type": "linear", "factor": 3.0}, "rope_theta": 888.0},
    "both spellings of the type": SMALL | {"dtype": "float16", "torch_dtype": "bfloat16"},
    "null key heads, null ids": SMALL | {"num_key_value_heads": None, "head_dim": None, "bos_token_id": None,
                                         "eos_token_id": None, "pad_token_id": 7},
    "mistral 0.1": {"model_type": "mistral", "hidden_size": 4096, "sliding_window": 4096, "rope_theta": 10000.0,
                    "max_position_embeddings": 32768, "torch_dtype": "bfloat16"},
    "mistral 0.2": {"model_type": "mistral", "hidden_size": 4096, "sliding_window": None, "rope_theta": 1000000.0,
                    "max_position_embeddings": 32768, "rms_norm_eps": 1e-05},
    "mistral, explicit head size": {"model_type": "mistral", "hidden_size": 5120, "head_dim": 128, "vocab_size": 131072,
                                    "num_key_value_heads": 8, "rope_theta": 1000000.0},
}


def eos_ids(config):
    ids = config.eos_token_id
    return [] if ids is None else ids if isinstance(ids, list) else [ids]


def golden(name, content):
    config = AutoConfig.for_model(**json.loads(json.dumps(content)))
    rotary = MistralRotaryEmbedding if config.model_type == "mistral" else LlamaRotaryEmbedding
    frequencies = rotary(config).inv_freq.tolist()
    fields = {
        "family": config.model_type, "vocab_size": config.vocab_size, "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size, "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads, "key_heads": config.num_key_value_heads, "head_size": config.head_dim,
        "max_positions": config.max_position_embeddings, "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_parameters["rope_theta"], "rope_type": config.rope_parameters["rope_type"],
        "sliding_window": getattr(config, "sliding_window", None) or 0, "initializer_range": config.initializer_range,
        "tie_word_embeddings": config.tie_word_embeddings, "bos_id": config.bos_token_id, "eos_ids": eos_ids(config),
        "pad_id": config.pad_token_id, "dtype": str(config.dtype or torch.float32).removeprefix("torch."),
    }
    return {"name": name, "config": content, "fields": fields, "inverse_frequencies": frequencies}


def main():
    cases = [golden(name, content) for name, content in CASES.items()]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (ROOT / "configs.json").write_text(f"[\n{lines}\n]\n")
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=12, num_hidden_layers=2,
                                         num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32))
    shutil.rmtree(ROOT / "sharded", ignore_errors=True)
    model.save_pretrained(ROOT / "sharded", max_shard_size="1KB")
    (ROOT / "sharded/generation_config.json").write_text('{"eos_token_id": [2, 5]}\n')


main()
