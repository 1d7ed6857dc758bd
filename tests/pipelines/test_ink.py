"""Ink: whatever holds strokes is read alike, hostile files are refused, and every point finds its letter."""

import gzip
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from decoders.alphabet import Alphabet
from decoders.contract import Labels
from encoders.pen import level, trace
from pipelines.errors import MediaError
from pipelines.ink import Spike, assign, read_inks, spans
from pipelines.media.ink import Ink, piece, read_ink
from pipelines.media.kind import kind_of
from pipelines.model import SequenceModel, load
from tests.data.ink import moved, write

SIZES = {"kind": "strokes", "output_size": 32, "channels": 32, "strides": [1, 2]}
TEXTS = ("tail until lion", "a cat in tin", "noon taco")
WAYS = ({}, {"late": True}, {"joined": True})
EXAMPLE = """1125 18432,'23'43,"7"-8,3-5,7 -3,6 2,6 8,3 6 T,2 4*T,3 6,3-6 F F"""
DECODED = [(1125, 18432), (1148, 18475), (1178, 18510), (1211, 18540), (1251, 18567), (1297, 18596),
           (1349, 18633), (1404, 18676), (1461, 18723), (1521, 18776), (1584, 18823)]  # fmt: skip


def inkml(content, tmp_path=None, head="<?xml version='1.0'?>"):
    document = f'{head}<ink xmlns="http://www.w3.org/2003/InkML">{content}</ink>'
    return io.BytesIO(document.encode())


def points(ink):
    return [stroke[:, :2].tolist() for stroke in ink.strokes]


# Files and lists


@pytest.mark.parametrize(
    "ending", [".inkml", ".inkml.gz", ".jsonl", ".jsonl.gz", ".utf-16", None, "array", "open"]
)
def test_every_kind_of_source_gives_the_same_strokes(tmp_path, ending):
    strokes = [[[0, 10], [3, 12.5]], [], [[7, -1]]]
    lines = json.dumps({"strokes": strokes, "label": "hé", "writer": 7}) + "\n\n"
    traces = "".join("<trace>" + ",".join(f"{x} {y}" for x, y in stroke) + "</trace>" for stroke in strokes)
    labels = '<annotation type="truth">hé</annotation><annotation type="writer">7</annotation>'
    if ending in (None, "array"):
        (ink,) = read_ink([np.array(stroke) for stroke in strokes] if ending else strokes)
        assert (ink.name, ink.number, ink.label) == ("<strokes>", None, None)
    elif ending == "open":
        file = io.BytesIO(lines.encode())
        file.read()
        (ink,) = read_ink(file)
        assert not file.closed
    else:
        path = tmp_path / f"x{ending}"
        content = (
            inkml(labels + traces).read()
            if "inkml" in ending
            else lines.encode(ending[1:] if ending == ".utf-16" else "utf-8")
        )
        path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
        assert (kind_of(path).name, kind_of(path).ruined) == ("ink", False)
        (ink,) = read_ink(path)
        assert (ink.name, ink.number, ink.label, ink.writer) == (str(path), 1, "hé", "7")
    assert points(ink) == strokes
    assert all(stroke.dtype == np.float32 and stroke.shape[1] == 3 for stroke in ink.strokes)
    assert np.isnan(np.concatenate(ink.strokes)[:, 2]).all()


def test_times_count_from_the_first_and_survive_an_epoch():
    start = 1.7e12
    (ink,) = read_ink([[(0, 0, start), (1, 1, start + 16)], [(2, 2, start + 250)]])
    assert np.concatenate(ink.strokes)[:, 2].tolist() == [0, 16, 250]
    form = '<traceFormat><channel name="T" units="{}"/><channel name="Y"/><channel name="X"/></traceFormat>'
    for units, seconds in (("ms", 0.25), ("s", 250.0)):
        (ink,) = read_ink(inkml(form.format(units) + "<trace>100 1 2, 350 3 4</trace>"))
        assert points(ink) == [[[2, 1], [4, 3]]]
        assert ink.strokes[0][:, 2] == pytest.approx([0, seconds])


