"""Sessions of onnxruntime for one text at a time, in processes that share a machine's cores."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]


def session_of(model: Path) -> "InferenceSession":
    """Load a graph.

    Raises:
        Exception: it cannot be run; the package has no class of errors that is its own and public.
    """
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The arena keeps the largest run's memory for good; without it a run is not measurably slower.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    # By path, not as bytes: the session would keep those beside its own copy (27 MB of the built-in model).
    return InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
