"""Pages of PDF documents and TIFF files: which there are, and at what resolution each is read."""

import io
import zlib

import numpy as np
import pypdfium2
import pytest
from PIL import Image, TiffImagePlugin

from pipelines.errors import MediaError
from pipelines.media import documents
from pipelines.media.documents import multipage_tiff, page_of, pdf_pages
from pipelines.media.images import read_image
from pipelines.media.kind import kind_of
from tests.data.pictures import ramp, write_pdf

GREY = ramp()


def near(one, two, tolerance=0):
    return one.shape == two.shape and np.abs(one.astype(int) - two).max() <= tolerance


def scanned(path, pixels, size, content="", page="", packed=False):
    """A PDF of one page, `size` units large, with an image all over it and what `content` draws."""
    across, down = size
    height, width = pixels.shape
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    resources = f"<< /XObject << /I 5 0 R >> /Font << /F {font} >> >>"
    sheet = f"/Parent 2 0 R /MediaBox [0 0 {across} {down}] /Contents 4 0 R /Resources {resources} {page}"
    image = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray"
    plain = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page {sheet} >>".encode(),
    ]
    streams = [
        ("", f"q {across} 0 0 {down} 0 0 cm /I Do Q {content}".encode()),
        (f"{image} /BitsPerComponent 8", pixels.tobytes()),
    ]
    if packed:  # objects in a compressed stream, as PDF 1.5 has them
        places = np.cumsum([0, *map(len, plain)])
        index = " ".join(f"{number} {place}" for number, place in enumerate(places[:3], 1)) + " "
        inside = zlib.compress(index.encode() + b"".join(plain))
        streams.append((f"/Type /ObjStm /N 3 /First {len(index)} /Filter /FlateDecode", inside))
    out, entries = b"%PDF-1.7\n", [(0, 0)]
    for number, whole in enumerate(plain, 1):
        entries.append((2, number - 1) if packed else (1, len(out)))
        out += b"" if packed else b"%d 0 obj\n%s\nendobj\n" % (number, whole)
    for number, (about, inside) in enumerate(streams, 4):
        entries.append((1, len(out)))
        head = f"<< {about} /Length {len(inside)} >>".encode()
        out += b"%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (number, head, inside)
    start = len(out)
    if packed:
        entries.append((1, start))
        table = b"".join(
            bytes([kind]) + (6 if kind == 2 else place).to_bytes(4, "big")
            + (place if kind == 2 else 0).to_bytes(2, "big") for kind, place in entries
        )  # fmt: skip
        about = f"/Type /XRef /Size 8 /W [1 4 2] /Root 1 0 R /Length {len(table)}"
        out += b"7 0 obj\n<< %s >>\nstream\n%s\nendstream\nendobj\n" % (about.encode(), table)
    else:
        table = "".join(f"{place:010} 00000 n \n" for _, place in entries[1:])
        out += f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\n".encode()
    path.write_bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)
    return path


def shape_of(path, **options):
    return read_image(pdf_pages(path, **options)[0]).pixels.shape


def test_pdf(tmp_path):
    grown = [ramp(40 + 10 * number, 60) for number in range(4)]
    path = write_pdf(tmp_path / "x.pdf", grown)
    assert kind_of(path).name == "PDF document"
    pages = pdf_pages(path, dpi=72)
    assert [page.number for page in pages] == [1, 2, 3, 4]
    for page, expected in zip(pages, grown, strict=True):
        picture = read_image(page)
        assert (picture.name, picture.number) == (str(path), page.number)
        assert picture.pixels.shape == expected.shape and near(picture.pixels, expected, 12)
    assert read_image(pages[0], colour=True).pixels.shape == (40, 60, 3)
    (page,) = pdf_pages(path, "2", dpi=144)
    assert read_image(page).pixels.shape == (100, 120)
    with open(path, "rb") as file:
        assert [page.number for page in pdf_pages(file, " 3-, 1 ,2-3")] == [3, 4, 1, 2]


