"""read_image(): whatever holds the same picture gives the same pixels, and what holds none says why."""

import io
import os
import resource

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from pipelines.errors import MediaError
from pipelines.media import images
from pipelines.media.images import pixels_of, read_image
from pipelines.media.kind import kind_of
from tests.data.pictures import ramp, write_pdf

GREY = ramp()
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def saved(path, pixels=GREY, mode=None, **options):
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def near(one, two, tolerance=0):
    return one.dtype == np.uint8 and np.abs(one.astype(int) - two).max() <= tolerance


def test_every_kind_of_source_gives_the_same_pixels(tmp_path):
    path = saved(tmp_path / "x.png")
    assert read_image(path).name == str(path)
    assert near(read_image(str(path)).pixels, GREY)
    with open(path, "rb") as file:
        assert near(read_image(file).pixels, GREY) and near(read_image(file).pixels, GREY)
    with open(path, "rb") as file:
        read_end, write_end = os.pipe()
        os.write(write_end, file.read())
        os.close(write_end)
        with open(read_end, "rb") as pipe:  # cannot seek
            assert near(read_image(pipe).pixels, GREY)
    assert near(read_image(io.BytesIO(path.read_bytes())).pixels, GREY)
    image = Image.open(path)
    assert near(read_image(image).pixels, GREY) and near(np.asarray(image), GREY)
    wide = GREY.astype(np.uint16) * 256 + 255
    for array in (GREY, GREY[..., None], GREY.astype(np.int64), GREY / 255, wide, np.repeat(COLOUR, 1, 2)):
        expected = read_image(Image.fromarray(COLOUR)).pixels if array.shape[2:] == (3,) else GREY
        assert near(read_image(array).pixels, expected, 1)
        if array.dtype != np.uint16:
            assert near(read_image(torch.tensor(array)).pixels, expected, 1)
    assert near(read_image(torch.tensor(COLOUR).permute(2, 0, 1), colour=True).pixels, COLOUR)
    assert near(read_image(GREY > 99).pixels, 255 * (GREY > 99))
    assert read_image(GREY, colour=True).pixels.shape == (20, 30, 3)


@pytest.mark.parametrize(
    "name, mode, options, tolerance",
    [
        ("x.png", None, {}, 0), ("x.png", "RGB", {}, 0), ("x.png", "P", {}, 1), ("x.png", "I;16", {}, 0),
        ("x.png", "LA", {}, 0), ("x.png", "RGBA", {}, 0), ("x.gif", None, {}, 0), ("x.bmp", None, {}, 0),
        ("x.tif", None, {"compression": "tiff_lzw"}, 0), ("x.tif", "CMYK", {}, 1), ("x.tif", "I", {}, 0),
        ("x.jpg", None, {"quality": 98}, 6), ("x.jpg", "RGB", {"quality": 98}, 6),
        ("x.jpg", "CMYK", {"quality": 98}, 6), ("x.webp", "RGB", {"lossless": True}, 1),
        ("x.jp2", None, {}, 1), ("x.pgm", None, {}, 0), ("x.png.txt", None, {"format": "PNG"}, 0),
    ],
)  # fmt: skip
def test_every_kind_of_file(tmp_path, name, mode, options, tolerance):
    path = saved(tmp_path / name, mode=mode, **options)
    assert near(read_image(path).pixels, GREY, tolerance)
    assert near(read_image(path, colour=True).pixels, np.repeat(GREY[..., None], 3, 2), tolerance)
    assert kind_of(path).name == "image"


def test_deep_and_shallow_pixels(tmp_path):
    assert near(read_image(saved(tmp_path / "x.png", GREY.astype(np.uint16) * 257)).pixels, GREY)
    assert near(read_image(saved(tmp_path / "x.tif", GREY / np.float32(255))).pixels, GREY)
    assert near(read_image(saved(tmp_path / "1.png", 255 * (GREY > 99).astype(np.uint8), "1")).pixels,
                255 * (GREY > 99))  # fmt: skip


def test_light_ink_on_nothing_is_seen(tmp_path):
    alpha = np.where(np.arange(20) < 10, 255, 0).astype(np.uint8)[:, None].repeat(30, 1)
    white = np.full_like(alpha, 255)
    path = saved(tmp_path / "x.png", np.dstack([white, white, white, alpha]))
    assert near(read_image(path).pixels, alpha)
    assert near(read_image(path, colour=True).pixels[..., 1], alpha)
    assert near(read_image(np.dstack([white, white, white, alpha])).pixels, alpha)


def test_colours_that_cannot_be_converted_are_named(tmp_path):
    Image.new("LAB", (30, 20)).save(tmp_path / "x.tif")
    with pytest.raises(MediaError, match="CIELAB; save it as RGB"):
        read_image(tmp_path / "x.tif")


def test_what_is_transparent_is_white_paper(tmp_path):
    seen = np.full_like(GREY, 255)
    seen[:10] = GREY[:10]
    alpha = np.where(np.arange(20) < 10, 255, 0).astype(np.uint8)[:, None].repeat(30, 1)
    path = saved(tmp_path / "x.png", np.dstack([GREY, GREY, GREY, alpha]))
    assert near(read_image(path).pixels, seen)
    assert near(read_image(np.dstack([GREY, GREY, GREY, alpha])).pixels, seen)
    palette = Image.fromarray(np.where(alpha > 0, 0, 1).astype(np.uint8), "P")
    palette.putpalette([0, 0, 0] * 2)
    palette.save(tmp_path / "p.png", transparency=1)
    assert near(read_image(tmp_path / "p.png").pixels, 255 - alpha)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.tif"])
