"""Golden values for src/model/config_test.cpp: how transformers reads config.json files.

    tools/oracle/setup && build/oracle/bin/python tools/oracle/config_golden.py

    src/model/testdata/configs.json   a list of {name, config, fields, tables}: what a configuration says, and for each layer type
                                      its rotary table {short: {inverse, factor}}, with long beside short where it differs
    src/model/testdata/tensors.json   {name of make_families.py: the tensors of that model in transformers' order, layers above 0 left
                                      out [[name, shape, name in GGUF]]}
    src/model/testdata/sharded/       a tiny Llama saved with max_shard_size 1KB
"""
import json
import pathlib
import shutil
import tempfile

import gguf
import torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

import make_families

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata"
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
LLAMA_8B = {"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
            "vocab_size": 128256, "intermediate_size": 14336, "max_position_embeddings": 8192, "rms_norm_eps": 1e-05}
SMALL = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
YARN = {"factor": 4.0, "original_max_position_embeddings": 32768}
GGUF_ARCHITECTURES = {"mistral": gguf.MODEL_ARCH.LLAMA, "ministral3": gguf.MODEL_ARCH.MISTRAL3, "gemma3_text": gguf.MODEL_ARCH.GEMMA3,
                      "olmo3": gguf.MODEL_ARCH.OLMO2}
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
    "another activation": SMALL | {"hidden_act": "gelu_pytorch_tanh"},
    "dynamic": SMALL | {"rope_scaling": {"type": "dynamic", "factor": 1.7}, "max_position_embeddings": 4096},
    "yarn": SMALL | {"rope_scaling": {"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 2048}},
    "yarn with betas": SMALL | {"head_dim": 32, "rope_parameters": YARN | {"rope_type": "yarn", "beta_fast": 24.0, "beta_slow": 2.5,
                                                                           "rope_theta": 10000.0, "truncate": False}},
    "yarn with an attention factor": SMALL | {"rope_parameters": YARN | {"rope_type": "yarn", "attention_factor": 1.25,
                                                                         "rope_theta": 1000.0}},
    "yarn with scales": SMALL | {"rope_parameters": YARN | {"rope_type": "yarn", "mscale": 0.707, "mscale_all_dim": 1.2,
                                                            "rope_theta": 10000.0}},
    "yarn whose ramp is a point": SMALL | {"rope_parameters": YARN | {"rope_type": "yarn", "rope_theta": 10000.0,
                                                                      "original_max_position_embeddings": 4}},
    "longrope of llama": SMALL | {"max_position_embeddings": 16384, "rope_parameters": make_families.longrope(16, 512)},
    "mistral 0.1": {"model_type": "mistral", "hidden_size": 4096, "sliding_window": 4096, "rope_theta": 10000.0,
                    "max_position_embeddings": 32768, "torch_dtype": "bfloat16"},
    "mistral 0.2": {"model_type": "mistral", "hidden_size": 4096, "sliding_window": None, "rope_theta": 1000000.0,
                    "max_position_embeddings": 32768, "rms_norm_eps": 1e-05},
    "mistral, explicit head size": {"model_type": "mistral", "hidden_size": 5120, "head_dim": 128, "vocab_size": 131072,
                                    "num_key_value_heads": 8, "rope_theta": 1000000.0},
    "ministral3 defaults": {"model_type": "ministral3"},
    "qwen2 defaults": {"model_type": "qwen2"},
    "qwen2.5 7B": {"model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
                   "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 32768,
                   "max_window_layers": 28, "rope_theta": 1000000.0, "sliding_window": 131072, "use_sliding_window": False,
                   "bos_token_id": 151643, "eos_token_id": 151645, "rms_norm_eps": 1e-06, "torch_dtype": "bfloat16",
                   "use_mrope": False, "tie_word_embeddings": False, "attention_dropout": 0.0},
    "qwen2 with upper windows and yarn": {"model_type": "qwen2", "num_hidden_layers": 6, "use_sliding_window": True,
                                          "sliding_window": 512, "max_window_layers": 4, "rope_theta": 1000000.0,
                                          "rope_scaling": YARN | {"type": "yarn"}},
    "qwen2 with a null window": {"model_type": "qwen2", "num_hidden_layers": 3, "use_sliding_window": True, "sliding_window": None,
                                 "max_window_layers": 0},
    "qwen3 defaults": {"model_type": "qwen3"},
    "qwen3 0.6B": {"model_type": "qwen3", "attention_bias": False, "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128,
                   "hidden_size": 1024, "intermediate_size": 3072, "max_position_embeddings": 40960, "max_window_layers": 28,
                   "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
                   "rope_scaling": None, "rope_theta": 1000000, "sliding_window": None, "tie_word_embeddings": True,
                   "torch_dtype": "bfloat16", "use_sliding_window": False, "vocab_size": 151936},
    "gemma defaults": {"model_type": "gemma"},
    "gemma 2B, first release": {"model_type": "gemma", "hidden_size": 2048, "hidden_act": "gelu", "hidden_activation": None,
                                "intermediate_size": 16384, "num_attention_heads": 8, "num_hidden_layers": 18,
                                "num_key_value_heads": 1, "head_dim": 256, "rope_scaling": None, "rope_theta": 10000.0},
    "gemma2 defaults": {"model_type": "gemma2"},
    "gemma2 9B": {"model_type": "gemma2", "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "head_dim": 256,
                  "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 3584,
                  "intermediate_size": 14336, "num_attention_heads": 16, "num_hidden_layers": 42, "num_key_value_heads": 8,
                  "query_pre_attn_scalar": 256, "sliding_window": 4096, "sliding_window_size": 4096, "cache_implementation": "hybrid",
                  "max_position_embeddings": 8192, "eos_token_id": 1, "bos_token_id": 2, "pad_token_id": 0},
    "gemma3_text defaults": {"model_type": "gemma3_text"},
    "gemma3 270M, transformers 4": {"model_type": "gemma3_text", "_sliding_window_pattern": 6, "attention_bias": False,
                                    "attn_logit_softcapping": None, "eos_token_id": 1, "final_logit_softcapping": None, "head_dim": 256,
                                    "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 640, "intermediate_size": 2048,
                                    "max_position_embeddings": 32768, "num_attention_heads": 4, "num_hidden_layers": 18,
                                    "num_key_value_heads": 1, "query_pre_attn_scalar": 256, "rope_local_base_freq": 10000.0,
                                    "rope_scaling": None, "rope_theta": 1000000.0, "sliding_window": 512, "vocab_size": 262144,
                                    "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 3},
    "gemma3, linear and another local base": {"model_type": "gemma3_text", "num_hidden_layers": 8, "sliding_window_pattern": 3,
                                              "rope_local_base_freq": 5000.0, "rope_theta": 250000.0,
                                              "rope_scaling": {"factor": 8.0, "rope_type": "linear"}},
    "gemma3, tables by layer type": {"model_type": "gemma3_text", "num_hidden_layers": 4, "rope_parameters": {
        "sliding_attention": {"rope_type": "linear", "rope_theta": 3000.0, "factor": 2.0},
        "full_attention": YARN | {"rope_type": "yarn", "rope_theta": 70000.0, "truncate": False}}},
    "phi3 defaults": {"model_type": "phi3"},
    "phi3 128k": {"model_type": "phi3", "hidden_size": 384, "num_attention_heads": 4, "max_position_embeddings": 131072,
                      "original_max_position_embeddings": 4096, "sliding_window": 262144, "rope_theta": 10000.0,
                      "rope_scaling": {k: v for k, v in make_families.longrope(96, 0).items() if k.endswith("_factor")} | {"type": "longrope"}},
    "phi4 mini": {"model_type": "phi3", "hidden_size": 3072, "num_attention_heads": 24, "num_key_value_heads": 8,
                  "partial_rotary_factor": 0.75, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
                  "rope_theta": 10000.0, "tie_word_embeddings": True, "vocab_size": 200064, "sliding_window": 262144,
                  "rope_scaling": {k: v for k, v in make_families.longrope(96, 0).items() if k.endswith("_factor")} | {"type": "longrope"}},
    "phi3 with a factor": {"model_type": "phi3", "hidden_size": 64, "num_attention_heads": 4, "original_max_position_embeddings": 64,
                           "rope_parameters": make_families.longrope(16, 64) | {"factor": 5.0}},
    "olmo2 defaults": {"model_type": "olmo2"},
    "olmo2 7B": {"model_type": "olmo2", "attention_bias": False, "eos_token_id": 100257, "pad_token_id": 100277, "vocab_size": 100352,
                 "max_position_embeddings": 4096, "rms_norm_eps": 1e-06, "rope_scaling": None, "rope_theta": 500000},
    "olmo3 defaults": {"model_type": "olmo3"},
    "olmo3, yarn, transformers 4": {"model_type": "olmo3", "num_hidden_layers": 8, "rope_theta": 500000, "rope_scaling": {
        "rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192, "attention_factor": 1.2079441541679836,
        "beta_fast": 32.0, "beta_slow": 1.0}, "max_position_embeddings": 65536},
    "olmo3, another base": {"model_type": "olmo3", "num_hidden_layers": 4, "rope_theta": 20000.0},
    "smollm3 defaults": {"model_type": "smollm3"},
    "smollm3 3B": {"model_type": "smollm3", "no_rope_layers": [1, 1, 1, 0] * 9, "no_rope_layer_interval": 4, "rope_theta": 5000000.0,
                   "use_sliding_window": False, "sliding_window": None, "attention_bias": False, "max_window_layers": 28,
                   "layer_types": ["full_attention"] * 36, "pretraining_tp": 2, "torch_dtype": "bfloat16"},
    "smollm3 with windows": {"model_type": "smollm3", "num_hidden_layers": 6, "use_sliding_window": True, "sliding_window": 64,
                             "no_rope_layer_interval": 3, "mlp_bias": True},
    "granite defaults": {"model_type": "granite"},
    "granite 3.3 2B": {"model_type": "granite", "attention_multiplier": 0.015625, "embedding_multiplier": 12.0, "logits_scaling": 8.0,
                       "residual_multiplier": 0.22, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 40,
                       "num_key_value_heads": 8, "rope_theta": 10000000.0, "max_position_embeddings": 131072, "rms_norm_eps": 1e-05,
                       "tie_word_embeddings": True, "vocab_size": 49159, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0},
    "gemma3, multimodal": {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"], "eos_token_id": [1, 106],
                           "torch_dtype": "bfloat16", "mm_tokens_per_image": 256, "vision_config": {"model_type": "siglip_vision_model"},
                           "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
                                           "num_hidden_layers": 34, "sliding_window": 1024,
                                           "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}},
    "mistral3, multimodal": {"model_type": "mistral3", "vision_config": {"model_type": "pixtral"}, "tie_word_embeddings": False,
                             "text_config": {"model_type": "ministral3", "num_hidden_layers": 26, "hidden_size": 3072}},
}


def eos_ids(config):
    ids = config.eos_token_id
    return [] if ids is None else ids if isinstance(ids, list) else [ids]


def is_flat(config):
    return "rope_type" in config.rope_parameters


def table(config, layer_type, length):
    parameters = config.rope_parameters if layer_type is None else config.rope_parameters[layer_type]
    if parameters["rope_type"] in ROPE_INIT_FUNCTIONS:
        nested = {} if layer_type is None else {"layer_type": layer_type}
        inverse, factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, None, seq_len=length, **nested)
    else:  # every model's compute_default_rope_parameters
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        size = int(size * parameters.get("partial_rotary_factor", 1.0))
        inverse, factor = 1.0 / (parameters["rope_theta"] ** (torch.arange(0, size, 2, dtype=torch.int64).float() / size)), 1.0
    return {"theta": parameters["rope_theta"], "kind": parameters["rope_type"], "inverse": [float(f"{value:.9g}") for value in inverse.tolist()],
            "factor": factor}


def tables(config):
    """A table for each layer type, of short sequences and of the longest."""
    types = [None] if is_flat(config) else ["full_attention", "sliding_attention"]
    return [{"short": table(config, kind, None)} | ({"long": table(config, kind, config.max_position_embeddings)} if is_longrope(config)
                                                    else {}) for kind in types]


def is_longrope(config):
    return config.rope_parameters.get("rope_type") == "longrope"


def windows(config):
    """Of each layer, 0 for none."""
    types = getattr(config, "layer_types", None)
    window = getattr(config, "sliding_window", None) or 0
    if types is None or config.model_type in ("mistral", "ministral3", "phi3"):
        return [window] * config.num_hidden_layers
    return [window if kind == "sliding_attention" else 0 for kind in types]


def rope_tables(config):
    """Which table each layer takes; None for no rotary embedding."""
    turns = getattr(config, "no_rope_layers", None) or [1] * config.num_hidden_layers
    types = config.layer_types if not is_flat(config) else ["full_attention"] * config.num_hidden_layers
    return [["full_attention", "sliding_attention"].index(kind) if turn else None for turn, kind in zip(turns, types)]


def attention_softcap(config):
    """Gemma3Attention reads the key and does not use it."""
    return getattr(config, "attn_logit_softcapping", None) or 0 if config.model_type == "gemma2" else 0


def attention_scale(config):
    if config.model_type == "granite":
        return config.attention_multiplier
    return getattr(config, "query_pre_attn_scalar", head_size(config)) ** -0.5


def head_size(config):
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def golden(name, content):
    outer = AutoConfig.for_model(**json.loads(json.dumps(content)))
    config = outer.get_text_config()
    family = config.model_type
    gemma = family.startswith("gemma")
    fields = {
        "family": family, "vocab_size": config.vocab_size, "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size, "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads, "key_heads": config.num_key_value_heads, "head_size": head_size(config),
        "max_positions": config.max_position_embeddings, "rms_norm_eps": config.rms_norm_eps,
        "windows": windows(config), "ropes": rope_tables(config), "initializer_range": config.initializer_range,
        "activation": getattr(config, "hidden_activation", None) or config.hidden_act,
        "qkv_bias": family == "qwen2" or getattr(config, "attention_bias", False),
        "output_bias": getattr(config, "attention_bias", False), "mlp_bias": getattr(config, "mlp_bias", False),
        "attention_scale": attention_scale(config), "attention_softcap": attention_softcap(config),
        "logit_softcap": getattr(config, "final_logit_softcapping", None) or 0,
        "embedding_scale": config.hidden_size ** 0.5 if gemma else getattr(config, "embedding_multiplier", 1),
        "residual_scale": getattr(config, "residual_multiplier", 1), "logit_scale": 1 / getattr(config, "logits_scaling", 1),
        "query_scale_beta": config.rope_parameters.get("llama_4_scaling_beta", 0),
        "query_scale_positions": config.rope_parameters["original_max_position_embeddings"] if family == "ministral3" else 0,
        "tie_word_embeddings": outer.tie_word_embeddings, "bos_id": config.bos_token_id,
        "eos_ids": content.get("eos_token_id", eos_ids(config)) if outer is not config else eos_ids(config),
        "pad_id": config.pad_token_id, "dtype": str(outer.dtype or torch.float32).removeprefix("torch."),
    }
    return {"name": name, "config": content, "fields": fields, "tables": tables(config)}


def model_tensors(name):
    """Of a model as transformers saves and opens it as a language model of its own, with llama.cpp's names."""
    model = make_families.make(name)
    if name in make_families.VISION:
        model = AutoModelForCausalLM.from_config(model.config.get_text_config())
    model.tie_weights()
    family = model.config.model_type
    names = gguf.get_tensor_name_map(GGUF_ARCHITECTURES.get(family) or gguf.MODEL_ARCH[family.upper()], 1)
    return [[key, list(value.shape), names.get_name(key, try_suffixes=(".weight", ".bias"))]
            for key, value in model.named_parameters() if "layers.0." in key or "layers." not in key]


def main():
    cases = [golden(name, content) for name, content in CASES.items()]
    with tempfile.TemporaryDirectory() as folder:  # as transformers writes them
        for name in make_families.VARIANTS:
            make_families.configuration(name).save_pretrained(folder)
            content = json.loads((pathlib.Path(folder) / "config.json").read_text())
            cases.append(golden(f"made: {name}", content))
    lines = ",\n".join(json.dumps(case) for case in cases)
    (ROOT / "configs.json").write_text(f"[\n{lines}\n]\n")
    tensors = {name: model_tensors(name) for name in make_families.VARIANTS}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(list_)}" for name, list_ in tensors.items())
    (ROOT / "tensors.json").write_text(f"{{\n{lines}\n}}\n")
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=16, hidden_size=8, intermediate_size=12, num_hidden_layers=2,
                                         num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32))
    shutil.rmtree(ROOT / "sharded", ignore_errors=True)
    model.save_pretrained(ROOT / "sharded", max_shard_size="1KB")
    (ROOT / "sharded/generation_config.json").write_text('{"eos_token_id": [2, 5]}\n')


main()
