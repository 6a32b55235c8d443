"""A GPU that is not there: memory of the CPU, marked as the device's, on which mixing raises as it does on a real one.

Every storage carries its mark, so that views, `.data` and saved tensors share it. `_Devices` answers what the Python
interface says of devices (`.to`, `device=`, `.numpy()`); below autograd `_Mixing` looks at each operation, those of the
backward pass too. Half precision and the GradScaler are torch's own, on the CPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from accelerate.state import AcceleratorState, GradientState
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

CPU = torch.device("cpu")
ACROSS = {"copy_", "_copy_from", "set_"}  # operations that take tensors of two devices
INDEXED = {"index", "index_put_", "index_put", "_unsafe_index", "_index_put_impl_"}  # on a GPU, with indices of the CPU
STRICT = {"cat", "stack", "_foreach_norm"}  # here not even a number may be elsewhere


def tensors_in(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, torch.Tensor)]


def on_gpu(tensor: torch.Tensor) -> bool:
    return getattr(tensor.untyped_storage(), "pretended", False)


def mark(tensor: torch.Tensor, there: bool = True) -> torch.Tensor:
    tensor.untyped_storage().pretended = there
    return tensor


class _Mixing(TorchDispatchMode):
    "Refuses operations on tensors of two devices, and marks what comes out of those on the GPU."

    def __init__(self, gpu: torch.device):
        super().__init__()
        self.gpu = gpu

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        given = tensors_in((args, kwargs))
        there = [on_gpu(tensor) for tensor in given]
        if any(there) and not all(there) and name not in ACROSS:
            strangers = [tensor for tensor, gpu in zip(given, there, strict=True) if not gpu]
            written = name.endswith("_") and not name.startswith("_") and not there[0]
            if name in INDEXED and there[0]:
                strangers = []
            if written or any(tensor.dim() or name in STRICT for tensor in strangers):
                raise RuntimeError(
                    f"Expected all tensors to be on the same device, but got {self.gpu} and cpu in {func}: "
                    + ", ".join(
                        f"{tuple(t.shape)} {self.gpu if gpu else 'cpu'}" for t, gpu in zip(given, there, strict=True)
                    )
                )
        result = func(*args, **kwargs)
        if any(there) and name not in ACROSS:
            for tensor in tensors_in(result):
                if self.gpu.type == "mps" and tensor.dtype == torch.float64:
                    raise TypeError(f"The MPS framework doesn't support float64: {func}")
                mark(tensor)
        return result


def _is_gpu(device: Any) -> bool:
    return device is not None and (device == 0 or torch.device(device).type in ("cuda", "mps"))


def _moved(tensor: torch.Tensor, device: Any, **options: Any) -> torch.Tensor:
    there = on_gpu(tensor)
    if device is not None and torch.device(device).type == "meta" or tensor.is_meta:
        with torch._C.DisableTorchFunction():
            return tensor.to(device=device, **options)
    wanted = there if device is None else _is_gpu(device)
    copy = options.pop("copy", False) or wanted != there
    with torch._C.DisableTorchFunction():
        result = tensor.to(copy=copy, **options)
    return mark(result, wanted) if result is not tensor else result


class _Devices(TorchFunctionMode):
    "Answers questions about devices, moves tensors, and makes new ones where they are asked for."

    def __init__(self, gpu: torch.device):
        super().__init__()
        self.gpu = gpu

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        first = args[0] if args and isinstance(args[0], torch.Tensor) else None
        name = getattr(func, "__name__", "")
        if name == "__get__" and first is not None:
            with torch._C.DisableTorchFunction():
                there, which = on_gpu(first), getattr(func.__self__, "__name__", "")
                if there and which in ("device", "is_cuda", "is_cpu"):
                    return {"device": self.gpu, "is_cuda": self.gpu.type == "cuda", "is_cpu": False}[which]
                result = func(*args, **kwargs)
                if which in ("grad", "_grad") and there and result is not None:
                    mark(result)
                return result
        if name == "to" and first is not None:
            if len(args) > 1 and isinstance(args[1], torch.Tensor):
                return _moved(first, args[1].device, dtype=args[1].dtype)
            copy = kwargs.pop("copy", False)
            device, dtype, _, layout = torch._C._nn._parse_to(*args[1:], **kwargs)
            options = {"dtype": dtype or first.dtype, "copy": copy}
            return _moved(first, device, **options, **({"memory_format": layout} if layout else {}))
        if name in ("cpu", "cuda") and first is not None:
            return _moved(first, name, dtype=first.dtype)
        if name == "pin_memory":
            return first
        if name in ("numpy", "__array__") and on_gpu(first):
            raise TypeError(f"can't convert {self.gpu} device type tensor to numpy. Use Tensor.cpu() to copy it first.")
        if name == "scaled_dot_product_attention" and on_gpu(first) and kwargs.get("is_causal"):
            # Up to torch 2.6 it makes the mask itself, below Python, where nobody hears of this GPU.
            seen = torch.ones(first.shape[-2], args[1].shape[-2], dtype=torch.bool).tril()
            kwargs |= {"is_causal": False, "attn_mask": mark(seen)}
        there = None
        if kwargs.get("device") is not None and _is_gpu(kwargs["device"]):
            there, kwargs["device"] = True, CPU
        elif kwargs.get("device") is not None and torch.device(kwargs["device"]) == CPU:
            there = False
        elif name == "new_tensor":
            there = on_gpu(first)
        result = func(*args, **kwargs)
        if there is not None and isinstance(result, torch.Tensor):
            mark(result, there)
        return result


def _named(device: str) -> str:
    return "cpu" if torch.device(device).type in ("cuda", "mps") else device


def _forget_the_device() -> None:
    "What Accelerate remembers of the machine."
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


@contextmanager
def pretended_gpu(kind: str = "cuda") -> Iterator[None]:
    "Inside, torch and Accelerate find a GPU without bfloat16, such as Colab's T4; or mps, an Apple chip's without float64."
    gpu = torch.device(kind, 0)
    autocast, enabled, dtype = torch.autocast, torch.is_autocast_enabled, torch.get_autocast_dtype

    class Autocast(autocast):
        def __init__(self, device_type: str, *args: Any, **kwargs: Any):
            super().__init__(_named(device_type), *args, **kwargs)

    answers = {
        "is_available": kind == "cuda",
        "device_count": int(kind == "cuda"),
        "current_device": 0,
        "get_rng_state": torch.get_rng_state(),
        "set_rng_state": None,
        "is_bf16_supported": False,
        "get_device_name": "Pretended",
        "get_device_capability": (7, 5),
        "get_device_properties": SimpleNamespace(name="Pretended", total_memory=16 * 10**9, major=7, minor=5),
        "set_device": None,
        "device": nullcontext(),  # a context: pipelines enter it
        "synchronize": None,
        "empty_cache": None,
        "is_current_stream_capturing": False,
    }
    patches = [
        mock.patch(f"torch.cuda.{name}", lambda *_, _answer=answer, **__: _answer) for name, answer in answers.items()
    ]
    patches += [
        mock.patch("torch.accelerator.is_available", return_value=True),
        # Optimizers ask it in a build of torch for CUDA.
        mock.patch("torch.accelerator.current_stream", return_value=SimpleNamespace(is_capturing=lambda: False)),
        # torch's compiler looks for what is wrapped in it.
        mock.patch("torch.backends.mps.is_available", wraps(torch.backends.mps.is_available)(lambda: kind == "mps")),
        mock.patch("torch.backends.mps.is_built", return_value=kind == "mps"),
        mock.patch("torch.autocast", Autocast),
        mock.patch("torch.amp.autocast", Autocast),
        mock.patch("torch.is_autocast_enabled", lambda device="cuda": enabled(_named(device))),
        mock.patch("torch.get_autocast_dtype", lambda device: dtype(_named(device))),
    ]
    for patch in patches:
        patch.start()
    _forget_the_device()
    try:
        with _Mixing(gpu), _Devices(gpu):
            yield
    finally:
        _forget_the_device()
        for patch in reversed(patches):
            patch.stop()