def test_the_standards_own_example_of_difference_encoding():
    buttons = '<intermittentChannels><channel name="B1"/><channel name="B2"/></intermittentChannels>'
    form = f'<traceFormat><channel name="X"/><channel name="Y"/>{buttons}</traceFormat>'
    (ink,) = read_ink(inkml(f"{form}<trace>{EXAMPLE}</trace>"))
    assert points(ink) == [[list(point) for point in DECODED]]
    (ink,) = read_ink(inkml("<trace>#A .5e1, '1 '-2, 3*, !7 ! 8, * 9</trace>"))
    assert points(ink) == [[[10, 5], [11, 3], [14, 1], [7, 8], [7, 9]]]


def test_contexts_orientation_continuations_and_pen_ups():
    (ink,) = read_ink(
        inkml("""
        <definitions><context xml:id="c"><inkSource><traceFormat>
          <channel name="F"/><channel name="X"/><channel name="Y" orientation="-ve"/>
        </traceFormat></inkSource></context></definitions>
        <trace id="a" contextRef="#c" continuation="begin">9 1 2</trace><!-- a remark -->
        <trace type="penUp">5 5</trace>
        <trace id="b">3 4</trace>
        <traceGroup contextRef="#c">
          <trace continuation="end" priorRef="#a">9 5 <!-- x -->6</trace>
        </traceGroup>
    """)
    )
    assert points(ink) == [[[1, -2], [5, -6]], [[3, 4]]]


def test_a_file_is_one_piece_by_its_label_and_several_by_those_of_its_groups():
    def label(text):
        return f'<annotation type="transcription">{text}</annotation>'

    groups = f"<traceGroup>{label('a b')}<traceGroup>{label('a')}<trace>1 2</trace></traceGroup></traceGroup>"
    groups += f"<traceGroup>{label('c')}<trace>3 4</trace></traceGroup>"
    found = read_ink(inkml(groups))
    assert [(ink.label, ink.number, points(ink)) for ink in found] == [
        ("a b", 1, [[[1, 2]]]), ("c", 2, [[[3, 4]]])
    ]  # fmt: skip
    (whole,) = read_ink(inkml(label("a b c") + groups))
    assert (whole.label, points(whole)) == ("a b c", [[[1, 2]], [[3, 4]]])
    views = f"""<trace id="t">1 1,2 2,3 3</trace><traceGroup id="g"><trace>4 4</trace></traceGroup>
        <traceView>{label("x")}<traceView traceDataRef="#t" from="2" to="3"/><traceView traceDataRef="g"/>
        </traceView>"""
    (seen,) = read_ink(inkml(views))
    assert (seen.label, points(seen)) == ("x", [[[2, 2], [3, 3]], [[4, 4]]])


BOMB = '<!DOCTYPE ink [<!ENTITY a "1 1,"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
THIEF = '<!DOCTYPE ink [<!ENTITY a SYSTEM "/etc/passwd">]>'
VIEW = '<traceView id="{}"><annotation type="label">x</annotation>{}</traceView>'
CIRCLE = VIEW.format("v", '<traceView traceDataRef="#v"/>')
DOUBLING = "".join(VIEW.format(f"v{n}", f'<traceView traceDataRef="#v{n + 1}"/>' * 2) for n in range(40))


def test_harmless_oddities_of_inkml():
    """A comma behind the last point; ids that are no XML names, as CROHME has them."""
    (ink,) = read_ink(inkml('<trace id="0">1 2, 3 4,</trace><trace>5 6 , </trace>'))
    assert points(ink) == [[[1, 2], [3, 4]], [[5, 6]]]
    content = '<annotation type="truth">7</annotation><a><mn xml:id="2_1">7</mn></a><trace>1 2</trace>'
    (ink,) = read_ink(inkml(content))
    assert ink.label == "7" and points(ink) == [[[1, 2]]]


