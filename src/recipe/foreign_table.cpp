// The keys of other programs that lmpo has no options for: those of transformers and TRL, of the
// alignment handbook, of LLaMA-Factory and of axolotl.
#include <utility>

#include "recipe/foreign.h"

namespace lmpo {
namespace {

using enum ForeignFamily::Accepts;

constexpr std::string_view kAdapters =
    "lmpo trains every weight and has no adapters (LoRA) or quantized weights yet. To train all "
    "weights, remove these keys and set a learning rate for full training (about a hundredth of "
    "LoRA's); 'dtype: bfloat16' and 'optim: paged_adamw_8bit' take the least memory. To train only "
    "some weights, name the others with 'freeze'";
constexpr std::string_view kOtherFreezing =
    "lmpo trains every weight except those that 'freeze' names by patterns: "
    "['model.embed_tokens.*', 'model.layers.[0-7].*']";
constexpr std::string_view kAdamW =
    "the optimizer is AdamW; for less memory there are optim adamw_8bit, paged_adamw_32bit and "
    "paged_adamw_8bit";

// Adapters, quantized weights and other ways to train less than everything.
std::vector<ForeignFamily> adapters() {
  return {
      {.reason = kAdapters,
       .accepts = off,
       .names = R"(use_peft use_lora load_in_8bit load_in_4bit use_rslora use_dora adapter
                 finetuning_type quantization_bit gptq lora_model_dir adapter_name_or_path relora
                 peft_use_rslora peft_use_dora pissa_init use_unsloth unsloth qat fp8 use_kt
                 peft_config adapters)",
       .values = {"full"},
       .group = "adapters"},
      {.reason = "lmpo trains every weight: there are no adapters",
       .names = R"(lora_* lora bnb_* use_bnb_nested_quant model_adapter_name ref_adapter_name peft
                 peft_* relora_* loraplus_* pissa_* oft_* double_quantization quantization_*
                 create_new_adapter additional_target gptq_* quantize_* nvfp4_* fp8_* kt_*
                 qalora_* loftq_* merge_lora vera_* adapter_*)",
       .group = "adapters"},
      {.reason = kOtherFreezing,
       .accepts = off,
       .names = R"(unfrozen_parameters freeze_language_model use_llama_pro lisa_n_layers
                 mixture_of_depths use_badam spectrum_top_fraction reinit_weights use_onebitllms
                 llmcompressor)"},
      {.reason = kOtherFreezing, .names = "freeze_* badam_* lisa_* spectrum_*"},
      {.reason = kAdamW,
       .accepts = off,
       .names = "adafactor use_galore use_apollo use_adam_mini use_muon"},
      {.reason = kAdamW,
       .names = R"(optim_args optim_target_modules galore_* apollo_* muon_* adam_beta3
                 adam_epsilon2 optimizer_cls_and_kwargs)"},
  };
}

// What is recorded, and where it goes.
std::vector<ForeignFamily> records() {
  return {
      {.reason = "nothing is uploaded",
       .names = "push_to_hub* hub_* tags use_auth_token hf_use_auth_token push_dataset_to_hub"},
      {.reason = "metrics are written to files in output_dir",
       .names = R"(run_name logging_first_step logging_nan_inf_filter log_on_each_node
                 log_level_replica include_num_input_tokens_seen include_tokens_per_second
                 include_for_metrics include_inputs_for_metrics prediction_loss_only project
                 trackio_* wandb_* use_wandb mlflow_* use_mlflow comet_* use_comet swanlab_*
                 use_swanlab use_tensorboard use_otel_metrics otel_* plot_loss ray_run_name
                 include_mfu include_effective_tokens_per_second profiler_steps save_first_step
                 log_completions num_completions_to_print log_entropy)"},
      {.reason = "metrics are logged by steps",
       .accepts = off,
       .names = "logging_strategy",
       .values = {"steps"}},
      {.reason = "every checkpoint is kept as it is",
       .accepts = off,
       .names = "save_only_model save_on_each_node"},
      {.reason = "a run resumes bit for bit from any checkpoint",
       .names = R"(enable_jit_checkpoint restore_callback_states_from_checkpoint
                 auto_resume_from_checkpoints)"},
      {.reason = "weights are saved as safetensors", .accepts = on, .names = "save_safetensors"},
      {.reason = "evaluation follows eval_strategy",
       .accepts = off,
       .names = R"(eval_delay batch_eval_metrics eval_do_concat_batches eval_causal_lm_metrics
                 do_causal_lm_eval do_bench_eval)"},
      {.reason = "eval_samples says how many answers an evaluation generates",
       .names = "generate_during_eval eval_table_size eval_max_new_tokens"},
      {.reason = "lmpo generate writes answers",
       .accepts = off,
       .names = "predict_with_generate do_predict"},
      {.reason = "the command and the data decide what is done",
       .names = "do_train do_eval full_finetune compute_accuracy strict"},
  };
}

