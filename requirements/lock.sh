#!/bin/sh
# Re-locks every requirement file with hashes. Run by `make lock`; no index address is written.
set -eu
cd "$(dirname "$0")/.."
compile() { UV_NO_CONFIG=1 .venv/bin/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header "$@"; }
compile requirements/dev.in -o requirements/dev.txt
compile -c requirements/dev.txt requirements/local.in -o requirements/local.txt
compile -c requirements/dev.txt requirements/cloud.in -o requirements/cloud.txt
compile --no-deps requirements/models.in -o requirements/models.txt
compile requirements/uv.in -o requirements/uv.txt
compile -c requirements/dev.txt requirements/managed_runtime.in -o requirements/managed_runtime.txt
compile requirements/emulator.in -o requirements/emulator.txt
for layer in layers/*/; do
    compile -c requirements/dev.txt "${layer}requirements.in" -o "${layer}requirements.txt"
done
