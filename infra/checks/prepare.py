"""Installs what `make infra` judges with, apart from what `make test` needs: checkov in .build/infra, the npm packages beside this file.

Each step is skipped when its stamp shows that the same was done from the same inputs. It uses the standard library only.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from local.stack import prepare  # noqa: E402 - the way to find packages is the same
from tests.infra.tools import BICEP_MISSING, find_bicep  # noqa: E402


def main() -> int:
    environment = ROOT / ".build" / "infra" / "venv"
    python = environment / "bin" / "python"
    requirements = HERE / "requirements.txt"

    def install_checkov() -> None:
        _run(sys.executable, "-m", "venv", "--clear", str(environment))
        uv = Path(prepare.BIN) / "uv"
        by_uv = [str(uv), "pip", "install", "--quiet", "--python", str(python), "-r", str(requirements)]
        if not uv.exists() or subprocess.run(by_uv, env=prepare._with_pip_settings(str(python)), check=False).returncode:
            _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements))

    def install_npm_packages() -> None:
        path = prepare.BIN + os.pathsep + os.environ.get("PATH", "")
        command = [str(Path(prepare.BIN) / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=HERE, env={**os.environ, "PATH": path}, check=True, stdout=subprocess.DEVNULL)

    _once(environment / ".prepared", [requirements], "checkov", install_checkov)
    _once(HERE / "node_modules" / ".prepared", [HERE / "package.json", HERE / "package-lock.json"], "npm packages", install_npm_packages)
    if find_bicep() is None:
        print(f"infra: {BICEP_MISSING}", file=sys.stderr)
        return 1
    return 0


def _once(stamp: Path, inputs: list[Path], what: str, install: Callable[[], None]) -> None:
    digest = prepare._digest([str(path) for path in inputs])
    if prepare._read(str(stamp)) == digest:
        return
    print(f"infra: installing {what} (half a minute)", file=sys.stderr)
    install()
    stamp.write_text(digest)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
