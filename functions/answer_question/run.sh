#!/bin/sh
# Started by the Lambda Web Adapter in place of Lambda's Python runtime, which is why the path is set here.
# The server never closes an idle connection first: a thawed environment would lose the request that is under way.
set -eu
cd "${LAMBDA_TASK_ROOT:-/var/task}"
export PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}/opt/python:${LAMBDA_RUNTIME_DIR:-/var/runtime}"
exec python -m uvicorn handler:app \
    --host 127.0.0.1 --port "${AWS_LWA_PORT:-8080}" --workers 1 \
    --loop asyncio --http h11 --ws none --lifespan off --interface asgi3 \
    --no-access-log --no-server-header --log-level warning \
    --timeout-keep-alive 3600 --timeout-graceful-shutdown 1
