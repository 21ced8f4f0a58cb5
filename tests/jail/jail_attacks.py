"""The attacks, one small program each. An attack that comes to its end has got through.

`harmless`: may run without a jail, where it must succeed (else the attack has rotted).
`outcomes`: for attacks that cannot be said to come to an end (a flood, a bomb), what must come of them.
"""

from __future__ import annotations

from ctypes.util import find_library
from dataclasses import dataclass

from innerear.records import Limits, Outcome

QUICK = Limits(cpu_s=5, wall_s=10, memory_bytes=1 << 30, file_bytes=8 << 20)
SHORT = Limits(cpu_s=1, wall_s=1.5, memory_bytes=1 << 30, file_bytes=8 << 20)

PRELUDE = """
import ctypes, errno, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
def checked(result):
    if result == -1: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def call(x86, arm, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(libc.syscall(ctypes.c_long(x86 if X86 else arm), *words))
def wav(tag, bits, channels, rate, data, size=None):
    head = struct.pack("<4s4x4s4sIHHIIHH", b"RIFF", b"WAVE", b"fmt ", 16, tag, channels, rate, 0, 0, bits)
    open("output.wav", "wb").write(head + b"data" + struct.pack("<I", len(data) if size is None else size) + data)
def need(condition):
    if not condition: raise SystemExit(3)
"""


@dataclass(frozen=True)
class Attack:
    group: str
    name: str
    code: str
    harmless: bool = False
    outcomes: frozenset[Outcome] | None = None
    limits: Limits = QUICK

    @property
    def id(self) -> str:
        return f"{self.group}-{self.name}"

    def program(self, world: dict[str, object]) -> str:
        lines = [f"{name} = {value!r}" for name, value in world.items()]
        return "\n".join([PRELUDE, *lines, self.code, 'print("GOT" + "THROUGH")'])


def grouped(
    group: str, harmless: str, harmful: str = "", mark: str = "# ", kind: type[Attack] = Attack, **more: object
) -> list[Attack]:
    """The attacks in two texts, in which a line that begins with `mark` names the next one."""
    found = []
    for text, flag in ((harmless, True), (harmful, False)):
        for block in text.split(f"\n{mark}")[1:]:
            name, _, code = block.partition("\n")
            found.append(kind(group, name.strip(), code, harmless=flag, **more))  # type: ignore[arg-type]
    return found


def _ending(group: str, text: str, *outcomes: Outcome, limits: Limits = SHORT) -> list[Attack]:
    return grouped(group, "", text, outcomes=frozenset(outcomes), limits=limits)


NETWORK = grouped(
    "network",
    """
# tcp-loopback
import socket
socket.create_connection(("127.0.0.1", TCP_PORT), 1).sendall(b"x")
# udp-loopback
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", UDP_PORT))
# tcp-ipv6-socket
import socket
socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
# unix-path
import socket
s = socket.socket(socket.AF_UNIX); s.connect(UNIX_PATH); s.send(b"x")
# unix-abstract
import socket
s = socket.socket(socket.AF_UNIX); s.connect(ABSTRACT); s.send(b"x")
# socketpair
import socket
socket.socketpair()
# netlink
import socket
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
# urllib
import urllib.request
urllib.request.urlopen(f"http://127.0.0.1:{TCP_PORT}/", timeout=0.3).read() if JAILED else None
# listen
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
# io-uring
need(call(425, 425, 8, (ctypes.c_char * 120)()) >= 0)
# asyncio-loop
import asyncio
asyncio.run(asyncio.sleep(0))
""",
    """
# tcp-internet
import socket
socket.create_connection(("192.0.2.1", 80), 0.5)
# dns
import socket
socket.getaddrinfo("example.org", 80)
# raw-packet
import socket
socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)
# vsock
import socket
socket.socket(40, socket.SOCK_STREAM)
# af-alg
import socket
socket.socket(38, socket.SOCK_SEQPACKET)
# bluetooth
import socket
socket.socket(31, socket.SOCK_RAW, 1)
# sendmsg-on-leftover-descriptors
import socket
for number in range(3, 256):
    try: sock = socket.socket(fileno=number)
    except OSError: continue
    sock.send(b"x"); break
else: need(False)
""",
) + _ending(
    "network",
    """
# int80-socketcall
need(X86)
import mmap
code = bytes.fromhex("b866000000cd80c3")
page = mmap.mmap(-1, 4096, prot=7); page.write(code)
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
# x32-socket
need(X86)
libc.syscall(ctypes.c_long(0x40000000 + 41), 2, 1, 0)
# x32-getpid
need(X86)
libc.syscall(ctypes.c_long(0x40000000 + 39))
""",
    Outcome.FORBIDDEN,
    Outcome.EXIT_CODE,
)

