"""A minimal bubblewrap: a root file system of read-only binds, in new namespaces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from innerear.jail.inside import linux

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
WORK = "/w"
HOST_NAME = "jail"


def wait_and_leave(pid: int) -> None:
    """Wait for a child and exit with its code; for the parent of a new pid namespace."""
    os.closerange(3, 1 << 20)  # above all the control socket, so that the host sees it close
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def enter(binds: Sequence[str], links: Sequence[tuple[str, str]]) -> None:
    """Continue as pid 1 of new namespaces that show only `binds` (read-only) and `links` to them."""
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
    for link, destination in links:
        Path("/new" + link).symlink_to(destination)
    Path("/new" + WORK).mkdir()
    Path("/new/proc").mkdir()
    linux.mount("proc", "/new/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    os.chdir("/new")
    linux.pivot_root(".", ".")
    linux.unmount(".")
    os.chdir("/")
    linux.mount("none", "/", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)


def hide(folders: Sequence[str]) -> None:
    """Mount an empty read-only folder over each of these; requires a private mount namespace."""
    for folder in folders:
        if folder == folders[0]:
            linux.mount(
                "tmpfs", folder, "tmpfs", linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=4k"
            )
        else:
            linux.mount(folders[0], folder, None, linux.MS_BIND)


def closed_folders(paths: Sequence[str]) -> dict[str, list[str]]:
    """Folders that not every user may enter (such as /root), each with those of `paths` that are below it."""
    closed: dict[str, list[str]] = {}
    for path in paths:
        for parent in reversed(Path(path).parents):
            if not parent.stat().st_mode & 0o001:
                closed.setdefault(str(parent), []).append(path)
                break
    return closed


def open_the_way(paths: Sequence[str]) -> None:
    """Make paths below closed folders accessible to every user, in a new mount namespace.

    There, each closed folder is replaced by one that contains only these paths.
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
    """Make a mount point: a folder or an empty file."""
    (target if folder else target.parent).mkdir(mode=0o755, parents=True, exist_ok=True)
    if not folder:
        target.touch()
