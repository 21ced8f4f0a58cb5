"""FAD, FAD∞, KAD and loading beside the numerics of other toolkits: time, ratio, error. Writes Markdown.

One thread, processor time, best of a few, one process, the methods one after the other. Its
environment is bench/requirements-distances.txt.

    python bench/distances.py > bench/distances.md        # about 15 minutes
    python bench/distances.py --quick                     # without d = 2048, about 2 minutes
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import platform
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from need import need

need("torch", "torchmetrics", "librosa", "resampy", how="pip install -r bench/requirements-distances.txt")

import numpy as np
import scipy
import soundfile
import torch
from scipy.spatial.distance import cdist, pdist

import peers
from innerear.clip import read_mono
from innerear.distance.frechet import fad_curve, fad_inf, frechet_distance, per_clip
from innerear.distance.kernel import KernelReference, kad
from innerear.distance.moments import Gaussian

torch.set_num_threads(1)
warnings.simplefilter("ignore")
QUICK = "--quick" in sys.argv
SIZES = [(50, 128), (500, 128), (2000, 512)] + ([] if QUICK else [(500, 2048), (5000, 2048)])
HARD = [(128, 1e2, 128), (128, 1e6, 128), (128, 1e10, 128), (128, 1e14, 128), (128, 1e0, 40), (512, 1e10, 100)]


def timed(function, times=5):
    """(result, best processor time in ms); once where one call takes more than 2 s."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        result = function()
        best = min(best, time.process_time() - start)
        if best > 2:
            break
    return result, best * 1e3