READ = grouped(
    "read",
    """
# etc-passwd
open("/etc/passwd").read()
# canary-file
need("secret" in open(CANARY).read())
# canary-by-openat-from-work
need("secret" in open("../../../../../../../.." + CANARY).read())
# home-listing
os.listdir(HOME)
# tmp-listing
os.listdir("/tmp")
# root-listing
os.listdir("/")
# work-parent-listing
os.listdir("..")
# sysfs
os.listdir("/sys/class/net")
# dirfd-dotdot
d = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
for _ in range(40): d = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=d)
os.listdir(d)
# o-path-then-proc
d = os.open(CANARY, os.O_PATH); open(f"/proc/self/fd/{d}").read()
# environment
need("CANARY_IN_THE_ENVIRONMENT" in os.environ)
# environment-in-c
libc.getenv.restype = ctypes.c_char_p
need(libc.getenv(b"CANARY_IN_THE_ENVIRONMENT"))
# proc-self-environ
need(b"CANARY_IN_THE_ENVIRONMENT" in open("/proc/self/environ", "rb").read())
# proc-parent-environ
open(f"/proc/{os.getppid()}/environ", "rb").read()
# proc-parent-maps
open(f"/proc/{os.getppid()}/maps").read()
# proc-parent-fd
os.listdir(f"/proc/{os.getppid()}/fd")
# proc-self-maps
open("/proc/self/maps").read()
# proc-self-mem
open("/proc/self/mem", "rb").seek(0)
# proc-self-status
open("/proc/self/status").read()
# proc-self-root
os.listdir("/proc/self/root/etc")
# proc-list
need(any(name.isdigit() for name in os.listdir("/proc")))
# mountinfo
open("/proc/self/mountinfo").read()
# cmdline-of-host
open("/proc/cmdline").read()
# link-of-host
need(os.readlink(CANARY + ".link") == CANARY)
# link-of-victim
os.readlink(f"/proc/{VICTIM}/exe")
# victim-by-stat
os.stat(f"/proc/{VICTIM}")
# kernel-symbols
open("/proc/kallsyms").readline()
# proc-self-net
open("/proc/self/net/unix").read()
# shadow-by-stat
os.stat("/etc/shadow")
# canary-by-stat
os.stat(CANARY)
# process-vm-readv-parent
buffer = (ctypes.c_char * 8)()
iov = struct.pack("QQ", ctypes.addressof(buffer), 8)
call(310, 270, os.getpid(), iov, 1, iov, 1, 0)
# pidfd-open-self
call(434, 434, os.getpid(), 0)
# pidfd-getfd
fd = call(434, 434, os.getpid(), 0); call(438, 438, fd, 0, 0)
# mincore-residency
import mmap
page = mmap.mmap(-1, 4096); address = ctypes.addressof(ctypes.c_char.from_buffer(page))
call(27, 232, address, 4096, (ctypes.c_char * 1)())
# getdents-raw
d = os.open("/", os.O_RDONLY | os.O_DIRECTORY); need(call(217, 61, d, (ctypes.c_char * 1024)(), 1024) > 0)
# statfs-host
os.statvfs("/")
# host-name
need(os.uname().nodename == HOST_NAME)
# other-affinity
os.sched_getaffinity(VICTIM)
# session-of-victim
os.getsid(VICTIM)
# priority-of-victim
os.getpriority(os.PRIO_PROCESS, VICTIM)
""",
    """
# etc-shadow
open("/etc/shadow").read()
# ssh-keys
os.listdir("/root/.ssh")
# docker-socket
os.stat("/var/run/docker.sock"); open("/var/run/docker.sock")
# proc-1-environ
open("/proc/1/environ", "rb").read()
# dmi
open("/sys/class/dmi/id/product_uuid").read()
# dev-mem
open("/dev/mem", "rb").read(1)
# dev-kmsg
open("/dev/kmsg", "rb").read(1)
# dev-disk
open("/dev/vda", "rb").read(1)
# dev-shm-listing
need(os.listdir("/dev/shm"))
# ptrace-attach-parent
call(101, 117, 16, os.getppid(), 0, 0)
# ptrace-seize-victim
call(101, 117, 0x4206, VICTIM, 0, 0)
# kcmp
call(312, 272, os.getpid(), os.getppid(), 0, 0, 0)
# inherited-descriptors
for number in range(4, 1024):
    try: os.fstat(number)
    except OSError: continue
    break
else: need(False)
# open-by-handle
call(304, 265, -100, struct.pack("II16s", 16, 1, b""), 0)
# name-to-handle
call(303, 264, -100, b"/", (ctypes.c_char * 200)(128), (ctypes.c_int * 1)(), 0)
# zygote-sockets-in-the-heap
import gc, socket
alive = [o for o in gc.get_objects() if isinstance(o, socket.socket)]
need([s for s in alive if s.fileno() >= 0 and s.getpeername() is not None])
""",
)