// How the work is done, which is this program's business.
std::vector<ForeignFamily> machinery() {
  return {
      {.reason = "lmpo has its own kernels; this setting is ignored",
       .names = R"(attn_implementation use_flash_attention_2 flash_attention flash_attn*
                 flash_optimum xformers_attention sdp_attention eager_attention flex_attention
                 flex_attn_* sage_attention use_liger_kernel use_liger liger_*
                 enable_liger_kernel cut_cross_entropy unsloth_* use_unsloth_gc use_v1_kernels
                 use_kernels fused_attn_kernel gradient_checkpointing_kwargs
                 activation_checkpointing_kwargs disable_gradient_checkpointing use_reentrant_gc
                 activation_offloading torch_compile torch_compile_* tf32 bf16_full_eval
                 fp16_full_eval half_precision_backend fp16_opt_level fp16_backend jit_mode_eval
                 use_cache use_reentrant padding_free packing neat_packing pad_to_multiple_of
                 sample_packing sample_packing_* eval_sample_packing pad_to_sequence_len
                 max_packed_sequence_len multipack_* total_num_tokens eval_accumulation_steps
                 torch_empty_cache_steps torchdynamo use_ipex use_logits_to_keep
                 use_num_logits_to_keep packing_strategy eval_packing num_of_sequences
                 chars_per_token auto_find_batch_size upcast_layernorm upcast_lmhead_output
                 low_cpu_mem_usage plugins tiled_mlp* loss_watchdog_* gc_steps bf16_eval
                 bias_activation_fusion apply_rope_fusion use_packed_sequences
                 pretrain_multipack_attn use_dsv4_kernels use_glm_dsa_kernels gemma4_* dsv4_*
                 is_llama_derived_model is_mistral_derived_model is_falcon_derived_model
                 is_qwen_derived_model)"},
      {.reason = "lmpo is one process and chooses its device by 'device'",
       .names = R"(local_rank no_cuda use_cpu use_mps_device xpu_backend tpu_* mp_parameters ray_*
                 use_ray debug ddp ddp_* eval_use_gather_object ignore_bias_buffers deepspeed
                 ds3_gather_for_generation fsdp fsdp_* accelerator_config parallelism_config
                 split_batches dispatch_batches average_tokens_across_devices full_determinism
                 skip_memory_metrics device_map max_memory_MB gpu_memory_limit dp_shard_size
                 dp_replicate_size tensor_parallel_size context_parallel_size sequence_parallel_*
                 heads_k_stride ring_attn_func torchdistx_path tensor_model_parallel_size
                 pipeline_model_parallel_size expert_model_parallel_size sequence_parallel
                 use_distributed_optimizer overlap_* mixed_precision recompute_granularity
                 export_hf_on_finish experimental_skip_move_to_device dataset_processes)"},
  };
}

