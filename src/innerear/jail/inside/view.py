"""Our own bubblewrap: a root of read-only binds, in namespaces of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from innerear.jail.inside import linux

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
WORK = "/w"
HOST_NAME = "jail"


def wait_and_leave(pid: int) -> None:
    """End as that child ends: a waiting parent of a new pid namespace."""
    os.closerange(3, 1 << 20)  # the control socket above all: its end must be seen
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def enter(binds: Sequence[str], links: Sequence[tuple[str, str]]) -> None:
    """Go on as pid 1 of new namespaces that show only `binds` (read-only), and `links` to them."""
    root = os.geteuid() == 0
    uid, gid = os.geteuid(), os.getegid()
    sources = [(path, "/old" + os.path.realpath(path)) for path in (*binds, *DEVICES)]
    inner = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC
    inner |= linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP
    linux.unshare(inner if root else inner | linux.CLONE_NEWUSER)
    if not root:
        linux.map_one_user(uid, gid, uid)
    if pid := os.fork():
        wait_and_leave(pid)
    os.setsid()
    linux.set_host_name(HOST_NAME)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
    os.chdir("/tmp")
    Path("old").mkdir()
    Path("new").mkdir(mode=0o755)
    linux.pivot_root(".", "old")
    os.chdir("/")
    linux.mount("/new", "/new", None, linux.MS_BIND)
    for path, source in sources:
        target = Path("/new" + path)
        _place(target, Path(source).is_dir())
        linux.mount(source, str(target), None, linux.MS_BIND | linux.MS_REC)
        if path not in DEVICES:
            linux.read_only(str(target))
    for place, destination in links:
        Path("/new" + place).symlink_to(destination)
    Path("/new" + WORK).mkdir()
    Path("/new/proc").mkdir()
    linux.mount("proc", "/new/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    os.chdir("/new")
    linux.pivot_root(".", ".")
    linux.unmount(".")
    os.chdir("/")
    linux.mount("none", "/", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)


def hide(folders: Sequence[str]) -> None:
    """In a mount namespace of our own: one empty folder that nobody can write, over each of these."""
    for folder in folders:
        if folder == folders[0]:
            linux.mount(
                "tmpfs", folder, "tmpfs", linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=4k"
            )
        else:
            linux.mount(folders[0], folder, None, linux.MS_BIND)


def closed_folders(paths: Sequence[str]) -> dict[str, list[str]]:
    """Folders that not everybody may enter (such as /root), and those of the paths that lie below them."""
    closed: dict[str, list[str]] = {}
    for path in paths:
        for parent in reversed(Path(path).parents):
            if not parent.stat().st_mode & 0o001:
                closed.setdefault(str(parent), []).append(path)
                break
    return closed


def open_the_way(paths: Sequence[str]) -> None:
    """Without other namespaces: make paths below closed folders reachable for everybody.

    In a mount namespace of its own, such a folder becomes an empty one that holds just these paths.
    """
    closed = closed_folders(paths)
    if not closed:
        return
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    for folder, inside in closed.items():
        descriptors = [os.open(path, os.O_PATH) for path in inside]
        linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
        for path, descriptor in zip(inside, descriptors, strict=True):
            _place(Path(path), Path(f"/proc/self/fd/{descriptor}").is_dir())
            linux.mount(f"/proc/self/fd/{descriptor}", path, None, linux.MS_BIND | linux.MS_REC)
            linux.read_only(path)
            os.close(descriptor)


def _place(target: Path, folder: bool) -> None:
    """Something to mount upon."""
    (target if folder else target.parent).mkdir(mode=0o755, parents=True, exist_ok=True)
    if not folder:
        target.touch()