WRITE = grouped(
    "write",
    """
# overwrite-canary
open(CANARY + ".spare", "r+").write("x")
# append-canary
open(CANARY + ".spare", "a").write("x")
# truncate-canary
os.truncate(CANARY + ".spare", 1)
# truncate-by-open
os.open(CANARY + ".spare", os.O_RDONLY | os.O_TRUNC)
# chmod-canary
os.chmod(CANARY_OWN, 0o600)
# utime-canary
os.utime(CANARY_OWN, (1, 1))
# xattr-canary
os.setxattr(CANARY_OWN, "user.x", b"x")
# unlink-canary
os.unlink(CANARY + ".spare")
# rename-canary
os.rename(CANARY + ".spare", CANARY + ".gone")
# create-beside-canary
open(CANARY + ".new", "w").write("x")
# mkdir-beside-canary
os.mkdir(CANARY + ".folder")
# tmp
open(f"/tmp/innerear-attack-{os.getpid()}", "w").write("x"); os.unlink(f"/tmp/innerear-attack-{os.getpid()}")
# var-tmp
open(f"/var/tmp/innerear-attack-{os.getpid()}", "w").write("x"); os.unlink(f"/var/tmp/innerear-attack-{os.getpid()}")
# dev-shm
open(f"/dev/shm/innerear-attack-{os.getpid()}", "w").write("x"); os.unlink(f"/dev/shm/innerear-attack-{os.getpid()}")
# splice-read-only-file
a, b = os.pipe(); f = os.open(ctypes.__file__, os.O_RDONLY); os.splice(f, b, 1, offset_src=0)
# sendfile
a, b = os.pipe(); f = os.open(ctypes.__file__, os.O_RDONLY); os.sendfile(b, f, 0, 1)
# copy-file-range
f = os.open(ctypes.__file__, os.O_RDONLY); os.copy_file_range(f, os.open("out", os.O_CREAT | os.O_RDWR), 8)
# memfd
os.memfd_create("x")
""",
    """
# home
open(HOME + "/innerear-attack", "w").write("x")
# poison-standard-library
open(os.path.dirname(os.__file__) + "/innerear_attack.py", "w").write("x")
# poison-bytecode
open(os.path.dirname(os.__file__) + "/__pycache__/os.cpython-311.pyc", "r+b").write(b"x")
# truncate-standard-library
os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)
# poison-packages
import numpy
open(os.path.dirname(os.path.dirname(numpy.__file__)) + "/innerear_attack.py", "w").write("x")
# poison-numpy
import numpy
open(os.path.dirname(numpy.__file__) + "/innerear_attack.py", "w").write("x")
# poison-hidden-folder
import numpy
open(os.path.dirname(numpy.__file__) + "/tests/innerear_attack.py", "w").write("x")
# chmod-standard-library
os.chmod(os.__file__, 0o777)
# oom-score
open("/proc/self/oom_score_adj", "w").write("-1000")
# core-pattern
open("/proc/sys/kernel/core_pattern", "w").write("|/bin/true")
# sysrq
open("/proc/sysrq-trigger", "w").write("h")
# uid-map
open("/proc/self/uid_map", "w").write("0 0 1")
# mount-tmpfs
checked(libc.mount(b"none", b".", b"tmpfs", 0, None))
# remount-rw
checked(libc.mount(b"none", b"/", None, 0x1020, None))
# bind-mount
checked(libc.mount(b"/", b".", None, 0x1000, None))
# umount
checked(libc.umount2(b"/proc", 2))
# fsopen
call(430, 430, b"tmpfs", 0)
# open-tree
call(428, 428, -100, b"/", 1)
# mount-setattr
call(442, 442, -100, b"/", 0x8000, struct.pack("4Q", 0, 1, 0, 0), 32)
# chroot
os.chroot("/")
# pivot-root
call(155, 41, b".", b".")
# setns
checked(libc.setns(os.open("/proc/self/ns/mnt", os.O_RDONLY), 0))
# result-grow
os.ftruncate(3, 1 << 40)
# result-shrink
os.ftruncate(3, 0)
# result-write-beyond-its-end
size = os.fstat(3).st_size; os.pwrite(3, b"x" * 64, size)
# log-grow
os.ftruncate(1, 1 << 30)
# log-shrink
os.ftruncate(1, 0)
# result-unseal
import fcntl
fcntl.fcntl(3, 1033, 0)
# result-reopened-by-proc
os.ftruncate(os.open("/proc/self/fd/3", os.O_RDWR), 1 << 40)
""",
)

