"""The environment of each process: an allow-list, so that nothing of the user's own reaches a function."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.catalog import FunctionSpec
from infra.function_environment import MissingValueError, function_variables
from infra.local.errors import MissingVariableError
from infra.local.home import Home
from infra.local.stand_in_plan import REGION

ACCESS_KEY_ID = "chatsphere-local"
SECRET_ACCESS_KEY = "chatsphere-local"  # noqa: S105 - the stand-in checks no signature

# One small machine runs many functions: libraries must not each start a thread per core.
LIMITS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "MALLOC_ARENA_MAX": "2",
}


def process_environment(home: Home) -> dict[str, str]:
    """Return what every Python process of the run gets."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home.scratch),
        "TMPDIR": str(home.scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        **LIMITS,
    }


def lambda_variables(spec: FunctionSpec, folder: Path) -> dict[str, str]:
    """Return the variables that AWS Lambda sets for each function, and Powertools'."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": "handler.handler",
        "POWERTOOLS_SERVICE_NAME": spec.name,
        "POWERTOOLS_METRICS_DISABLED": "true",  # they would stand in the log, where nobody adds them up
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def function_environment(
    spec: FunctionSpec, *, folder: Path, python_path: Iterable[Path], home: Home, values: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a function's process, but for the address of its Runtime API.

    Raises:
        MissingVariableError: a required variable has no value.
    """
    try:
        declared = function_variables(spec, values)
    except MissingValueError as error:
        raise MissingVariableError(str(error)) from None
    return {
        **process_environment(home),
        **lambda_variables(spec, folder),
        "PYTHONPATH": os.pathsep.join(str(path) for path in python_path),
        **declared,
    }
