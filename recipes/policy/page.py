"""What a policy has learnt as a picture and as one HTML file with the video of an episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.writers import write_atomically
from pipelines.writers.markup import data_uri
from recipes.policy.episodes import Episode, interval, mean_reward
from recipes.scoring.reports import write_report

BARS = 20  # of the histogram of rewards
MOST_VIDEO = 4_000_000  # bytes of a video that the page holds
LEARNT, LEARNING, RANDOM = "#2f7fc1", "#cf6a1c", "#8a8a84"


def write_curve(path: Path, history: Sequence[Mapping[str, float]], random: float, title: str) -> Path:
    """Draw the rewards over the steps of training as a PNG file; returns its path.

    Args:
        history: the rows that `train` returned.
        random: mean reward of episodes with random actions.
        title: of the picture.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = [row for row in history if "reward" in row]
    with matplotlib.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure((7, 3.8), layout="constrained")
        axes = figure.add_subplot()
        steps = [row["steps"] for row in rows]
        axes.plot(steps, [row["reward"] for row in rows], ".-", color=LEARNT, label="validation episodes")
        learning = [(row["steps"], row["while_learning"]) for row in rows if "while_learning" in row]
        if learning:
            axes.plot(*zip(*learning, strict=True), "-", color=LEARNING, label="while learning, with noise")
        axes.axhline(random, color=RANDOM, linestyle=":", label="before training, random actions")
        axes.set_xlabel("steps in the environment")
        axes.set_ylabel("reward of an episode")
        axes.set_title(title, loc="left", fontsize=10)
        axes.grid(alpha=0.25)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.legend(frameon=False, fontsize=9)
        with write_atomically(path, "wb") as file:
            figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return path


def write_policy_page(
    path: Path,
    found: Sequence[Episode],
    random: Sequence[Episode],
    facts: Mapping[str, object],
    curve: Path,
    video: Path | None,
) -> Path:
    """Write the report as one self-contained page.

    Args:
        path: the HTML file; replaced atomically.
        found: the test episodes.
        random: as many with random actions.
        facts: names and values for the page's head, as in `heading`.
        curve: picture of the learning curve.
        video: of the first test episode, if there is one.

    Returns:
        The path written.
    """
    rewards = [episode.reward for episode in found]
    shown = video and video.stat().st_size <= MOST_VIDEO
    return write_report(
        path,
        "policy.html",
        "test episodes",
        facts,
        curves=[],
        count=len(found),
        reward=mean_reward(found),
        interval=interval(found),
        least=min(rewards),
        most=max(rewards),
        random=mean_reward(random),
        steps=sum(episode.steps for episode in found) / len(found),
        bars=_histogram(rewards),
        curve=data_uri("image/png", curve.read_bytes()),
        video=data_uri("video/mp4", video.read_bytes()) if shown else "",
        worst=sorted(found, key=lambda episode: episode.reward)[:10],
    )


def _histogram(rewards: Sequence[float]) -> list[tuple[float, float, int, float]]:
    """From, to, number of episodes, and its share of the largest number."""
    least, most = min(rewards), max(rewards)
    count = BARS if most > least else 1
    width = (most - least) / count
    found = [0] * count
    for reward in rewards:
        found[min(count - 1, int((reward - least) / width)) if width else 0] += 1
    return [
        (least + place * width, least + (place + 1) * width, each, each / max(found))
        for place, each in enumerate(found)
    ]