OUTPUT = [
    *grouped(
        "output",
        """
# symlink
os.symlink("/etc/passwd", "output2.wav")
# symlink-to-canary
if os.path.exists("output.wav"): os.unlink("output.wav")
os.symlink(CANARY, "output.wav")
if not JAILED: os.unlink("output.wav")
# hardlink
open("output.wav", "a"); os.link("output.wav", "other.wav")
# hardlink-canary
os.link(CANARY, "other.wav")
# fifo
os.mkfifo("pipe.wav")
# unix-socket-node
os.mknod("sock.wav", 0o140666)
""",
        """
# device-node
os.mknod("dev.wav", 0o20666, os.makedev(1, 5))
# sparse-terabyte
os.truncate("output.wav" if os.path.exists("output.wav") else open("output.wav", "w").name, 1 << 40)
# fallocate-beyond-limit
os.posix_fallocate(os.open("output.wav", os.O_RDWR | os.O_CREAT), 0, 1 << 30)
""",
    ),
    *_ending(
        "output",
        """
# nothing-written
pass
# leaves-by-exit
os._exit(0)
# forged-huge-payload
os.pwrite(3, struct.pack("<4s3IIiQQ", b"ear3", 1, 1, 1, 44100, 0, 1 << 60, 0), 0); os._exit(0)
# forged-magic
os.pwrite(3, b"\\xff" * 32, 0); os._exit(0)
# forged-unknown-status
os.pwrite(3, struct.pack("<4s3IIiQQ", b"ear3", 99, 1, 1, 44100, 0, 8, 0), 0); os._exit(0)
""",
        Outcome.NO_AUDIO,
        limits=QUICK,
    ),
    *_ending(
        "output",
        """
# directory-as-output
os.path.exists("output.wav") and os.unlink("output.wav"); os.mkdir("output.wav")
""",
        Outcome.NO_AUDIO,
        Outcome.FORBIDDEN,
        limits=QUICK,
    ),
    *_ending(
        "output",
        """
# truncated-head
open("output.wav", "wb").write(b"RIFF\\0\\0\\0\\0WAVEfmt ")
# not-a-wav
open("output.wav", "wb").write(b"\\x89PNG\\r\\n" + b"x" * 100)
# pickle
import pickle; open("output.wav", "wb").write(pickle.dumps({"a": 1}))
# no-frames
import wave; w = wave.open("output.wav", "wb"); w.setparams((1, 2, 44100, 0, "NONE", "")); w.close()
# rate-zero
wav(1, 16, 1, 0, b"x" * 8)
# rate-billion
wav(1, 16, 1, 10**9, b"x" * 8)
# channels-65535
wav(1, 16, 65535, 44100, b"x" * 8)
# not-a-number
wav(3, 32, 1, 44100, struct.pack("<ff", float("nan"), 0))
# infinity
wav(3, 64, 1, 44100, struct.pack("<dd", float("inf"), 0))
# level-1e30
wav(3, 64, 1, 44100, struct.pack("<dd", 1e30, 0))
# forged-format
os.pwrite(3, struct.pack("<4s3IIiQQ", b"ear3", 1, 77, 1, 44100, 0, 8, 0), 0); os._exit(0)
# forged-channels
os.pwrite(3, struct.pack("<4s3IIiQQ", b"ear3", 1, 1, 1 << 31, 44100, 0, 8, 0), 0); os._exit(0)
# forged-empty
os.pwrite(3, struct.pack("<4s3IIiQQ", b"ear3", 1, 1, 1, 44100, 0, 0, 0), 0); os._exit(0)
""",
        Outcome.BAD_AUDIO,
        limits=QUICK,
    ),
    *_ending(
        "output",
        """
# claims-4-gigabytes
wav(1, 16, 1, 44100, b"x" * 8, 0xffffffff)
""",
        Outcome.OK,
        limits=QUICK,
    ),
]