// Data and the text made of it.
std::vector<ForeignFamily> data() {
  return {
      {.reason = "lmpo reads and caches data its own way",
       .names = R"(remove_unused_columns preprocessing_* dataset_num_proc dataloader_num_workers
                 dataloader_pin_memory dataloader_persistent_workers dataloader_prefetch_factor
                 dataloader_multiprocessing_context dataloader_in_order dataset_kwargs
                 dataset_text_field text_column dataset_batch_size label_pad_token_id
                 padding_value pad_token label_names overwrite_cache length_column_name
                 dataset_prepared_path skip_prepare_dataset tokenized_path
                 data_shared_file_system ignore_pad_token_for_loss dataset_shard_*
                 dataset_keep_in_memory shuffle_merged_datasets excess_length_strategy
                 min_sample_len media_dir image_* video_* audio_* processor_type crop_to_patches
                 use_fast_image_processor)"},
      {.reason = "train_sampling_strategy sets the order of the data", .names = "shuffle_dataset"},
      {.reason = "boundary decides which special tokens are added", .names = "add_special_tokens"},
      {.reason = "truncation_mode says which end is cut", .names = "truncation_side"},
      {.reason = "every dataset has its own: write datasets: [{path: ..., config: ...}, ...]",
       .names = "dataset_configs"},
      {.reason = "data is read from files, a piece at a time",
       .names = "dataset_streaming streaming streaming_* buffer_size"},
      {.reason = "datasets are read one after the other; 'weight' of a source says how much of it",
       .accepts = off,
       .names = "mix_strategy interleave_probs",
       .values = {"concat"}},
      {.reason = "duplicate rows are kept; lmpo validate counts them",
       .accepts = off,
       .names = "dataset_exact_deduplication"},
      {.reason = "batches are drawn at random",
       .accepts = off,
       .names = "group_by_length ignore_data_skip curriculum_sampling"},
      {.reason = "lengths are set by max_length and max_prompt_length",
       .names = "max_target_length max_completion_length cutoff_len_*"},
      {.reason = "the model's own chat template is used; give another by chat_template_path",
       .names = "template default_system use_chat_template"},
      {.reason = "write chat_template_kwargs: {enable_thinking: false}, or true",
       .accepts = on,
       .names = "enable_thinking"},
      {.reason = "the chat template itself ends the turns", .names = "eot_tokens efficient_eos"},
      {.reason = "lmpo does not add tokens to a vocabulary",
       .accepts = off,
       .names = R"(resize_vocab add_tokens new_special_tokens new_special_tokens_config
                 added_tokens_overrides tokens)"},
      {.reason = "special tokens are those of the model's tokenizer", .names = "special_tokens"},
      {.reason = "sft_on says what is scored: response, conversation, assistant or marked",
       .accepts = on,
       .names = "completion_only_loss assistant_only_loss"},
      {.reason = "sft_on response scores a conversation's last answer, sft_on assistant all of its "
                 "answers, sft_on conversation everything",
       .names = "roles_to_train train_on_eos"},
  };
}

// The model and what of it is trained.
std::vector<ForeignFamily> model() {
  return {
      {.reason = "the model is a local folder, with its own settings",
       .names = R"(model_revision base_model_revision model_code_revision revision_of_model
                 trust_remote_code trust_remote_code_* model_init_kwargs tokenizer_name_or_path
                 use_fast_tokenizer token hf_hub_token ms_hub_token om_hub_token
                 base_model_attribute_name model_type tokenizer_type tokenizer_use_fast
                 tokenizer_legacy tokenizer_config tokenizer_use_mistral_common base_model_config
                 base_model_ignore_patterns cls_model_config cache_dir use_hf_hub
                 use_modelscope_hub print_param_status type_of_model ref_model_revision)"},
      {.reason = "the model's own settings hold; change its config.json instead",
       .accepts = off,
       .names = R"(rope_scaling overrides_of_model_config overrides_of_model_kwargs model_config
                 shift_attn resize_token_embeddings_to_32x)"},
      {.reason = "the tokenizer's own end-of-sequence token is used",
       .accepts = off,
       .names = "eos_token"},
      {.reason = "mixture-of-experts models are not supported",
       .names = R"(router_aux_loss_coef moe_* use_scattermoe use_sonicmoe experts_*
                 expert_parallel_* output_router_logits)"},
      {.reason = "lmpo has no dropout", .names = "disable_dropout"},
      {.reason = "only decoder models are supported",
       .accepts = off,
       .names = "is_encoder_decoder"},
  };
}