def table(title, heading, rows):
    print(f"\n### {title}\n\n| {' | '.join(heading)} |\n|{'---|' * len(heading)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def ms(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def against(theirs, ours):
    return f"{ms(theirs)} ({theirs / ours:.3g}x)"


def spectrum(n, dims, seed):
    """Frames whose standard deviations fall as 1/√k in mixed directions, as those of networks do."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(np.random.default_rng(dims).standard_normal((dims, dims)))
    scales = np.arange(1, dims + 1) ** -0.5 * (1 + 0.1 * seed)
    return ((rng.standard_normal((n, dims)) * scales) @ axes.T + 0.05 * seed).astype(np.float32)


def exact_from_frames(first, second):
    """By singular values of the product of factors of the two sets, in float64, with nothing skipped."""
    a, b = (each.astype(np.float64) for each in (first, second))
    step = a.mean(axis=0) - b.mean(axis=0)
    a, b = ((each - each.mean(axis=0)) / np.sqrt(len(each) - 1) for each in (a, b))
    if len(a) > a.shape[1]:
        a, b = (np.linalg.qr(each, mode="r") for each in (a, b))
    roots = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return step @ step + np.square(a).sum() + np.square(b).sum() - 2 * roots


def frechet_times():
    rows = []
    for n, dims in SIZES:
        first, second = spectrum(n, dims, 0), spectrum(n, dims, 1)
        exact = exact_from_frames(first, second)
        ours, cold = timed(lambda: frechet_distance(first, second))  # noqa: B023
        reference = Gaussian.of(first)
        _, warm = timed(lambda: frechet_distance(reference, second))  # noqa: B023
        row = [f"{n}, {dims}", f"**{ms(cold)}** ({abs(ours / exact - 1):.0e})", ms(warm)]
        for name in peers.FAD_PEERS:
            found, spent = timed(lambda: peers.fad(name, first, second))  # noqa: B023
            row.append(f"{against(spent, cold)} ({abs(found / exact - 1):.0e})")
        rows.append(row)
    heading = ["N, d", "ours", "ours, cached reference", *peers.FAD_PEERS]
    table("FAD from float32 frames: ms, (ratio to ours), (relative error)", heading, rows)


def commuting(dims, condition, rank):
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.standard_normal((dims, dims)))
    first = np.zeros(dims)
    first[:rank] = np.logspace(0, -np.log10(condition), rank)
    second = first * rng.uniform(0.5, 2, dims)
    mean = rng.standard_normal(dims) / 10
    covariances = [(axes * values) @ axes.T for values in (first, second)]
    exact = mean @ mean + np.square(np.sqrt(first) - np.sqrt(second)).sum()
    return mean, *((each + each.T) / 2 for each in covariances), exact


def frechet_errors():
    rows = []
    for dims, condition, rank in HARD:
        mean, first, second, exact = commuting(dims, condition, rank)
        zero = np.zeros(dims)
        gaussians = Gaussian.from_covariance(zero, first, 9999), Gaussian.from_covariance(mean, second, 9999)
        row = [f"{dims}, {condition:.0e}, {rank}", f"**{abs(frechet_distance(*gaussians) / exact - 1):.0e}**"]
        row += [
            f"{abs(peers.from_covariances(name, zero, first, mean, second) / exact - 1):.0e}"
            for name in peers.FAD_PEERS
        ]
        rows.append(row)
    few = spectrum(60, 512, 0)
    row = ["FD(X, X), N = 60, d = 512, absolute", f"**{frechet_distance(few, few):.0e}**"]
    rows.append(row + [f"{peers.fad(name, few, few):.0e}" for name in peers.FAD_PEERS])
    heading = ["d, condition, rank", "ours", *peers.FAD_PEERS]
    table("FAD against an exact answer (covariances with common axes): relative error", heading, rows)


def infinite():
    rows = []
    for n, dims in [(2000, 128)] + ([] if QUICK else [(2000, 512)]):
        reference, frames = spectrum(4 * dims, dims, 0), spectrum(n, dims, 1)
        gaussian = Gaussian.of(reference)
        _, ours = timed(lambda: fad_inf(gaussian, frames, 0))  # noqa: B023
        _, curve = timed(lambda: fad_curve(gaussian, frames, 0))  # noqa: B023
        _, theirs = timed(lambda: peers.fadtk_fad_inf(reference, frames, np.random.default_rng(0)), 1)  # noqa: B023
        rows.append([f"{n}, {dims}", f"**{ms(ours)}**", ms(curve), against(theirs, ours)])
    table("FAD∞: ms", ["N, d", "ours, halves (5 distances)", "ours, nested curve (25)", "fadtk (25)"], rows)
    rows = []
    dims, n, trials = 64, 1000, 60
    exact = Gaussian.from_covariance(np.zeros(dims), np.eye(dims), 10**9)
    reference = np.random.default_rng(1).standard_normal((200_000, dims))
    for gain in (1.0, 1.2):
        truth = dims * (gain - 1) ** 2
        found = {"plain FAD": [], "ours": [], "fadtk": []}
        for seed in range(trials):
            frames = np.random.default_rng(100 + seed).standard_normal((n, dims)) * gain
            found["plain FAD"].append(frechet_distance(exact, frames))
            found["ours"].append(fad_inf(exact, frames, seed).value)
            found["fadtk"].append(peers.fadtk_fad_inf(reference, frames, np.random.default_rng(seed)))
        row = [f"{truth:.3f}"]
        for values in found.values():
            off = np.array(values) - truth
            row.append(f"{off.mean():+.4f} / {off.std():.4f} / {np.sqrt(np.mean(off**2)):.4f}")
        rows.append(row)
    table(f"FAD∞, N = {n}, d = {dims}, {trials} trials: bias / sd / rmse", ["truth", *found], rows)


def songs():
    rows = []
    for frames, dims in [(10, 128), (5, 512)] + ([] if QUICK else [(10, 1024)]):
        reference = spectrum(3 * dims, dims, 0)
        clips = [spectrum(frames, dims, 2 + i) for i in range(200)]
        gaussian = Gaussian.of(reference)
        _, ours = timed(lambda: per_clip(gaussian, clips))  # noqa: B023
        base = peers._statistics(reference)
        start, some = time.process_time(), clips[:2] if dims > 500 else clips[:20]
        for clip in some:
            peers.from_covariances("fadtk", *base, *peers._statistics(clip.astype(np.float16)))
        theirs = (time.process_time() - start) * 1e3 * len(clips) / len(some)
        rows.append([f"{frames}, {dims}", f"**{ms(ours)}**", f"{against(theirs, ours)} (scaled from {len(some)})"])
    table("FAD of each of 200 clips, reference cached: ms", ["frames, d", "ours", "fadtk"], rows)


def exact_kad(first, second, bandwidth):
    def k(a, b):
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * bandwidth**2))

    n, m = len(first), len(second)
    within = (k(first, first).sum() - n) / (n * (n - 1)) + (k(second, second).sum() - m) / (m * (m - 1))
    return 100 * (within - 2 * k(first, second).mean())


def kernel():
    rows = []
    sizes = [(n, dims, 0) for n in (500, 2000, 5000) for dims in (128, 512, 1024, 2048)]
    sizes = [size for size in sizes if not QUICK or max(size) <= 2000] + [(500, 128, 30), (2000, 512, 30)]
    for n, dims, offset in sizes:
        first, second = spectrum(n, dims, 0) + np.float32(offset), spectrum(n, dims, 1) + np.float32(offset)
        ours, cold = timed(lambda: kad(first, second))  # noqa: B023
        reference = KernelReference.of(first)
        _, warm = timed(lambda: kad(reference, second))  # noqa: B023
        found, theirs = timed(lambda: peers.kadtk_kad(first, second))  # noqa: B023
        errors = ["", ""]
        if n <= 2000:
            wide = [each.astype(np.float64) for each in (first, second)]
            apart = np.sort(pdist(wide[1]))
            errors = [
                f" ({abs(ours / exact_kad(*wide, reference.bandwidth) - 1):.0e})",
                f" ({abs(found / exact_kad(*wide, apart[(len(apart) - 1) // 2]) - 1):.0e})",
            ]
        row = [f"{n}, {dims}, {offset:+}", f"**{ms(cold)}**{errors[0]}", f"{ms(warm)} ({theirs / warm:.3g}x)"]
        rows.append([*row, against(theirs, cold) + errors[1]])
    heading = ["N, d, offset", "ours, float64", "ours, cached reference (ratio)", "kadtk, float32"]
    table("KAD: ms, (ratio to ours), (relative error at the method's own bandwidth)", heading, rows)
    code = "import distances, sys; distances.peak(sys.argv[1])"
    spent = []
    for name in ("ours", "kadtk"):
        command = [sys.executable, "-c", code, name]
        spent.append(float(subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=True).stdout))
    print(f"\nPeak extra memory at N = 8000, d = 256: ours {spent[0]:.0f} MB, kadtk {spent[1]:.0f} MB "
          f"({spent[1] / spent[0]:.1f}x).")  # fmt: skip


def peak(name):
    """The growth of the resident set at its highest in MB, in a process of its own (Linux)."""
    first, second = spectrum(8000, 256, 0), spectrum(8000, 256, 1)
    distance = kad if name == "ours" else peers.kadtk_kad
    distance(first[:200], second[:200])
    Path("/proc/self/clear_refs").write_text("5")
    before = _high_water()
    distance(first, second)
    print(_high_water() - before)


def _high_water():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def loading():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"{i}.wav" for i in range(40)]
        for i, path in enumerate(paths):
            noise = np.random.default_rng(i).uniform(-0.5, 0.5, (5 * 44_100, 2))
            soundfile.write(path, noise, 44_100, subtype="PCM_16")
        loaders = {
            "ours": read_mono,
            "librosa.load": peers.load_librosa,
            "fadtk": lambda path, rate: peers.load_fadtk(path, rate, folder / "scratch.wav"),
            "gudgud (resampy)": peers.load_gudgud,
        }
        rows = []
        for rate in (48_000, 16_000):
            speeds = {}
            for loader, load in loaders.items():
                load(paths[0], rate)
                _, spent = timed(lambda: [load(path, rate) for path in paths], 3)  # noqa: B023
                speeds[loader] = len(paths) / spent * 1e3
            row = [f"{rate}", f"**{speeds.pop('ours'):.0f}**"]
            rows.append(row + [f"{speed:.0f} (1/{float(row[1].strip('*')) / speed:.3g})" for speed in speeds.values()])
    table("Reading stereo 5 s 44.1 kHz 16-bit WAV to mono: files per second of CPU time", ["to Hz", *loaders], rows)


def main():
    cpu = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in cpu if "model name" in line), "?")
    print("# Distances compared with other toolkits\n")
    print(
        f"{model}, {os.cpu_count()} cores, 1 thread used; CPU time, best of up to 5. "
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"torch {torch.__version__}. Written by `bench/distances.py`; `bench/peers.py` says which peers are "
        "installed, which are reimplemented, and from where. N: frames in each set."
    )
    for part in (frechet_times, frechet_errors, infinite, songs, kernel, loading):
        part()


if __name__ == "__main__":
    main()
