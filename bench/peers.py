"""What other toolkits compute, step for step: installed where they install, else re-typed.

Re-typed, because they do not install here (design: fadtk and frechet_audio_distance pull laion_clap
and torchaudio, kadtk wants torch<2.6 and tensorflow, pytorch-fid and torch-fidelity want torchvision):

    pytorch-fid    src/pytorch_fid/fid_score.py, calculate_frechet_distance
    gudgud         frechet_audio_distance 0.3.5, fad.py, calculate_frechet_distance, load_audio_task
    fadtk          1.1.0 at ec74b1f, fad.py: calc_embd_statistics, calc_frechet_distance, score_inf, load_audio
    kadtk          1.1.0 at 8bda71d, fad.py: calc_frechet_distance; kad.py: calc_kernel_audio_distance
    torch-fidelity metric_fid.py, fid_statistics_to_metric

torchmetrics (`_compute_fid`), librosa and resampy are the installed ones. Square roots keep their
libraries' functions, element types and numbers of calls; error handling that costs no time is left out.
"""

import math

import numpy as np
import scipy.linalg
import soundfile
import torch


def _statistics(frames):
    return np.mean(frames, axis=0), np.cov(frames, rowvar=False)


def _distance(mean1, cov1, mean2, cov2, root_trace):
    step = mean1 - mean2
    return step.dot(step) + np.trace(cov1) + np.trace(cov2) - 2 * root_trace


def _root(product):
    root, _ = scipy.linalg.sqrtm(product, disp=False)
    return root.real


def from_covariances(name, mean1, cov1, mean2, cov2):
    """The distance of two Gaussians given in float64, as each peer's function takes them."""
    if name == "pytorch-fid":
        return _distance(mean1, cov1, mean2, cov2, np.trace(_root(cov1.dot(cov2))))
    if name == "gudgud":
        return _distance(mean1, cov1, mean2, cov2, np.trace(_root(cov1.dot(cov2).astype(complex))))
    if name == "fadtk":
        product = cov1.dot(cov2)
        scipy.linalg.sqrtm(product, disp=False)
        values, vectors = scipy.linalg.eig(product)
        root = (vectors * np.lib.scimath.sqrt(values)) @ scipy.linalg.inv(vectors)
        return _distance(mean1, cov1, mean2, cov2, np.trace(root.real))
    if name == "kadtk":
        narrow = [np.asarray(each, dtype=np.float32) for each in (mean1, cov1, mean2, cov2)]
        return float(_distance(*narrow, np.trace(_root(narrow[1].dot(narrow[3])))))
    if name == "torch-fidelity":
        roots = np.sqrt(np.linalg.eigvals(cov1.dot(cov2)).astype("complex128"))
        return _distance(mean1, cov1, mean2, cov2, roots.sum().real)
    from torchmetrics.image.fid import _compute_fid

    return float(_compute_fid(*(torch.from_numpy(each) for each in (mean1, cov1, mean2, cov2))))


FAD_PEERS = ("pytorch-fid", "gudgud", "fadtk", "kadtk", "torchmetrics", "torch-fidelity")


def fad(name, first, second):
    """From float32 frames to a distance, with each peer's own statistics."""
    if name == "fadtk":
        first, second = first.astype(np.float16), second.astype(np.float16)
    if name == "kadtk":
        pairs = [
            (each.mean(axis=0).numpy(), torch.cov(each.T).numpy()) for each in map(torch.from_numpy, (first, second))
        ]
    elif name == "torchmetrics":
        pairs = [_summed(torch.from_numpy(each).double()) for each in (first, second)]
    else:
        pairs = [_statistics(each) for each in (first, second)]
    return from_covariances(name, *pairs[0], *pairs[1])


def _summed(frames):
    mean = frames.sum(dim=0) / len(frames)
    return mean.numpy(), ((frames.T @ frames - len(frames) * torch.outer(mean, mean)) / (len(frames) - 1)).numpy()


def fadtk_fad_inf(reference, frames, rng, steps=25, fewest=500):
    """Frames are drawn with replacement; a line through the distances over 1/n."""
    base = _statistics(reference)
    frames = frames.astype(np.float16)
    sizes = [int(n) for n in np.linspace(fewest, len(frames), steps)]
    values = [
        from_covariances("fadtk", *base, *_statistics(frames[rng.choice(len(frames), n, replace=True)])) for n in sizes
    ]
    return float(np.polyfit(1 / np.array(sizes), values, 1)[1])


def kadtk_kad(first, second):
    """float32, not centred, the bandwidth of the second (evaluated) set, all matrices whole."""
    x, y = torch.from_numpy(first), torch.from_numpy(second)
    gamma = 1 / (2 * torch.median(torch.pdist(y)).item() ** 2 + 1e-8)
    xx, yy, xy = x @ x.T, y @ y.T, x @ y.T
    x_norms, y_norms = torch.diagonal(xx), torch.diagonal(yy)
    means = []
    for product, n in ((xx, len(x)), (yy, len(y))):
        norms = torch.diagonal(product)
        k = torch.exp(-gamma * (norms.unsqueeze(1) + norms.unsqueeze(0) - 2 * product))
        means.append((k - torch.diag(torch.diagonal(k))).sum() / (n * (n - 1)))
    cross = torch.exp(-gamma * (x_norms.unsqueeze(1) + y_norms.unsqueeze(0) - 2 * xy)).mean()
    return float((means[0] + means[1] - 2 * cross) * 100)


def load_fadtk(path, sample_rate, scratch):
    """torchaudio's sinc resampler with fadtk's Kaiser window, its kernel built for each file; then a
    16-bit file is written and read again."""
    samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    wave = torch.from_numpy(np.ascontiguousarray(samples.T)).mean(0)
    soundfile.write(scratch, _sinc_kaiser(wave, found, sample_rate).numpy(), sample_rate, subtype="PCM_16")
    return soundfile.read(scratch, dtype="float32")[0]


def _sinc_kaiser(wave, old, new, zeros=64, rolloff=0.9475937167399596, beta=14.769656459379492):
    common = math.gcd(old, new)
    old, new = old // common, new // common
    cutoff = min(old, new) * rolloff
    reach = math.ceil(zeros * old / cutoff)
    at = torch.arange(-reach, reach + old, dtype=torch.float64)[None] / old
    at = ((torch.arange(0, -new, -1, dtype=torch.float64)[:, None] / new + at) * cutoff).clamp(-zeros, zeros)
    window = torch.i0(beta * torch.sqrt(1 - (at / zeros) ** 2)) / torch.i0(torch.tensor(beta, dtype=torch.float64))
    kernel = (torch.sinc(at) * window * cutoff / old).float()
    padded = torch.nn.functional.pad(wave, (reach, reach + old))
    found = torch.nn.functional.conv1d(padded[None, None], kernel[:, None], stride=old)
    return found[0].T.reshape(-1)[: math.ceil(new * len(wave) / old)]


def load_gudgud(path, sample_rate):
    import resampy

    samples, found = soundfile.read(path, dtype="int16")
    samples = samples / 32768.0
    if samples.ndim > 1:
        samples = np.mean(samples, axis=1)
    return resampy.resample(samples, found, sample_rate)


def load_librosa(path, sample_rate):
    import librosa

    return librosa.load(path, sr=sample_rate)[0]