# What makes sound without synthesis, and what tells the answers. Of the world: PACKAGE is the folder of this
# package, FOLDERS are those that hold it, NumPy and other packages.
SEE = """
import sys, timeit
sys.path += FOLDERS
def find(*parts):
    found = [os.path.join(folder, *parts) for folder in FOLDERS if os.path.exists(os.path.join(folder, *parts))]
    return open(found[0] if found else os.path.join(FOLDERS[0], *parts), "rb").read()
"""

SIGHT = [
    Attack(attack.group, attack.name, SEE + attack.code, attack.harmless)
    for attack in grouped(
        "sight",
        """
# import-this-package
import innerear.suite as s
need(s.load().probes[0].expect)
# import-this-package-in-other-words
ns = {"out": []}
timeit.timeit("import innerear.suite as s; out.append(s.load().probes[0].expect)", globals=ns, number=1)
need(ns["out"])
# import-this-package-by-file
import importlib.util
spec = importlib.util.spec_from_file_location("innerear", PACKAGE + "/__init__.py"); spec.loader.get_data(spec.origin)
# import-the-jail
import innerear.jail.inside.wire
# read-probes
need(find("innerear", "suite", "edition-1.jsonl"))
# read-templates
need(find("innerear", "suite", "vary.py"))
# read-reference-programs
files = [os.path.join(here, name) for here, _, names in os.walk(PACKAGE + "/programs") for name in names]
need([open(file, "rb").read() for file in files])
# read-references
need(find("innerear", "reference", "manifest.csv"))
# read-recordings
need(find("innerear", "ask", "models", "recordings", "one-shot.jsonl"))
# read-the-jail
need(find("innerear", "jail", "inside", "runner.py"))
# import-sound-files
import soundfile
# read-another-package
need(find("soundfile.py"))
# test-sounds-of-scipy
import scipy.io.wavfile
need(scipy.io.wavfile.read(os.path.dirname(scipy.__file__) + "/io/tests/data/test-44100Hz-le-1ch-4bytes.wav")[0])
# tests-of-numpy
import numpy
need(open(os.path.dirname(numpy.__file__) + "/tests/__init__.py", "rb").read(1) == b"")
# sound-library-of-the-system
starts = ("libflite", "libsndfile", "libasound", "libpulse", "libespeak")
places = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
found = [f"{place}/{name}" for place in places if os.path.isdir(place)
         for name in sorted(os.listdir(place)) if name.startswith(starts) and ".so" in name]
need(found); ctypes.CDLL(found[0])
""",
        """
# import-a-network
import onnxruntime
# tests-of-python
import test.support
# import-pip
import pip
# list-packages
need("pip" in os.listdir(FOLDERS[-1]))
""",
    )
]
if find_library("flite"):
    SIGHT += grouped(
        "sight",
        """
# speech-of-flite
import numpy as np
C = np.ctypeslib.ctypes
flite = C.CDLL("libflite.so.1"); voice = C.CDLL("libflite_cmu_us_kal.so.1")
flite.flite_init(); voice.register_cmu_us_kal.restype = C.c_void_p; flite.flite_text_to_wave.restype = C.c_void_p
sound = C.c_void_p(flite.flite_text_to_wave(b"hello", C.c_void_p(voice.register_cmu_us_kal(None))))
need(flite.cst_wave_save_riff(sound, b"output.wav") == 0)
""",
    )

