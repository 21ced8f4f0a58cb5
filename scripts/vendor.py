"""Bring the report's JavaScript libraries from npm: `python scripts/vendor.py`.

To take a newer version, change it in `PACKAGES`, run with `--trust`, read the difference, and put the
digests that it prints into `PACKAGES`. Without `--trust` a package that is not the one named stops it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "src" / "innerear" / "report" / "vendor"
REGISTRY = "https://registry.npmjs.org"
PACKAGES: list[tuple[str, str, list[str], str]] = [  # name, version, files, npm's integrity
    (
        "d3",
        "7.9.2",
        ["dist/d3.min.js"],
        "sha512-ZKb/mONPVKzaO5UlcWcwN8bS4ezvQaYu+bsou+XgNABdGC800kwH651ADTbbTxMPHW13UlvbQafdmJQDk1w7Mg==",
    ),
    (
        "@observablehq/plot",
        "0.6.17",
        ["dist/plot.umd.min.js"],
        "sha512-/qaXP/7mc4MUS0s4cPPFASDRjtsWp85/TbfsciqDgU1HwYixbSbbytNuInD8AcTYC3xaxACgVX06agdfQy9W+g==",
    ),
    (
        "wavesurfer.js",
        "8.0.1",
        ["dist/wavesurfer.min.js"],
        "sha512-h0OnRWSVTqIYLSw3/IVrBtsun/xw9L5u4FA3bjfSDTFMX/xswVWS1JwK4fFu3ulmxRUSHg8zQORl6zENG983eg==",
    ),
    (
        "prismjs",
        "1.30.0",
        ["components/prism-core.min.js", "components/prism-python.min.js"],
        "sha512-DEvV2ZF2r2/63V+tK8hQvrR2ZGn10srHbXviTlcv7Kpzw8jWiNTqbVgjO3IY8RxrrOUF8VPMQQFysYYYv0YZxw==",
    ),
]


def get(url: str) -> bytes:
    """What the registry answers; an error of the network is shown as it is."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def say(line: str) -> None:
    """One line on standard output."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """Fetch, check and unpack every package; 1 where one is not the package that was pinned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trust", action="store_true", help="take what the registry gives, print its digest")
    trust = parser.parse_args().trust
    for name, version, wanted, pinned in PACKAGES:
        about = json.loads(get(f"{REGISTRY}/{name}/{version}"))
        tarball = get(about["dist"]["tarball"])
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        say(f"{name} {version} ({about.get('license')}): {integrity}")
        if integrity != pinned and not trust:
            say(f"  wanted {pinned}; nothing of it was written")
            return 1
        with tarfile.open(fileobj=io.BytesIO(tarball)) as package:
            short = name.rpartition("/")[2]
            for path, target in [(file, Path(file).name) for file in wanted] + [("LICENSE", f"{short}.LICENSE")]:
                member = package.extractfile(f"package/{path}")
                if member is None:
                    raise SystemExit(f"{name} {version} has no file {path}")
                (VENDOR / target).write_bytes(member.read())
    return 0


if __name__ == "__main__":
    sys.exit(main())