def test_pdf_that_cannot_be_read(tmp_path):
    path = write_pdf(tmp_path / "x.pdf", [GREY, GREY])
    for pages in ("", "0", "2-1", "a", "1;2", "-3", "1-2-3"):
        with pytest.raises(ValueError, match="pages are numbers"):
            pdf_pages(path, pages)
    with pytest.raises(ValueError, match="dpi"):
        pdf_pages(path, dpi=0)
    for pages in ("3", "1-9", "4-"):
        with pytest.raises(MediaError, match=f"has 2 pages, not {pages[-1] if pages != '4-' else 4}"):
            pdf_pages(path, pages)
    (tmp_path / "cut.pdf").write_bytes(path.read_bytes()[:200])
    with pytest.raises(MediaError, match="damaged or not a PDF"):
        pdf_pages(tmp_path / "cut.pdf")
    with pytest.raises(MediaError, match="megapixels at 1e\\+06 dpi; give a lower dpi"):
        read_image(pdf_pages(path, dpi=1e6)[0])


@pytest.mark.parametrize("size", [(38, 42), (380, 420), (3.8, 4.2), (3800, 4200)])
def test_a_page_that_is_an_image_has_the_pixels_of_the_image(tmp_path, size):
    """Whatever resolution it is placed at; another is given by hand."""
    pixels = ramp(420, 380)
    path = scanned(tmp_path / "x.pdf", pixels, size)
    assert near(read_image(pdf_pages(path)[0]).pixels, pixels, 2)
    hidden = scanned(tmp_path / "y.pdf", pixels, size, "BT /F 1 Tf 3 Tr (read before) Tj ET")
    assert shape_of(hidden) == (420, 380)
    assert shape_of(path, dpi=36) == (-(-size[1] // 2), -(-size[0] // 2))
    assert page_of(path, 1, 72).dpi == 72


def test_what_is_beside_the_image_is_read_at_300_dpi_at_least(tmp_path):
    coarse, fine = ramp(20, 10), ramp(2000, 1000)
    for content in ("BT /F 9 Tf (text) Tj ET", "1 1 5 5 re f"):
        assert shape_of(scanned(tmp_path / "x.pdf", coarse, (36, 72), content)) == (300, 150)
        assert shape_of(scanned(tmp_path / "x.pdf", fine, (36, 72), content)) == (2000, 1000)
    small = "q 9 0 0 9 3 3 cm /I Do Q"
    crowded = scanned(tmp_path / "x.pdf", fine, (36, 72), small)
    assert shape_of(crowded) == (2000, 1000), "a finer image that covers little does not count"
    path = scanned(tmp_path / "x.pdf", fine, (36, 72))
    path.write_bytes(path.read_bytes().replace(b"q 36 0 0 72 0 0 cm", b"q 06 0 0 09 0 0 cm"))
    assert shape_of(path) == (300, 150)


@pytest.mark.parametrize("packed", [False, True])
def test_user_unit(tmp_path, packed):
    """PDFium gives sizes in units, of which a page may say how large they are."""
    text = "BT /F 5 Tf (text) Tj ET"
    path = scanned(tmp_path / "x.pdf", GREY, (18, 36), text, "/UserUnit 10", packed)
    assert shape_of(path, dpi=72) == (360, 180) and shape_of(path) == (1500, 750)
    with open(path, "rb") as file:
        assert read_image(pdf_pages(file, dpi=72)[0]).pixels.shape == (360, 180)
    assert read_image(pdf_pages(io.BytesIO(path.read_bytes()), dpi=72)[0]).pixels.shape == (360, 180)
    assert shape_of(scanned(tmp_path / "y.pdf", GREY, (18, 36), text, "", packed)) == (150, 75)
    assert shape_of(scanned(tmp_path / "z.pdf", GREY, (3, 2), "", "/UserUnit 10", packed)) == (20, 30)


def test_a_large_page_is_rendered_at_what_resolution_is_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST_PDF_PAGE", 1e6)
    path = scanned(tmp_path / "x.pdf", GREY, (720, 720), "1 1 5 5 re f")
    height, width = shape_of(path)
    assert 990 <= height == width <= 1000
    with pytest.raises(MediaError, match="25 x 25 cm large, 9 megapixels at 300 dpi"):
        shape_of(path, dpi=300)


def tiff(path, *images):
    """A TIFF of (pixels, tags) each."""
    first, *others = [Image.fromarray(pixels) for pixels, _ in images]
    with TiffImagePlugin.AppendingTiffWriter(str(path), True) as file:
        for image, (_, tags) in zip([first, *others], images, strict=True):
            head = TiffImagePlugin.ImageFileDirectory_v2()
            for tag, value in tags.items():
                head[tag] = value
            image.save(file, "TIFF", tiffinfo=head)
            file.newFrame()
    return path


def test_pages_of_a_tiff(tmp_path):
    reduced, mask, page, old = {254: 1}, {254: 4}, {254: 2}, {255: 2}
    turned = np.rot90(GREY[::-1], 1)
    path = tiff(
        tmp_path / "x.tif",
        (GREY[:5], reduced), (GREY, page), (GREY[:7], old), (np.ascontiguousarray(turned), {274: 6}),
        (GREY[:9], mask), (GREY[:, ::-1].copy(), {}),
    )  # fmt: skip
    assert kind_of(path).name == "image of several pages"
    expected = [GREY, GREY[::-1], GREY[:, ::-1]]
    pages = multipage_tiff(path)
    assert [page.number for page in pages] == [1, 2, 3]
    for page, pixels in zip(pages, expected, strict=True):
        picture = read_image(page)
        assert near(picture.pixels, pixels) and (picture.name, picture.number) == (str(path), page.number)
        assert near(read_image(page_of(path, page.number)).pixels, pixels)
    assert read_image(pages[1]).orientation == 6
    with open(path, "rb") as file:
        assert near(read_image(multipage_tiff(file, "3,1")[0]).pixels, expected[2])
    with pytest.raises(MediaError, match="has 3 pages, not 4"):
        multipage_tiff(path, "2-4")
    with pytest.raises(ValueError, match="pages are numbers"):
        multipage_tiff(path, "x")
    single = tiff(tmp_path / "y.tif", (GREY[:5], reduced), (GREY, {}))
    assert kind_of(single).name == "image" and near(read_image(single).pixels, GREY)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(MediaError, match="damaged or cut off"):
        for page in multipage_tiff(path):
            read_image(page)


def test_a_page_beyond_the_limit_is_refused_unread(tmp_path, monkeypatch):
    path = tiff(tmp_path / "x.tif", (GREY, {}), (ramp(200, 300), {}))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    first, second = multipage_tiff(path)
    assert near(read_image(first).pixels, GREY)
    with pytest.raises(MediaError, match="megapixels"):
        read_image(second)


def test_documents_without_a_password_or_without_pages_are_told_apart(tmp_path):
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] >>",
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(content)
    content += b"xref\n0 5\n0000000000 65535 f \n" + table
    content += b"trailer << /Size 5 /Root 1 0 R /Encrypt 4 0 R /ID [<41><41>] >>\n"
    (tmp_path / "locked.pdf").write_bytes(content + b"startxref\n%d\n%%%%EOF\n" % start)
    with pypdfium2.PdfDocument.new() as document:
        document.save(tmp_path / "none.pdf")
    for name, cause in (
        ("locked", "is encrypted; save"),
        ("none", "has no pages"),
        ("locked", "is encrypted"),
    ):
        with pytest.raises(MediaError, match=cause):
            list(pdf_pages(tmp_path / f"{name}.pdf"))
