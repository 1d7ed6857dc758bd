"""Opens videos: files, folders of images and arrays.

The content decides how a file is read, never its name.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Union

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.animations import open_animation
from pipelines.media.documents import multipage_tiff
from pipelines.media.files import locate, readable
from pipelines.media.footage import Frame, Video
from pipelines.media.image_heads import is_moving_webp
from pipelines.media.images import is_animated
from pipelines.media.picture_frames import open_array, open_folder
from pipelines.media.video_file import open_file

if TYPE_CHECKING:
    import torch

__all__ = ["Clip", "Frame", "Source", "Video", "open_clip", "open_scene", "open_video"]

MOVING_AVIF = re.compile(rb"....ftypavi[fs]", re.DOTALL)  # of which FFmpeg shows the first frame alone
Source = Union[str, os.PathLike, BinaryIO, np.ndarray, "torch.Tensor"]


@dataclass(frozen=True)
class Clip:
    """A video, or the stretch of it from `start` to `end` in seconds; not opened yet."""

    kind: ClassVar[str] = "video"

    source: Source
    start: float = 0.0
    end: float | None = None


def open_clip(source: Source | Clip, kind: str = "video", options: object = None) -> list[Clip]:
    """The one clip that a video is; opener of the tasks for video.

    Raises:
        MediaError: a folder holds no images, or an array is none of frames.
    """
    if kind == "frames":
        open_video(source)
    return [source if isinstance(source, Clip) else Clip(source)]


def open_scene(source: Source | Clip, kind: str, options: object = None) -> list:
    """A video as a clip, an image as it is or each page of a TIFF; opener of the tasks for either."""
    if kind == "image of several pages":
        return multipage_tiff(source)
    return open_clip(source, kind) if kind in ("video", "frames") else [source]


def open_video(source: Source, fps: float = 25.0) -> Video:
    """Open a video and decode its first frame.

    Args:
        source: a path; a binary file object, which must stay open; a folder of images, in the order of the
            numbers in their names; an array or tensor of shape (frames, height, width, 3), uint8.
        fps: frame rate of a folder or an array, per second; files have their own times.

    Raises:
        MediaError: the file does not exist, is empty, damaged, of another type, or has no video track; the
            folder has no images; or the array has another shape or type.
    """
    if not 0 < fps < math.inf:
        raise ValueError(f"fps must be above 0, not {fps}")
    if isinstance(source, np.ndarray) or hasattr(source, "numpy"):
        return open_array(source, fps)
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        return open_folder(Path(source), fps)
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        head = file.read(4096)
        file.seek(0)
        moving = is_moving_webp(head) or (MOVING_AVIF.match(head) and is_animated(file, name))
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or record it again")
    if moving:
        return open_animation(name, open_it)
    return open_file(name, open_it, head)