@pytest.mark.parametrize(
    "content",
    [
        f"<trace>{' ' * 60_000}x</trace>",
        f"<trace>1{' ' * 60_000}2{' ' * 60_000}!</trace>",
        '<context xml:id="c0"/>'
        + "".join(
            f'<context xml:id="c{n}" contextRef="#c{n - 1}" inkSourceRef="#c{n - 1}" '
            f'traceFormatRef="#c{n - 1}"/>'
            for n in range(1, 40)
        )
        + '<trace contextRef="#c39">1 2</trace>',
    ],
    ids=["spaces", "spaces between", "contexts that double"],
)
def test_inkml_that_takes_for_ever_is_refused_at_once(content):
    with pytest.raises(MediaError):
        read_ink(inkml(content))


@pytest.mark.parametrize(
    "content, head, cause",
    [
        ("", "", "holds no points"),
        ("<trace></trace>", "", "holds no points"),
        ("<trace>1</trace>", "", "1 values for 2"),
        ("<trace>1 2 3</trace>", "", "3 values for 2"),
        ("<trace>1 2,,3 4</trace>", "", "0 values for 2"),
        ("<trace>1 x</trace>", "", "'x', not a number"),
        ("<trace>1 ?</trace>", "", "not numbers"),
        ("<trace>1e999 2</trace>", "", "not numbers"),
        ("<trace>1e12 2</trace>", "", "beyond"),
        ("<trace>1 #" + "f" * 400 + "</trace>", "", "not a number"),
        ("<traceFormat><channel name='X'/></traceFormat><trace>1</trace>", "", "X and Y"),
        ("<trace contextRef='#no'>1 2</trace>", "", "'#no'"),
        ("<context id='a' contextRef='#a'/><trace>1 2</trace>", "", "circle"),
        ("<trace continuation='end' priorRef='#b'>1 2</trace><trace id='b'>1 2</trace>", "", "not before it"),
        (CIRCLE, "", "circles"),
        (DOUBLING + '<traceView id="v40"/>', "", "circles"),
        ("<trace>&b;</trace>", BOMB, "entities"),
        ("<trace>&a;</trace>", THIEF, "entities"),
        ("<a>" * 100_000, "", "not XML"),
        ("<trace>1 2", "", "not XML"),
    ],
)  # fmt: skip
def test_hostile_inkml_is_refused_with_file_cause_and_way_out(content, head, cause):
    file = inkml(content, head=head)
    file.name = "evil.inkml"
    with pytest.raises(MediaError, match=cause) as refused:
        read_ink(file)
    assert refused.value.path.startswith("evil.inkml") and refused.value.way_out


@pytest.mark.parametrize(
    "bad, cause",
    [
        ("<trace id='t'>3 3, x y</trace>", "point 2 of trace t has 'x y', not a number"),
        ("<trace id='t' contextRef='#gone'>3 3</trace>", "refers to '#gone', which is not in it"),
        ("<trace id='t'>3 x</trace><trace continuation='end' priorRef='#t'>4 4</trace>", "not a number"),
    ],
)
def test_one_bad_trace_costs_that_trace(bad, cause):
    (ink,) = read_ink(inkml(f"<trace>0 0, 1 1</trace>{bad}<trace>5 5</trace>"))
    assert points(ink) == [[[0, 0], [1, 1]], [[5, 5]]]
    assert cause in ink.notes[0] and ink.notes[0].startswith("left out: ")


@pytest.mark.parametrize("view", ["#bad", "#gone", "#group"])
def test_one_bad_view_costs_that_view_in_its_piece(view):
    traces = '<trace id="a">0 0, 1 1</trace><traceGroup id="group"><trace id="bad">x</trace></traceGroup>'
    label = '<annotation type="truth">x</annotation>'
    whole = f'<traceGroup>{label}<traceView traceDataRef="#a"/></traceGroup>'
    cut = f'<traceGroup>{label}<traceView traceDataRef="#a"/><traceView traceDataRef="{view}"/></traceGroup>'
    first, second = read_ink(inkml(traces + cut + whole))
    assert points(first) == points(second) == [[[0, 0], [1, 1]]]
    assert len(first.notes) == 1 and second.notes == ()