// The schedule, the loss and the reference.
std::vector<ForeignFamily> loss() {
  return {
      {.reason = "schedules have no parameters except the warm-up",
       .accepts = off,
       .names = R"(lr_scheduler_kwargs cosine_min_lr_ratio cosine_constant_lr_ratio eta_min
                 lr_quadratic_warmup jagged_restart_steps jagged_restart_warmup_steps
                 jagged_restart_anneal_steps lr_groups loraplus_lr_embedding embedding_lr
                 embedding_lr_scale)"},
      {.reason = "no noise is added to embeddings",
       .accepts = off,
       .names = "neftune_noise_alpha noisy_embedding_alpha"},
      {.reason = "use label_smoothing for the labels of pairs",
       .accepts = off,
       .names = "label_smoothing_factor"},
      {.reason = "the loss has no further terms",
       .accepts = off,
       .names =
           R"(loss_weights ld_alpha dpo_norm_loss dpo_use_weighting dpo_label_smoothing_factor)",
       .values = {"1", "1.0"}},
      {.reason = "the loss has no further terms",
       .accepts = off,
       .names = R"(use_weighting reference_free pref_bco_weight use_dft_loss use_asft_loss
                 use_eaft_loss use_eaft dft_loss)"},
      {.reason = "their losses are not supported",
       .names = "asft_alpha eaft_alpha eaft_k f_alpha_divergence_coef discopop_tau"},
      {.reason = "AlphaPO is not supported: rewards are log-probabilities",
       .accepts = off,
       .names = "alpha"},
      {.reason = "the divergence is the reverse KL",
       .accepts = off,
       .names = "f_divergence_type",
       .values = {"reverse_kl", "FDivergenceType.REVERSE_KL"}},
      {.reason = "the reference is always computed once, before training",
       .names = R"(precompute_ref_log_probs precompute_ref_batch_size ref_model_init_kwargs
                 force_use_ref_model precompute_ref_eval_batch_size)"},
      {.reason = "the reference model is ref_model_name_or_path, without adapters",
       .accepts = off,
       .names = "ref_model_adapters ref_model_quantization_bit"},
      {.reason = "the reference model does not change", .accepts = off, .names = "sync_ref_model"},
      {.reason = "the reference model does not change",
       .names = "ref_model_mixup_alpha ref_model_sync_steps"},
      {.reason =
           "reinforcement learning and training of reward models are not supported; lmpo help "
           "objectives lists what is",
       .accepts = off,
       .names = R"(reward_model reward_model_path process_reward_model num_labels
                 center_rewards_coefficient trl vllm ebft ppo_* reward_funcs num_generations
                 diffusion pretraining_dataset)"},
      {.reason = "supported stages are sft, dpo (pairs: dpo, simpo, orpo, ...) and kto",
       .accepts = off,
       .names = "stage",
       .values = {"sft", "dpo", "kto"}},
  };
}

}  // namespace

std::span<const ForeignFamily> foreign_families() {
  static const std::vector<ForeignFamily> all = [] {
    std::vector<ForeignFamily> joined;
    for (auto* part : {adapters, records, machinery, data, model, loss}) {
      for (ForeignFamily& family : part()) {
        joined.push_back(std::move(family));
      }
    }
    return joined;
  }();
  return all;
}

}  // namespace lmpo
