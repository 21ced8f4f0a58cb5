"""As root: run a command as an ordinary user who can still read this interpreter (`/root` is closed).

python tests/jail/as_user.py COMMAND ...
"""

import os
import sys
import tempfile
from pathlib import Path

from innerear.jail.inside import view

USER = 61_234


def main(command: list[str]) -> None:
    home = tempfile.mkdtemp(prefix="innerear-home-")
    os.chown(home, USER, USER)
    view.open_the_way([sys.base_prefix, sys.prefix, str(Path(__file__).resolve().parents[2])])
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    os.environ.update(HOME=home, USER="ordinary")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