@pytest.mark.parametrize(
    "content, cause",
    [
        (b"", "is empty"),
        (b"\n  \n", "neither"),
        (b"\x89PNG\r\n", "neither"),
        (b"<html></html>", "not InkML's"),
        (b"{", "not JSON"),
        (b'{"strokes": ' + b"[" * 100_000, "not JSON"),
        (b'{"label": "x"}', 'no "strokes"'),
        (b'{"strokes": []}', "no points"),
        (b'{"strokes": {}}', "not a list"),
        (b'{"strokes": [[1, 2]]}', "2 or 3"),
        (b'{"strokes": [[[1, 2], [1, 2, 3]]]}', "same size"),
        (b'{"strokes": [[["1", "2"]]]}', "2 or 3"),
        (b'{"strokes": [[[NaN, 2]]]}', "not numbers"),
        (b'{"strokes": [[[1e999, 2]]]}', "not numbers"),
        (b'{"strokes": [[[null, 2]]]}', "2 or 3"),
        (b'{"strokes": [[[1, 2]]], "label": 5}', "label is int"),
        (gzip.compress(b'{"strokes": [[[1, 2]]]}', mtime=0)[:-9], "cut off"),
        (b"\x1f\x8b rubbish", "damaged"),
        (b"{" + b" " * (17 << 20), "longer than 16 MiB"),
        (gzip.compress(b"{" + b" " * (40 << 20), 9), "expands more than 200-fold"),
    ],
)
def test_damaged_lines_are_refused_with_file_cause_and_way_out(tmp_path, content, cause):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=cause) as refused:
        read_ink(path)
    assert refused.value.path.startswith(str(path)) and refused.value.way_out