EXHAUSTION = (
    grouped(
        "exhaustion",
        """
# fork
pid = os.fork()
if not pid: os._exit(0)
os.waitpid(pid, 0)
# clone-raw
r = call(56, 220, 17, 0, 0, 0, 0)
if not r: os._exit(0)
# clone3-raw
arguments = struct.pack("8Q", 0, 0, 0, 0, 17, 0, 0, 0)
r = call(435, 435, arguments, 64)
if not r: os._exit(0)
# thread
import threading
t = threading.Thread(target=int); t.start(); t.join()
# thread-pool
from concurrent.futures import ThreadPoolExecutor
list(ThreadPoolExecutor(2).map(int, "12"))
# multiprocessing
import multiprocessing
multiprocessing.get_context("fork").Process(target=int).start()
# multiprocessing-lock
import multiprocessing
multiprocessing.Lock()
# subprocess
import subprocess
subprocess.run(["/bin/true"], check=True)
# shell
need(os.system("true") == 0)
# popen
need(os.popen("echo yes").read() == "yes\\n")
# posix-spawn
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
# pty
import pty
os.openpty()
# sysv-shm
id_ = call(29, 194, 0, 4096, 0o1600); call(31, 195, id_, 0, 0)
# pipe-buffer
import fcntl
a, b = os.pipe(); fcntl.fcntl(b, 1031, 65536)
# timer-create
call(222, 107, 0, 0, (ctypes.c_int * 1)())
# eventfd
os.eventfd(0)
# epoll
import select
select.epoll()
# cpu-affinity-of-self
os.sched_setaffinity(0, os.sched_getaffinity(0))
# nice
os.nice(1)
# raise-limits
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
# page-merging
import mmap
page = mmap.mmap(-1, 4096); page.madvise(12)
# many-descriptors
held = [os.open(ctypes.__file__, os.O_RDONLY) for _ in range(100)]
""",
        """
# execve
os.execv("/bin/true", ["true"])
# vfork-raw
r = call(58, 220, 17, 0, 0, 0, 0)
if not r: os._exit(0)
# execveat
call(322, 281, -100, b"/bin/true", None, None, 0)
# real-time-class
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
# mlockall
checked(libc.mlockall(3))
# cgroup
os.mkdir("/sys/fs/cgroup/cpu/innerear-attack")
# reboot
call(169, 142, 0xfee1dead, 672274793, 0, 0)
# swapoff
checked(libc.swapoff(b"/dev/null"))
# inodes
for i in range(2000): open(f"f{i}", "w").close()
# deep-folders
for i in range(2000): os.mkdir("d"); os.chdir("d")
# work-folder-full
for i in range(64): open(f"f{i}", "wb").write(b"x" * (1 << 20))
# one-large-file
open("output.wav", "wb").write(b"x" * (9 << 20))
# memory-file-by-shm-open
fd = checked(libc.shm_open(b"/innerear", 0o102, 0o600)); os.write(fd, b"x" * 4096)
# fork-bomb
for _ in range(8): os.fork()
# signal-queue
for _ in range(1000): call(129, 138, os.getpid(), 34, (ctypes.c_char * 128)())
""",
    )
    + _ending(
        "exhaustion",
        """
# memory-list
held = []
while True: held.append(bytearray(1 << 24))
# memory-mmap
import mmap
held = []
while True: held.append(mmap.mmap(-1, 1 << 26))
# memory-one-array
bytearray(1 << 40)
# memory-nested-exception
def f():
    try: bytearray(1 << 40)
    except MemoryError: return [0] * (1 << 40)
f()
""",
        Outcome.OUT_OF_MEMORY,
        Outcome.ERROR,
        limits=QUICK,
    )
    + _ending(
        "exhaustion",
        """
# endless-loop
while True: pass
# ignores-signals
import signal
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass
# catastrophic-expression
import re
re.match(r"(a+)+$", "a" * 40 + "b")
# large-integers
x = 3
while True: x = x * x
""",
        Outcome.CPU_LIMIT,
        Outcome.OUT_OF_MEMORY,
        Outcome.TIMED_OUT,
    )
    + _ending(
        "exhaustion",
        """
# sleep
time.sleep(1e6)
# pause
import signal
while True: signal.pause()
# blocked-pipe
a, b = os.pipe(); os.read(a, 1)
# blocked-signals
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(1e6)
""",
        Outcome.TIMED_OUT,
    )
    + _ending(
        "exhaustion",
        """
# stack-overflow-in-c
ctypes.CFUNCTYPE(None)(0)()
# abort
os.abort()
# segfault
ctypes.string_at(0)
# core-dump
import resource, signal
os.kill(os.getpid(), signal.SIGQUIT); ctypes.string_at(8)
""",
        Outcome.EXIT_CODE,
        limits=QUICK,
    )
    + _ending(
        "exhaustion",
        """
# recursion
def f(): f()
f()
# parser-bomb
compile("(" * 100000, "x", "exec")
# parser-bomb-minus
compile("-" * 500000 + "1", "x", "eval")
# json-bomb
import json; json.loads("[" * 1000000)
""",
        Outcome.ERROR,
        Outcome.EXIT_CODE,
        Outcome.OUT_OF_MEMORY,
        limits=QUICK,
    )
    + _ending(
        "exhaustion",
        """
# log-flood-raw
while True: os.write(1, b"x" * 65536)
""",
        Outcome.FORBIDDEN,
        limits=QUICK,
    )
    + _ending(
        "exhaustion",
        """
# print-flood
for _ in range(100000): print("x" * 100)
""",
        Outcome.NO_AUDIO,
        limits=QUICK,
    )
)

