"""pipelines.model: one file holds a whole model, and no file that is anything else gets past `load`."""

import json
import os
import pickle
import resource
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from decoders.alphabet import Alphabet, Normalisation
from decoders.ctc import ctc_loss
from decoders.vocabulary import Classes
from pipelines.errors import ModelError
from pipelines.model import SequenceModel, load
from pipelines.model_file import read_header

LENGTHS = torch.tensor([2400, 1, 4000, 805])

every_core = pytest.mark.parametrize("bidirectional", [True, False], ids=["both", "ahead"])
every_cell = pytest.mark.parametrize("cell", ["lstm", "gru"])


def small(cell="lstm", bidirectional=True, num_layers=1, **fields):
    torch.manual_seed(0)
    model = SequenceModel(
        "speech",
        {"kind": "spectrogram", "n_mels": 8, "output_size": 6, "channels": 2},
        {
            "kind": "bilstm",
            "hidden_size": 5,
            "num_layers": num_layers,
            "cell": cell,
            "bidirectional": bidirectional,
        },
        {"kind": "ctc"},
        Alphabet("ab é漢"),
        **fields,
    )
    return model.eval()


def waveforms():
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(len(LENGTHS), int(LENGTHS.max()), generator=generator)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(header, weights) of a model file."""
    path = small().save(tmp_path_factory.mktemp("model") / "small.safetensors")
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["triscribe"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def written(path, header, weights):
    """A model file with any header, a string or plain values, and any weights."""
    text = header if isinstance(header, str) else json.dumps(header)
    path.write_bytes(save(weights, {"triscribe": text}))
    return path


def refused(path, *words):
    """Whether `load` raises a ModelError with file, cause and way out."""
    with pytest.raises(ModelError) as caught:
        load(path)
    error = caught.value
    assert error.path == str(path) and error.cause and error.way_out
    shown = error.path.replace("\0", "\\x00")  # a name gives the terminal no commands
    assert str(error) == f"{shown}: {error.cause}; {error.way_out}"
    for word in words:
        assert word in error.cause
    return True


# The whole model


@every_cell
@every_core
def test_an_item_does_not_depend_on_its_batch(cell, bidirectional):
    model, x = small(cell, bidirectional, num_layers=2), waveforms()
    y, frames = model(x, LENGTHS)
    assert torch.equal(frames, model.front_end.output_lengths(LENGTHS))
    for item, (length, count) in enumerate(zip(LENGTHS.tolist(), frames.tolist(), strict=True)):
        alone, _ = model(x[item : item + 1, :length], LENGTHS[item : item + 1])
        torch.testing.assert_close(alone[0], y[item, :count], atol=1e-5, rtol=0)


@every_cell
@every_core
def test_gradients_reach_every_parameter(cell, bidirectional):
    model = small(cell, bidirectional, num_layers=2).train()
    log_probs, frames = model(waveforms()[2:], LENGTHS[2:])
    ctc_loss(log_probs, frames, [[1, 2, 2, 4], [3]]).sum().backward()
    silent = [name for name, parameter in model.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert silent == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"task": "song"}, "task must be one of"),
        (
            {"front_end": {"kind": "ear"}},
            "['frames', 'history', 'line_image', 'signals', 'spectrogram', 'strokes', 'tokens'], not 'ear'",
        ),
        ({"core": {"kind": "bilstm", "hidden": 3}}, "core: bilstm has no 'hidden'; it takes ['bi"),
        ({"decoder": {"kind": "ctc", "num_labels": 3}}, "decoder: ctc has no 'num_labels'"),
        ({"core": {"kind": "bilstm", "hidden_size": "3"}}, "core.hidden_size must be int, not '3'"),
        ({"decoder": {"kind": "ctc", "dropout": 1.5}}, "decoder.dropout must be between 0 and 1, not 1.5"),
    ],
)
def test_sizes_that_cannot_be_used_are_named(fields, words):
    whole = {
        "task": "speech",
        "front_end": {"kind": "spectrogram"},
        "core": {"kind": "bilstm", "hidden_size": 3},
        "decoder": {"kind": "ctc"},
        "alphabet": Alphabet("ab"),
    }
    with pytest.raises(ValueError) as caught:
        SequenceModel(**(whole | fields))
    assert words in str(caught.value)


# Saving and loading


@every_cell
@every_core
def test_a_saved_model_gives_the_same_results(tmp_path, cell, bidirectional):
    model = small(cell, bidirectional, num_layers=2)
    expected, _ = model(waveforms(), LENGTHS)
    exact = load(model.save(tmp_path / "exact.safetensors", bits=32))
    assert not exact.training
    assert torch.equal(exact(waveforms(), LENGTHS)[0], expected)
    rounded = load(model.save(tmp_path / "half.safetensors"))
    y, _ = rounded(waveforms(), LENGTHS)
    torch.testing.assert_close(y, expected, atol=0.01, rtol=0)
    assert y.dtype == torch.float32
    assert (tmp_path / "half.safetensors").stat().st_size < (tmp_path / "exact.safetensors").stat().st_size
    assert rounded.parameters_count == model.parameters_count


@every_cell
@every_core
def test_a_model_of_8_bits_is_half_as_large_and_hardly_different(tmp_path, cell, bidirectional):
    model = small(cell, bidirectional, num_layers=2)
    with torch.no_grad():
        model.decoder.project.weight[0] = 0.0
    expected, _ = model(waveforms(), LENGTHS)
    path = model.save(tmp_path / "x.safetensors", bits=8)
    again = load(path)
    y, _ = again(waveforms(), LENGTHS)
    torch.testing.assert_close(y, expected, atol=0.05, rtol=0)
    before, after = model.state_dict(), again.state_dict()
    for name, weight in before.items():
        rows = weight.flatten(1) if weight.dim() > 1 else weight[:, None]
        error = (after[name] - weight).abs().view_as(rows).amax(1)
        step = rows.abs().amax(1) / 127
        assert (error <= 0.51 * step + 1e-6).all(), name
    header = read_header(path)
    assert header["format"] == 2
    with safe_open(path, "pt") as file:
        sizes = {str(file.get_tensor(name).dtype) for name in file.keys()}  # noqa: SIM118
    assert sizes == {"torch.int8", "torch.float16", "torch.float32"}
    second = again.save(tmp_path / "y.safetensors", bits=8)
    assert all(torch.equal(load(second).state_dict()[name], after[name]) for name in after)
    with pytest.raises(ValueError, match=r"bits must be one of \[8, 16, 32\], not 4"):
        model.save(path, bits=4)


def test_weights_of_8_bits_need_their_scales(tmp_path):
    path = small().save(tmp_path / "x.safetensors", bits=8)
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    name = "decoder.project.weight"
    for scale in (None, tensors[name + ".scale"][:-1], tensors[name + ".scale"][:, None]):
        damaged = {**tensors, name + ".scale": scale}
        save_file({k: v for k, v in damaged.items() if v is not None}, path, metadata)
        with pytest.raises(ModelError, match="decoder.project.weight"):
            load(path)
    save_file({**tensors, name + ".scale": tensors[name + ".scale"] / 0}, path, metadata)
    with pytest.raises(ModelError, match="is not all finite floats"):
        load(path)


def test_weights_that_share_one_storage_are_saved(tmp_path):
    model = small()
    expected, _ = model(waveforms(), LENGTHS)
    cell = model.core.ahead[0]
    flat = torch.cat([parameter.detach().flatten() for parameter in cell.parameters()])
    start = 0
    for parameter in cell.parameters():
        parameter.data = flat[start : start + parameter.numel()].view_as(parameter)
        start += parameter.numel()
    assert len({parameter.untyped_storage().data_ptr() for parameter in cell.parameters()}) == 1
    again = load(model.save(tmp_path / "flat.safetensors", bits=32))
    assert torch.equal(again(waveforms(), LENGTHS)[0], expected)


def test_the_header_survives(tmp_path):
    training = {"data": "AN4", "licence": "MIT", "minutes": 12.5, "options": {"seed": 1, "note": "é漢"}}
    metrics = {"test": {"wer": 0.034}, "dev": {"wer": None}}
    model = small(
        normalisation=Normalisation("NFKC", "upper"), training=training, metrics=metrics, name="mine"
    )
    path = model.save(tmp_path / "some.name.safetensors")
    again = load(str(path))
    assert again.name == "some.name"  # the file's, wherever it was copied
    assert (again.task, again.alphabet, again.normalisation) == (
        model.task,
        model.alphabet,
        model.normalisation,
    )
    assert (again.training_facts, again.metrics) == (training, metrics)
    assert again.sizes == model.sizes
    header = read_header(path)
    assert header["metrics"] == metrics and header["format"] == 1 and header["alphabet"] == list("ab é漢")


def test_saving_and_loading_again_changes_nothing(tmp_path):
    first = small().save(tmp_path / "first.safetensors")
    second = load(first).save(tmp_path / "second.safetensors")
    assert first.read_bytes() == second.read_bytes()


def test_a_loaded_model_can_be_trained_further(tmp_path):
    model = load(small().save(tmp_path / "x.safetensors")).train()
    log_probs, frames = model(waveforms()[:1], LENGTHS[:1])
    ctc_loss(log_probs, frames, [[1, 2]]).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = small().save(tmp_path / "x.safetensors")
    before = path.read_bytes()
    with pytest.raises(TypeError):
        small(training={"options": object()}).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


# Files that are no models


@pytest.mark.parametrize("name", ["nothing.safetensors", "no-such-name", "x" * 5000, "a\0b", "no/such/model"])
def test_a_missing_model(name):
    assert refused(name, "no such model")


def test_a_folder(tmp_path):
    assert refused(tmp_path, "is a folder")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"just some text, and a lot of it\n" * 100,
        pickle.dumps({"weight": [1.0, 2.0]}),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 90_000_000) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{",
        b"\0" * 64,
        b"\xff" * 64,
    ],
)
def test_files_of_another_kind(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    assert refused(path, "not a readable safetensors file")


def test_nothing_in_a_pickled_file_is_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"weights": Trap()}, tmp_path / "x.safetensors")
    assert refused(tmp_path / "x.safetensors", "not a readable safetensors file")
    header = {"format": 1, "__reduce__": "os.system", "task": "!!python/object/apply:os.mkdir [sprung]"}
    assert refused(written(tmp_path / "y.safetensors", header, {}), "header field")
    assert not (tmp_path / "sprung").exists()


def test_every_truncation_is_refused(tmp_path):
    whole = small().save(tmp_path / "whole.safetensors").read_bytes()
    path = tmp_path / "cut.safetensors"
    for length in [*range(0, 64, 7), *range(64, len(whole), 211), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert refused(path, "not a readable safetensors file")
    path.write_bytes(whole + b"\0")
    assert refused(path, "not a readable safetensors file")


def test_a_flipped_byte_is_refused_or_harmless(tmp_path):
    whole = small().save(tmp_path / "whole.safetensors").read_bytes()
    path = tmp_path / "flipped.safetensors"
    start_of_weights = 8 + struct.unpack("<Q", whole[:8])[0]
    outcomes = set()
    for position in [*range(8), *range(8, start_of_weights, 17), start_of_weights + 1]:
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x14]) + whole[position + 1 :])
        try:
            model = load(path)
        except ModelError as error:
            outcomes.add("refused")
            assert str(path) in str(error)
        else:
            outcomes.add("harmless")
            assert model(waveforms(), LENGTHS)[0].isfinite().all()
    assert outcomes == {"refused", "harmless"}


def test_a_file_without_our_header(tmp_path, saved):
    path = tmp_path / "x.safetensors"
    for metadata in (None, {"format": "pt"}):
        path.write_bytes(save(saved[1], metadata))
        assert refused(path, "no triscribe header")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("not JSON", "not JSON"),
        ("", "not JSON"),
        ('{"format": 1', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 50_000, "not JSON"),
        ('{"format": ' + "9" * 10_000 + "}", "not JSON"),
        ("[]", "not an object"),
        ("null", "not an object"),
        ('"format"', "not an object"),
        ("{}", "'format': expected int, missing"),
    ],
    ids=str.__len__,
)
def test_a_header_that_is_no_object(tmp_path, saved, header, words):
    assert refused(written(tmp_path / "x.safetensors", header, saved[1]), words)


FIELDS = (
    "format",
    "version",
    "task",
    "front_end",
    "core",
    "decoder",
    "alphabet",
    "normalisation",
    "training",
    "metrics",
)


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_that_is_missing_or_of_a_wrong_type_is_named(tmp_path, saved, field):
    header, weights = saved
    assert set(header) == set(FIELDS)
    path = tmp_path / "x.safetensors"
    without = {name: value for name, value in header.items() if name != field}
    assert refused(written(path, without, weights), repr(field), "missing")
    for value in (None, True, 1.5, "1" if field in ("format", "alphabet") else 7, [[]], {"a": {}}):
        kinds = (list, dict) if field == "alphabet" else (type(header[field]),)
        if type(value) not in kinds:
            assert refused(written(path, header | {field: value}, weights), repr(field), type(value).__name__)


def test_a_newer_format(tmp_path, saved):
    header, weights = saved
    for newer in (3, 10**30):
        path = written(tmp_path / "x.safetensors", header | {"format": newer}, weights)
        assert refused(path, "newer than 2")


WRONG = {
    "task": ["song", "", "Speech", "handwriting", "ink", "action", "captioning"],
    "alphabet": [[], ["a", "a"], ["ab"], [""], [1], [None], [["a"]], [{}], ["\n"], ["\ud800"], ["a"] * 5],
    "normalisation": [{"form": "x"}, {"case": 3}, {"form": ["NFC"]}, {"unknown": 1}],
    "front_end": [
        {"kind": "ear"},
        {"kind": None},
        {"kind": ["spectrogram"]},
        {"unknown": 1},
        *({"sample_rate": value} for value in (0, -1, 1, 200, 16000.0, "16000", None, [16000], 10**9)),
        *({"window": value} for value in (0, -0.1, 2, 10**9, "x", None, float("nan"), float("inf"))),
        *({"hop": value} for value in (0, -0.1, 1e-6, 0.03, True)),
        *({"n_mels": value} for value in (0, -1, 4, 8.0, 300, 10**6, 10**9, True)),
        *({"output_size": value} for value in (0, -1, 7, 10**6, 10**9, "6")),
        *({"channels": value} for value in (0, -1, 3, 4000, 10**6, 10**9, 2.0)),
        *({"dropout": value} for value in (-0.1, 1.5, "x", None, [0.1], True)),
        *(
            {"strides": value}
            for value in (
                "ab", 3, [3, 2], [[3]], [[3, 2, 1]], [[0, 1]], [[1, 0]], [[-1, 1]], [[1.5, 2]], [["a", "b"]],
                [None], [{}], [], [[1, 1]] * 1000, [[10**6, 10**6]], [[10**9, 1]],
            )
        ),  # fmt: skip
        {"sample_rate": 10**6, "window": 1, "n_mels": 80},
        {"sample_rate": 10**6, "window": 1, "n_mels": 500_000},
        {"channels": 10**6, "strides": [[1, 1]] * 64},
    ],
    "core": [
        {"kind": "transformer"},
        {"input_size": 6},
        *({"hidden_size": value} for value in (0, -1, 4, 5.0, "5", None, [5], True, 10**6, 10**9)),
        *({"num_layers": value} for value in (0, -1, 2, 1.0, "1", 64, 10**6, 10**9, True)),
        *({"cell": value} for value in ("rnn", 1, None, ["lstm"], "gru")),
        *({"bidirectional": value} for value in (False, "yes", 1, None)),
        *({"dropout": value} for value in (-1, 2, "x", None)),
        *({"bptt_window": value} for value in (0, -1, 10, "x", True)),
        {"num_layers": 64, "hidden_size": 10**6},
    ],
    "decoder": [{"kind": "attention"}, {"num_labels": 3}, {"dropout": 1.5}, {"dropout": "x"}],
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
def test_values_that_cannot_be_used(tmp_path, saved, field):
    header, weights = saved
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for value in WRONG[field]:
        value = header[field] | value if isinstance(value, dict) else value
        assert refused(written(tmp_path / "x.safetensors", header | {field: value}, weights))
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert kibibytes < 300 * 1024  # nothing is allocated because a header says so


FRAMES = {"kind": "frames", "output_size": 6}


@pytest.mark.parametrize(
    ("part", "cause"),
    [
        ({"front_end": FRAMES | {"rate": 10**6}}, "front_end.rate must be between 0 and 1000"),
        ({"front_end": FRAMES | {"side": 10**6}}, "front_end.side must be between 0 and 4096"),
        ({"front_end": FRAMES | {"window": 10.0**6}}, "front_end.window must be"),
        ({"front_end": FRAMES | {"lags": [10**6]}}, "front_end.lags must be"),
        ({"front_end": FRAMES | {"frozen": True, "motion": 10**6}}, "front_end.motion must be"),
        ({"front_end": FRAMES | {"grid": True}}, "a front end for frames in time"),
        ({"task": "captioning"}, "cannot be done by a decoder of the kind classifier"),
        ({"task": "speech"}, "needs the front end spectrogram, not frames"),
        ({"decoder": {"kind": "attention"}}, "cannot be done by a decoder of the kind attention"),
        ({"alphabet": ["a", "b"]}, "needs names of classes"),
    ],
    ids=str,
)
def test_parts_that_do_not_fit_the_task(tmp_path, part, cause):
    core = {"kind": "bilstm", "hidden_size": 5, "num_layers": 1}
    model = SequenceModel("action", FRAMES, core, {"kind": "classifier"}, Classes(["a", "b"]))
    path = model.save(tmp_path / "x.safetensors")
    assert load(path).task == "action"
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["triscribe"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert refused(written(path, header | part, weights), cause)


def test_lists_nested_deeper_than_any_stack(tmp_path, saved):
    header, weights = saved
    nested = []
    for _ in range(900):
        nested = [nested]
    for field in ("front_end", "core", "decoder"):
        for name in ("strides", "hidden_size", "dropout", "kind"):
            wrong = header | {field: header[field] | {name: nested}}
            assert refused(written(tmp_path / "x.safetensors", wrong, weights))


def test_weights_that_do_not_fit_are_named(tmp_path, saved):
    header, weights = saved
    path, name = tmp_path / "x.safetensors", "decoder.project.weight"
    weight = weights[name]
    for wrong in (weight[:-1], weight.T.contiguous(), weight[None], weight.flatten(), weight[:0]):
        assert refused(written(path, header, weights | {name: wrong}), name, str(tuple(weight.shape)))
    for value in (float("nan"), float("inf"), -float("inf")):
        wrong = weight.clone()
        wrong[1, 2] = value
        assert refused(written(path, header, weights | {name: wrong}), name, "finite")
    huge = torch.full_like(weight, 1e300, dtype=torch.float64)
    assert refused(written(path, header, weights | {name: huge}), name, "finite")
    for kind in (torch.int64, torch.uint8, torch.bool, torch.float8_e4m3fn, torch.complex64):
        assert refused(written(path, header, weights | {name: weight.to(kind)}), name, "floats")
    assert refused(written(path, header, weights | {"extra": weight.clone()}), "'extra'", "no such weight")
    without = {key: value for key, value in weights.items() if key != name}
    assert refused(written(path, header, without), name, "missing")
    assert refused(written(path, header, {}), "missing")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32, torch.float64])
def test_weights_of_other_precisions_are_read(tmp_path, saved, kind):
    header, weights = saved
    path = written(tmp_path / "x.safetensors", header, {name: t.to(kind) for name, t in weights.items()})
    assert load(path)(waveforms(), LENGTHS)[0].dtype == torch.float32


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be read")
def test_a_file_that_may_not_be_read(tmp_path):
    path = small().save(tmp_path / "x.safetensors")
    path.chmod(0)
    assert refused(path, "not a readable")


def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path):
    model = small()
    with torch.no_grad():
        model.decoder.project.bias[0] = 1e6
    with pytest.raises(ModelError, match="bits=32"):
        model.save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "model.safetensors", bits=32)


@pytest.mark.parametrize("name", ["min_confidence", "min_clear"])
@pytest.mark.parametrize("least", ["0.5", True, -0.1, 1.5])
def test_a_confidence_that_is_none_is_refused(tmp_path, least, name):
    model = small()
    setattr(model, name, 0.25)
    assert getattr(load(model.save(tmp_path / "good.safetensors")), name) == 0.25
    setattr(model, name, least)
    with pytest.raises(ModelError, match=name):
        load(model.save(tmp_path / "bad.safetensors"))
