"""Renews requirements-lock.txt from requirements.txt: what is deployed, pinned by version and hash, for the runtime in Azure."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from local.stack import prepare  # noqa: E402 - the way to find packages is the same

RUNTIME = ["--python-version", "3.13", "--python-platform", "x86_64-manylinux_2_28"]


def main() -> int:
    command = [
        str(Path(prepare.BIN) / "uv"), "pip", "compile", "--quiet", "--upgrade", "--generate-hashes", *RUNTIME,
        "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make requirements-lock",
        "requirements.txt", "--output-file", "requirements-lock.txt",
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env=prepare._with_pip_settings(sys.executable), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
