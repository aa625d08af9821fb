"""Builds the deployment package: the same source always gives the same bytes, so two packages can be compared by their hash.

It holds what the functions need and nothing else: no tests, no local stack, no caches. Its `requirements.txt` is `requirements-lock.txt`,
so that what is installed in Azure is what was pinned here, hash by hash. Nothing is compressed, because compressors differ from version to
version. It uses the standard library only.
"""

import argparse
import hashlib
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = {"function_app.py": "function_app.py", "host.json": "host.json", "requirements.txt": "requirements-lock.txt"}
"""Name in the package: name here."""
FOLDERS = ("shared", "sync")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""
READABLE = 0o100644 << 16
"""An ordinary file that everybody may read, in the upper half of a zip entry's attributes."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the deployment package.")
    parser.add_argument("target", type=Path, nargs="?", default=ROOT / ".build" / "tandem.zip", help="default: .build/tandem.zip")
    parser.add_argument("--folder", type=Path, help="put the same files into this folder instead (for azd, which packs by itself)")
    given = parser.parse_args()
    if given.folder is not None:
        print(f"{given.folder}: {lay_out(given.folder)} files")
        return 0
    target: Path = given.target
    target.parent.mkdir(parents=True, exist_ok=True)
    count = build(target)
    content = target.read_bytes()
    print(f"{target}: {count} files, {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


def build(target: Path) -> int:
    """Write the package; the number of files in it."""
    entries = dict(sorted(_entries()))
    with zipfile.ZipFile(target, "w") as package:
        for name, path in entries.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.external_attr, entry.create_system = READABLE, 3
            package.writestr(entry, path.read_bytes().replace(b"\r\n", b"\n"))
    return len(entries)


def lay_out(folder: Path) -> int:
    """The files as they are in the package, in a folder that holds nothing else; their number."""
    shutil.rmtree(folder, ignore_errors=True)
    entries = dict(_entries())
    for name, path in entries.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
    return len(entries)


def _entries() -> Iterator[tuple[str, Path]]:
    for name, source in FILES.items():
        yield name, ROOT / source
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            yield path.relative_to(ROOT).as_posix(), path


if __name__ == "__main__":
    sys.exit(main())
