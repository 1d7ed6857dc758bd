"""Speed of `recognize` on videos: shares of decoding, features and recognition, and the gain by overlapping.

    python benchmarks/video.py --data FOLDER [--model M] [--clips N]

FOLDER has labelled clips, of which the test split is used. Without --model, an untrained one with the sizes
of `recipes.action` is used, as accuracy does not matter. The plain loop runs one step after the other:
decoding, motion, network, decision. `recognize` decodes and computes motion while the network runs. The
program by hand is what one would write without this toolkit: frames of PyAV, one by one, through
torchvision's network in fp32. All run in turn, so that drifts of the machine affect all alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import av
import numpy as np
import torch
from torchvision.transforms import functional as pictures

from decoders.vocabulary import Classes
from encoders.motion import motion
from pipelines.media.video import Clip, open_video
from pipelines.model import SequenceModel, load
from pipelines.recognition import recognize
from pipelines.video import judged, opened
from recipes.action.recipe import ActionOptions
from recipes.data.datasets import find_data, read_clips

REPEATS = 3


def fresh(rate: float) -> SequenceModel:
    """An untrained model with the sizes of the recipe."""
    sizes = ActionOptions().model
    front_end = {
        "kind": "frames",
        "network": sizes.network,
        "output_size": sizes.input_size,
        "lags": list(sizes.lags),
        "frozen": True,
        "motion": sizes.motion,
        "rate": rate,
    }
    return SequenceModel("action", front_end, sizes.core(), {"kind": "classifier"}, Classes("ab")).eval()


def plain(paths: list[Path], model: SequenceModel) -> dict[str, float]:
    """Seconds of each step, one after the other."""
    seconds = dict.fromkeys(("decoding", "motion", "network", "judging"), 0.0)
    for path in paths:
        marks = [time.perf_counter()]
        frames = list(opened(Clip(path), model.front_end)[1])
        marks.append(time.perf_counter())
        looked = list(model.front_end.look(frames))
        marks.append(time.perf_counter())
        features = model.front_end.see(looked)
        marks.append(time.perf_counter())
        judged(model, features[None], torch.tensor([len(features)]))
        marks.append(time.perf_counter())
        for name, begun, ended in zip(seconds, marks, marks[1:], strict=False):
            seconds[name] += ended - begun
    return seconds


@torch.inference_mode()
def by_hand(paths: list[Path], model: SequenceModel) -> float:
    """Seconds of a program of PyAV and torchvision, with our motion and core but nothing else."""
    started = time.perf_counter()
    front_end = model.front_end
    network, cells = front_end.network, (front_end.motion, front_end.motion)
    for path in paths:
        frames, seen = [], []
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if frame.time * front_end.rate >= len(frames):
                    frames.append(frame.to_ndarray(format="rgb24"))
                    image = torch.from_numpy(frames[-1]).permute(2, 0, 1)[None]
                    image = pictures.resize(image, [network.resize], antialias=True) / 255
                    image = pictures.normalize(image, network.mean, network.std)
                    seen.append(network.trunk(image).mean(dim=(2, 3)))
        features = torch.cat(seen)
        if front_end.motion:
            features = torch.cat([features, torch.from_numpy(np.stack(list(motion(frames, cells))))], dim=1)
        judged(model, features[None], torch.tensor([len(features)]))
    return time.perf_counter() - started


def overlapped(paths: list[Path], model: SequenceModel) -> float:
    started = time.perf_counter()
    assert sum(1 for _ in recognize(paths, model)) == len(paths)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fight2", help="folder, or a name below $TRISCRIBE_DATA/video")
    parser.add_argument("--model", help="file or bundled name")
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second of a new model")
    parser.add_argument("--clips", type=int, default=20, help="of the test split")
    arguments = parser.parse_args()
    folder = Path(arguments.data)
    folder = folder if folder.exists() else find_data(None, f"video/{arguments.data}")
    paths = [item.path for item in read_clips(folder).split("test")][: arguments.clips]
    model = load(arguments.model) if arguments.model else fresh(arguments.rate)
    if not model.front_end.network.output_size:
        parser.error(f"{arguments.model} has no image network")
    length = sum(open_video(path).duration for path in paths)
    steps: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    unaided: dict[int, list[float]] = {1: [], 2: []}
    beside: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(REPEATS):
        for threads in (1, 2):
            torch.set_num_threads(threads)
            steps[threads].append(plain(paths, model))
            unaided[threads].append(by_hand(paths, model))
            beside[threads].append(overlapped(paths, model))
    print(f"{len(paths)} clips, {length:.0f} s of video, {model.front_end.rate:g} frames a second looked at")
    print(f"median of {REPEATS}, torch {torch.__version__}\n")
    print(f"{'':36}{'1 thread':>12}{'2 threads':>12}")
    totals = {threads: statistics.median(sum(each.values()) for each in steps[threads]) for threads in (1, 2)}
    for name in steps[1][0]:
        shares = (statistics.median(each[name] / sum(each.values()) for each in steps[t]) for t in (1, 2))
        print(f"{f'plain loop, share of {name}':36}" + "".join(f"{share:>12.0%}" for share in shares))
    medians = {threads: statistics.median(beside[threads]) for threads in (1, 2)}
    hands = {threads: statistics.median(unaided[threads]) for threads in (1, 2)}
    rows = {
        "program by hand, clips a second": [len(paths) / hands[t] for t in (1, 2)],
        "plain loop, clips a second": [len(paths) / totals[t] for t in (1, 2)],
        "recognize, clips a second": [len(paths) / medians[t] for t in (1, 2)],
        "recognize, s of video a second": [length / medians[t] for t in (1, 2)],
        "faster than the plain loop by": [totals[t] / medians[t] for t in (1, 2)],
        "faster than the program by hand by": [hands[t] / medians[t] for t in (1, 2)],
    }
    for name, values in rows.items():
        print(f"{name:36}" + "".join(f"{value:12.2f}" for value in values))
    print(f"recognize with 2 threads against the plain loop with 1: {totals[1] / medians[2]:.2f} x")


if __name__ == "__main__":
    main()
