"""Brings a fresh clone to the point where everything else can run: the virtual environment, Node, Azurite.

It runs under whatever `python3` the machine has, so it uses the standard library only, imports nothing of ours and
keeps to syntax that an old Python can at least parse (to be able to say that it is too old). Each step is skipped
when its stamp shows that the same step was done from the same inputs.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
OLDEST = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST:
        return _fail(
            "Tandem needs Python %d.%d or newer; this is %s (%s). Name a newer one: make PYTHON=/path/to/python3.13 ..."
            % (OLDEST[0], OLDEST[1], sys.version.split()[0], sys.executable)
        )
    try:
        _environment()
        _packages()
        _node_modules()
    except subprocess.CalledProcessError as error:
        return _fail("This command failed (exit code %d): %s" % (error.returncode, " ".join(error.cmd)))
    except OSError as error:
        return _fail("Preparing failed: %s" % error)
    return 0


def _environment() -> None:
    """The virtual environment, made again when it is broken or of another Python version."""
    python = os.path.join(BIN, "python")
    wanted = "%d.%d" % sys.version_info[:2]
    if os.path.exists(python) and _version_of(python) == wanted:
        return
    _say("making a virtual environment in .venv with Python %s" % wanted)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        sys.stderr.write(made.stdout.decode(errors="replace"))
        _say("if the venv module is missing: on Debian and Ubuntu it is the package python3-venv")
        raise subprocess.CalledProcessError(made.returncode, [sys.executable, "-m", "venv", VENV])


def _packages() -> None:
    """What requirements-dev.txt names, by uv (ten times as fast as pip), or by pip where uv can not install."""
    inputs = [os.path.join(ROOT, name) for name in ("requirements.txt", "requirements-dev.txt")]
    stamp = os.path.join(VENV, ".prepared-packages")
    digest = _digest(inputs)
    if _read(stamp) == digest:
        return
    _say("installing Python packages (a minute at most)")
    python = os.path.join(BIN, "python")
    if not os.path.exists(os.path.join(BIN, "uv")):
        _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"])
    by_uv = [os.path.join(BIN, "uv"), "pip", "install", "--quiet", "--python", python, "-r", inputs[1]]
    by_pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", inputs[1]]
    if subprocess.run(by_uv, cwd=ROOT, env=_with_pip_settings(python)).returncode:
        _say("uv could not install them; trying pip, which takes longer")
        _run(by_pip)
    _write(stamp, digest)


def _node_modules() -> None:
    """Azurite and jsforce, by the Node that came with the Python packages: the machine's own may be too old."""
    modules = os.path.join(ROOT, "node_modules")
    stamp = os.path.join(modules, ".prepared")
    digest = _digest([os.path.join(ROOT, name) for name in ("package.json", "package-lock.json")])
    if _read(stamp) == digest:
        return
    _say("installing Azurite and what the tests need from npm (a quarter of a minute)")
    environment = dict(os.environ, PATH=BIN + os.pathsep + os.environ.get("PATH", ""))
    command = [os.path.join(BIN, "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(command, env=environment, stdout=subprocess.DEVNULL)
    _write(stamp, digest)


def _with_pip_settings(python: str) -> "dict[str, str]":
    """The environment, with pip's index settings under uv's names: uv does not read pip's."""
    environment = dict(os.environ)
    listed = subprocess.run([python, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    settings: "dict[str, str]" = {}
    for line in listed.stdout.decode(errors="replace").splitlines():
        name, _, value = line.partition("=")
        settings[name.rpartition(".")[2]] = value.strip("'\" ")
    for pip_name, uv_names in (
        ("index-url", ("UV_DEFAULT_INDEX", "UV_INDEX_URL")),
        ("extra-index-url", ("UV_INDEX", "UV_EXTRA_INDEX_URL")),
        ("cert", ("SSL_CERT_FILE",)),
    ):
        value = os.environ.get("PIP_" + pip_name.upper().replace("-", "_")) or settings.get(pip_name, "")
        if value and not any(name in environment for name in uv_names):
            environment[uv_names[-1]] = value.replace("\\n", " ")
            if pip_name == "extra-index-url":  # pip, whose settings these are, holds all indexes equal
                environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment


def _version_of(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return asked.stdout.decode().strip()


def _digest(paths: "list[str]") -> str:
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _run(command: "list[str]", **options: object) -> None:
    subprocess.run(command, cwd=ROOT, check=True, **options)  # type: ignore[call-overload]


def _say(text: str) -> None:
    sys.stderr.write("prepare: %s\n" % text)
    sys.stderr.flush()


def _fail(text: str) -> int:
    _say(text)
    return 1


if __name__ == "__main__":
    sys.exit(main())
