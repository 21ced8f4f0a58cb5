"""As root: run a command as an ordinary user who can still read this interpreter (`/root` is closed).

python tests/jail/as_user.py COMMAND ...
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from innerear.jail.inside import view

USER = 61_234


def main(command: list[str]) -> int:
    view.open_the_way([sys.base_prefix, sys.prefix, str(Path(__file__).resolve().parents[2])])
    with tempfile.TemporaryDirectory(prefix="innerear-home-") as home:
        os.chown(home, USER, USER)
        environment = os.environ | {"HOME": home, "USER": "ordinary"}
        return subprocess.run(command, user=USER, group=USER, extra_groups=[], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