PROCESSES = grouped(
    "processes",
    """
# signal-parent
need(os.getppid() > 0); os.kill(os.getppid(), 0)
# signal-victim
os.kill(VICTIM, 0)
# tkill-victim
call(200, 130, VICTIM, 0)
# pidfd-signal-victim
import signal
signal.pidfd_send_signal(os.pidfd_open(VICTIM), 0)
# signal-group
os.killpg(os.getpgrp(), 0)
# limits-of-parent
import resource
need(os.getppid() > 0); resource.prlimit(os.getppid(), resource.RLIMIT_CORE)
# owner-of-signals
import fcntl
a, b = os.pipe(); fcntl.fcntl(a, fcntl.F_SETOWN, os.getpid())
# new-session
if os.getpid() == os.getsid(0): need(not JAILED)
else: os.setsid()
# new-group
os.setpgid(0, 0) if os.getpid() != os.getsid(0) else need(not JAILED)
# daemon
if os.fork() == 0: os.setsid(); os._exit(0)
""",
    """
# limits-of-victim
import resource
resource.prlimit(VICTIM, resource.RLIMIT_NOFILE)
# kill-all
os.kill(-1, 9)
# kill-victim
os.kill(VICTIM, 9)
# kill-victim-thread
call(234, 131, VICTIM, VICTIM, 9)
# queue-signal-to-victim
call(129, 138, VICTIM, 9, struct.pack("iii", 9, 0, -1) + bytes(116))
# kill-parent
need(os.getppid() > 0); os.kill(os.getppid(), 9)
# kill-init
need(os.getpid() != 1); os.kill(1, 9)
# affinity-of-victim
os.sched_setaffinity(VICTIM, {0})
# priority-of-victim
os.setpriority(os.PRIO_PROCESS, VICTIM, 10)
# limits-of-victim-set
import resource
resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (3, 3))
# terminal-input
import fcntl
fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), 0x5412, b"x")
# terminal-input-on-stdin
import fcntl
fcntl.ioctl(0, 0x5412, b"x")
# terminal-linux
import fcntl
fcntl.ioctl(0, 0x541C, b"\\x03")
# process-madvise
call(440, 440, 0, 0, 0, 0, 0)
""",
)

