"LoRA on small models, with random numbers in both of its matrices, so that it changes what they say."

import warnings

import peft
import torch

TARGETS = {"bert": ["query", "value"], "gpt2": ["c_attn"], "t5": ["q", "v"], "marian": ["q_proj", "v_proj"]}
TARGETS |= {"distilbert": ["q_lin", "v_lin"]}
TASKS = {"sequence-classification": "SEQ_CLS", "masked-lm": None, "question-answering": "QUESTION_ANS"}
TASKS |= {"seq2seq": "SEQ_2_SEQ_LM", "causal-lm": "CAUSAL_LM"}
KINDS = [("bert", "sequence-classification"), ("distilbert", "sequence-classification"), ("bert", "masked-lm")]
KINDS += [("bert", "question-answering"), ("gpt2", "causal-lm"), ("t5", "seq2seq"), ("marian", "seq2seq")]


def adapted(
    model: torch.nn.Module, kind: str = "bert", task: str = "sequence-classification", random: bool = True, **options
) -> peft.PeftModel:
    "The model with LoRA, in evaluation mode; with the zeros of its start if not `random`."
    name = options.pop("adapter_name", "default")
    config = peft.LoraConfig(**{"r": 2, "target_modules": TARGETS[kind], "task_type": TASKS[task]} | options)
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what GPT-2 calls a matrix is one on its side
        torch.manual_seed(1)
        model = peft.get_peft_model(model, config, adapter_name=name)
        for weight in model.parameters():
            if weight.requires_grad and random:
                torch.nn.init.normal_(weight, std=0.1)
    return model.eval()