def test_a_piece_that_cannot_be_read_costs_no_other(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"strokes": [[[1, 2]]]}\n\n{"strokes"\n{"strokes": []}\n{"strokes": [[[5, 6]]]}\n')
    found = read_ink(path)
    assert [(ink.number, ink.fault is None) for ink in found] == [
        (1, True),
        (3, False),
        (4, False),
        (5, True),
    ]
    assert found[1].fault.path == f"{path}:3" and "not JSON" in found[1].fault.cause
    assert points(piece(path, 5)) == [[[5, 6]]] and points(piece(path, None)) == [[[1, 2]]]
    for number, cause in ((4, "no points"), (2, "no piece 2")):
        with pytest.raises(MediaError, match=cause):
            piece(path, number)
    groups = "".join(
        f'<traceGroup><annotation type="truth">{text}</annotation><trace>{trace}</trace></traceGroup>'
        for text, trace in (("a", "1 2"), ("b", ""), ("c", "5 6"))
    )
    assert [ink.fault is None for ink in read_ink(inkml(groups))] == [True, False, True]


def test_coordinates_are_those_of_the_canvas_and_channels_may_be_small_letters():
    def drawn(mapping):
        context = f'<context xml:id="c"><canvasTransform>{mapping}</canvasTransform></context>'
        (ink,) = read_ink(
            inkml(f'<definitions>{context}</definitions><trace contextRef="#c">1 2, 3 4</trace>')
        )
        return points(ink)[0], ink.notes

    assert drawn('<mapping type="affine"><affine>2 0 1, 0 -1 5</affine></mapping>') == ([[3, 3], [7, 1]], ())
    assert drawn('<mapping type="identity"/>') == ([[1, 2], [3, 4]], ())
    kept, notes = drawn('<mapping type="lookup"><table>1 2, 3 4</table></mapping>')
    assert kept == [[1, 2], [3, 4]] and "not applied" in notes[0]
    form = '<traceFormat><channel name="y"/><channel name="x"/></traceFormat>'
    assert points(read_ink(inkml(f"{form}<trace>2 1</trace>"))[0]) == [[[1, 2]]]


def test_what_is_no_file_and_no_list_is_refused(tmp_path):
    for source in (tmp_path, tmp_path / "none.jsonl", io.StringIO("{}"), [], [(1, 2), (3, 4)], 5, ["ab"]):
        with pytest.raises(MediaError):
            read_ink(source)


# Characters and strokes


def truth(prepared, written):
    """The letter of each prepared point, -1 where there is none."""
    return np.array([
        written.owners[stroke][round(point)] if stroke >= 0 else -1
        for stroke, point in zip(prepared.stroke, np.nan_to_num(prepared.point), strict=True)
    ])  # fmt: skip


def spikes_at(share, written, prepared, owners):
    """Where a model may name the letters: at this share of the main stroke of each."""
    letters = written.text.replace(" ", "")
    found = []
    for number, letter in enumerate(letters):
        own = np.flatnonzero(owners == number)
        own = own[prepared.stroke[own] == prepared.stroke[own[0]]]
        place = own[int(share * (len(own) - 1))]
        found.append(Spike(letter, place - 1, place + 1))
    return found


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("text", ["until taco tail", "a lion at noon", "tattoo", "i"])
def test_every_point_finds_its_letter_from_a_spike_alone(text, way, share):
    written = write(text, **way)
    prepared = trace(level(moved(written.strokes, 100.0, 0.3, 3.0, (50, 999))), 0.25)
    expected = truth(prepared, written)
    owners = assign(prepared, spikes_at(share, written, prepared, expected))
    assert np.array_equal(owners >= 0, prepared.stroke >= 0)
    known = expected >= 0
    right = (owners[known] == expected[known]).mean()
    assert right > 0.88 if "joined" in way else right == 1.0
    found = spans(prepared, owners, [len(stroke) for stroke in written.strokes])
    taken = [np.zeros(len(stroke), int) for stroke in written.strokes]
    for parts in found.values():
        for part in parts:
            taken[part.stroke][part.first : part.last + 1] += 1
    assert all((counts == 1).all() for counts in taken)  # each original point exactly once


def test_right_to_left_writing_is_parted_like_its_mirror_image():
    written = write("until taco", late=True)
    prepared = trace(level(written.strokes), 0.25)
    expected = truth(prepared, written)
    spikes = spikes_at(0.5, written, prepared, expected)
    mirrored = trace(level([stroke * (-1.0, 1.0) for stroke in written.strokes]), 0.25)
    hebrew = [
        Spike("א", spike.first, spike.last)
        for spike in spikes_at(0.5, written, mirrored, truth(mirrored, written))
    ]
    dotless = [Spike("b", spike.first, spike.last) for spike in spikes]
    assert (assign(mirrored, hebrew) == truth(mirrored, written))[mirrored.stroke >= 0].mean() > 0.9
    assert (assign(prepared, dotless) == expected)[prepared.stroke >= 0].mean() > 0.9


@pytest.mark.parametrize("spikes", [0, 1, 7, 400])
def test_more_or_fewer_characters_than_points_lose_none(spikes):
    prepared = trace(level(write("tin").strokes), 0.25)
    found = assign(prepared, [Spike("x", place / 10, place / 10) for place in range(spikes)])
    down = prepared.stroke >= 0
    assert (found[~down] == -1).all()
    assert ((found[down] >= 0) & (found[down] < spikes)).all() if spikes else (found == -1).all()
    assert (np.diff(found[down & (found >= 0)]) >= 0).all()


# Pages


@pytest.fixture(scope="module")
def model():
    """Has learned three texts by heart, each in all ways of writing."""
    torch.manual_seed(1)
    letters = "aciln otu"
    model = SequenceModel(
        "ink", SIZES, {"kind": "bilstm", "hidden_size": 32, "num_layers": 1}, {"kind": "ctc"},
        Alphabet(sorted(letters)), name="small",
    )  # fmt: skip
    samples = []
    for text in TEXTS:
        for way in WAYS:
            features = trace(level(write(text, **way).strokes), 0.25).features
            samples.append((torch.from_numpy(features), model.alphabet.encode(text)))
    lengths = torch.tensor([len(features) for features, _ in samples])
    x = torch.nn.utils.rnn.pad_sequence([features for features, _ in samples], batch_first=True)
    targets = [target for _, target in samples]
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    model.train()
    for _ in range(100):
        loss = model.decoder.loss(*model.states(x, lengths), targets).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_trained_model_reads_ink_and_knows_which_points_made_a_letter(model, way):
    written = write("tail until lion", **way)
    strokes = moved(written.strokes, 100.0, 0.2, 2.0, (500, 999))
    (page,) = read_inks(read_ink(strokes), model)
    assert page.text == "tail until lion"
    assert [word.text for word in page.words] == ["tail", "until", "lion"]
    assert (page.source, page.number, page.model) == (None, None, "small")
    glyphs = [glyph for word in page.words for glyph in word.glyphs]
    right = total = 0
    for number, glyph in enumerate(glyphs):
        assert 0 < glyph.confidence <= 1
        made = [written.owners[part.stroke][part.first : part.last + 1] for part in glyph.strokes]
        made = np.concatenate(made)
        right, total = right + (made == number).sum(), total + (made >= 0).sum()
        own = np.concatenate([strokes[part.stroke][part.first : part.last + 1] for part in glyph.strokes])
        assert glyph.box == pytest.approx((*own.min(axis=0), *own.max(axis=0)), rel=1e-5)
    # Of joined letters, CTC learns some by what links them to their neighbours; and some by late strokes.
    assert right / total > (0.7 if "joined" in way else 0.8)
    (line,) = page.lines
    assert line.box == pytest.approx(
        (*np.concatenate(strokes).min(0), *np.concatenate(strokes).max(0)), rel=1e-5
    )
    (left, _), (right_end, _) = line.baseline
    assert left < line.box[0] + 50 and right_end > line.box[2] - 50
    slope = (line.baseline[1][1] - line.baseline[0][1]) / (right_end - left)
    assert np.degrees(np.arctan(slope)) == pytest.approx(2.0, abs=0.5)


def test_neighbours_scale_and_a_saved_copy_change_nothing(model, tmp_path):
    texts = ("tail", "a lion at noon until taco", "i")
    inks = [read_ink(write(text).strokes)[0] for text in texts]
    together = list(read_inks(inks, model))
    copy = load(model.save(tmp_path / "copy.safetensors", bits=32))
    for ink, page in zip(inks, together, strict=True):
        larger = Ink(tuple(stroke * np.float32(1000) for stroke in ink.strokes))
        for other in (*read_inks([ink], model), *read_inks([ink], copy), *read_inks([larger], model)):
            assert other.text == page.text
            assert [word.strokes for word in other.words] == [word.strokes for word in page.words]


def test_ink_without_a_letter_and_endless_ink_are_results_too(model, monkeypatch):
    (dot,) = read_ink([[(5, 5)]])
    scribble = Ink(
        (np.array([(i % 2 * 100.0, 0.0, 0.0) for i in range(20_000)], np.float32),), None, None, "x", 3
    )
    empty = Labels([], [], [], [])
    monkeypatch.setattr("decoders.ctc.greedy", lambda log_probs, lengths: [empty] * len(log_probs))
    page, error = read_inks([dot, scribble], model)
    assert (page.text, page.words, page.width, page.height) == ("", (), 1, 1)
    assert isinstance(error, MediaError) and error.path == "x:3" and "core heights" in error.cause


def test_a_piece_with_a_fault_fails_alone_and_several_lines_in_one_are_noted(model, tmp_path):
    path = tmp_path / "x.jsonl"
    rows = [
        write("tail until lion").strokes,
        [],
        [s + [0, 4 * y] for y in (0, 1) for s in write("lion").strokes],
    ]
    path.write_text("".join(json.dumps({"strokes": [s.tolist() for s in row]}) + "\n" for row in rows))
    first, fault, both = read_inks(read_ink(path), model)
    assert first.text == "tail until lion" and not first.notes
    assert isinstance(fault, MediaError) and fault.path == f"{path}:2"
    assert "2 lines of writing" in both.notes[0]


def test_the_real_letters_of_omniglot():
    if "TRISCRIBE_DATA" not in os.environ:
        pytest.skip("TRISCRIBE_DATA names no data")
    folder = Path(os.environ["TRISCRIBE_DATA"]) / "ink"
    letters = read_ink(folder / "omniglot" / "latin-test.jsonl.gz")
    assert len(letters) == 104 and {ink.label for ink in letters} == set("abcdefghijklmnopqrstuvwxyz")
    for ink in letters:
        assert 4 < len(trace(level(ink.strokes), 0.25).stroke) < 200