PRIVILEGE = grouped(
    "privilege",
    """
# user-namespace
checked(libc.unshare(0x10000000))
# landlock-again
call(444, 444, 0, 0, 1)
# seccomp-actions
call(317, 277, 2, 0, struct.pack("I", 0x7fff0000))
# set-dumpable
checked(libc.prctl(4, 1, 0, 0, 0))
# set-ptracer
checked(libc.prctl(1, 0, 0, 0, 0))
# no-randomisation
call(135, 92, 0x0040000)
# capability-get
call(125, 90, struct.pack("Ii", 0x20080522, 0), (ctypes.c_uint32 * 6)())
# inotify
libc.inotify_init1.restype = ctypes.c_int
w = checked(libc.inotify_init1(0)); checked(libc.inotify_add_watch(w, b"/", 0x20))
# membarrier
need(call(324, 283, 0, 0, 0) >= 0)
# keyring
need(call(250, 219, 0, -3, 1) != 0)
# add-key
call(248, 217, b"user", b"innerear", b"x", 1, -1)
# change-own-name-is-all
checked(libc.prctl(22, 0, 0, 0, 0)) if JAILED else None
""",
    """
# setuid-0
os.setuid(0)
# setresuid
os.setresuid(0, 0, 0)
# setgroups
os.setgroups([0])
# am-root
need(os.geteuid() == 0)
# all-namespaces
checked(libc.unshare(0x7e020000))
# clone-user-namespace
r = call(56, 220, 0x10000011, 0, 0, 0, 0)
if not r: os._exit(0)
# capset
call(126, 91, struct.pack("Ii", 0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xffffffff] * 6))
# any-capability
for n in range(41):
    if libc.prctl(23, n, 0, 0, 0) == 1: break
else: need(False)
# bpf
call(321, 280, 0, struct.pack("4I", 2, 4, 4, 1) + bytes(56), 72)
# perf
call(298, 241, struct.pack("II", 1, 112) + bytes(104), 0, -1, -1, 0)
# userfaultfd
call(323, 282, 1)
# modify-ldt
need(X86); call(154, 0, 0, (ctypes.c_char * 16)(), 16)
# iopl
need(X86); call(172, 0, 3)
# init-module
call(175, 105, b"", 0, b"")
# kexec
call(246, 104, 0, 0, None, 0)
# set-clock
call(227, 112, 0, struct.pack("qq", 0, 0))
# adjust-clock
call(159, 171, (ctypes.c_char * 208)())
# host-name
checked(libc.sethostname(b"x", 1))
# kernel-log
call(103, 116, 3, (ctypes.c_char * 100)(), 100)
# fanotify
call(300, 262, 0, 0)
# accounting
call(163, 89, None)
# message-queue
call(240, 180, b"innerear", 0o102, 0o600, None)
# secret-memory
call(447, 447, 0)
# quota
call(179, 60, 0, None, 0, None)
# new-filter
checked(libc.prctl(22, 2, struct.pack("HxxxxxxQ", 1, 0), 0, 0))
# memory-protection-key
call(330, 289, 0, 0)
# system-v-semaphore
call(64, 190, 0x5EED, 1, 0o1666)
# system-v-queue
call(68, 186, 0x5EED, 0o1666)
# futex-waitv-is-unknown
call(449, 449, None, 0, 0, None, 0)
# map-shadow-stack
call(453, 453, 0, 4096, 0)
""",
)

CHANNELS = grouped(
    "channels",
    """
# flock-on-shared-file
import fcntl
fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)
# posix-lock-on-shared-file
import fcntl
f = os.open(os.__file__, os.O_RDONLY); fcntl.fcntl(f, 36, struct.pack("hhqqi4x", 0, 0, 0, 0, 0))
# lease
import fcntl
f = os.open(os.__file__, os.O_RDONLY); fcntl.fcntl(f, 1025)
# notify
import fcntl
f = os.open(os.path.dirname(os.__file__), os.O_RDONLY); fcntl.fcntl(f, 1026, 1)
""",
    """
# leftover-file
need(os.path.exists("left-behind")) if os.path.exists("left-behind") else open("left-behind", "w").close(); need(False)
""",
)

ATTACKS: list[Attack] = [*NETWORK, *READ, *SIGHT, *WRITE, *OUTPUT, *EXHAUSTION, *PROCESSES, *PRIVILEGE, *CHANNELS]

LL_LEAKS = {
    *("read-shadow-by-stat", "read-canary-by-stat", "read-host-name", "read-link-of-host", "read-victim-by-stat"),
}
"""What `ll` does not hold, and says so: Landlock guards neither metadata, nor links, nor uname(2)."""