def test_images_are_upright(tmp_path, orientation, name):
    stored = {
        1: GREY, 2: np.fliplr(GREY), 3: np.rot90(GREY, 2), 4: np.flipud(GREY), 5: GREY.T,
        6: np.rot90(GREY, 1), 7: np.rot90(GREY.T, 2), 8: np.rot90(GREY, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / name, np.ascontiguousarray(stored), exif=exif)
    for colour in (False, True):
        found = read_image(path, colour).pixels
        assert near(found[..., 0] if colour else found, GREY, 8)
    if not name.endswith("tif"):  # Pillow garbles turned TIFF files that it opens by name
        assert near(read_image(Image.open(path)).pixels, GREY, 8)


def test_damaged_files_say_so(tmp_path):
    """Cut off or changed anywhere: either pixels or one MediaError, never another exception."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    refused = 0
    for name in ("x.png", "x.jpg", "x.tif", "x.gif", "x.webp", "x.bmp"):
        exif = {} if name == "x.bmp" else {"exif": Image.Exif()}
        content = saved(tmp_path / name, noise, **exif).read_bytes()
        for end in range(0, len(content), max(1, len(content) // 40)):
            with pytest.raises(MediaError) as error:
                read_image(io.BytesIO(content[:end]))
            assert error.value.cause and error.value.way_out
            broken = bytearray(content)
            broken[end : end + 3] = b"\xff\x07\x80"
            try:
                read_image(io.BytesIO(bytes(broken)))
            except MediaError:
                refused += 1
    assert refused > 20


def test_what_is_no_image(tmp_path):
    def put(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    pages = [Image.fromarray(GREY)] * 3
    pages[0].save(tmp_path / "many.tif", save_all=True, append_images=pages[1:])
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    for source, cause in [
        (tmp_path / "none.png", "does not exist"),
        (tmp_path, "is a folder"),
        (put("empty.png", b""), "is empty"),
        (put("text.png", b"Not an image at all.\n"), "not in a supported image format"),
        (put("run.eps", postscript), "not in a supported image format"),
        (write_pdf(tmp_path / "x.pdf", [GREY]), "is a PDF"),
        (tmp_path / "many.tif", "holds 3 pages"),
        (io.StringIO("x"), "neither a path"),
        (7, "neither a path"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((5,), np.uint8), "shape"),
        (np.zeros((5, 5, 7), np.uint8), "shape"),
        (np.full((5, 5), 3.0), "values from"),
        (np.full((5, 5), np.nan), "values from"),
        (np.full((5, 5), -1), "down to -1"),
        (np.full((5, 5), 1j), "complex128"),
        (np.full((5, 5), "x"), "no pixels"),
    ]:
        with pytest.raises(MediaError, match=cause):
            read_image(source)


def test_a_bomb_is_refused_unread(tmp_path):
    import zlib

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (60_000).to_bytes(4, "big")
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + size + b"\x08\0\0\0\0")
    (tmp_path / "x.png").write_bytes(head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
    with pytest.raises(MediaError, match="more than 179 megapixels"):
        read_image(tmp_path / "x.png")
    assert kind_of(tmp_path / "x.png").name == "image"  # so that a folder's run reports it


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_in_strips(tmp_path, orientation):
    tall = np.arange(700 * 3, dtype=np.uint32).reshape(700, 3)
    for pixels in (tall.astype(np.uint8), (tall / tall.max()).astype(np.float32), tall.astype(np.uint16)):
        image = Image.fromarray(pixels)
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / ("x.tif" if image.mode == "F" else "x.png")
        image.save(path, exif=exif)
        upright = Image.open(path)  # Pillow turns TIFF itself
        upright = upright if image.mode == "F" else ImageOps.exif_transpose(upright)
        assert near(read_image(path).pixels, read_image(np.asarray(upright)).pixels)


def test_large_images_take_little_memory_beside_their_own(tmp_path):
    side = 5000
    for kind in ("F", "RGBA"):
        path = tmp_path / f"{kind}.tif"
        Image.new(kind, (side, side)).save(path, compression="tiff_lzw")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert read_image(path).pixels.shape == (side, side)
        mebibytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert mebibytes < 6.5 * side * side / 2**20
    with pytest.raises(MediaError, match="has 126 megapixels; scale it down to at most 80"):
        read_image(Image.new("1", (12_000, 10_500)), colour=True)


@pytest.mark.parametrize(
    ("mode", "name", "size"),
    [
        ("F", "x.tif", (10_100, 10_000)),
        ("RGBA", "x.png", (10_100, 10_000)),
        ("I;16", "x.png", (20_100, 10_000)),
    ],
)
def test_images_that_would_take_much_memory_are_refused_before_they_are_decoded(tmp_path, mode, name, size):
    Image.new(mode, (64, 64)).save(tmp_path / name)
    with Image.open(tmp_path / name) as image:
        image._size = size
        image.load = lambda: pytest.fail("was decoded")
        with pytest.raises(MediaError, match=r"megapixels of [24] bytes each; convert it to 8 bits of grey"):
            pixels_of(image, "x", False)


def test_large_grey_images_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "LARGEST_DECODED", 64 * 64)
    Image.new("L", (64, 64)).save(tmp_path / "x.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "x.jpg")
    assert read_image(tmp_path / "x.png").pixels.shape == read_image(tmp_path / "x.jpg").pixels.shape
