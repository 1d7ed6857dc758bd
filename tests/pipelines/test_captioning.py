"""caption(): pictures and videos, batches, hostile input; with small models of random weights."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from decoders.alphabet import Alphabet
from decoders.contract import Hypothesis, Labels
from decoders.vocabulary import Words
from pipelines import caption, load
from pipelines.captioning import inputs_of, sentence, squared
from pipelines.errors import MediaError, ModelError
from pipelines.model import SequenceModel
from tests.data.clips import write_video
from tests.data.shapes import drawn

WORDS = Words(["<unknown>", "a", "red", "blue", "square", "triangle"])


def captioner(alphabet=WORDS, seed=0, frozen=False, **front_end) -> SequenceModel:
    torch.manual_seed(seed)
    front = {"kind": "frames", "network": "small", "side": 48, "grid": True, "output_size": 12, "rate": 2.0}
    core = {"kind": "bilstm", "hidden_size": 6, "num_layers": 1}
    decoder = {
        "kind": "attention",
        "hidden_size": 10,
        "embedding_size": 8,
        "attention_size": 8,
        "gated": True,
    }
    sizes = {**front, "frozen": frozen, "window": 4.0, **front_end}
    model = SequenceModel("captioning", sizes, core, decoder, alphabet, name="tiny").eval()
    with torch.no_grad():  # an untrained one hardly looks
        model.decoder.bias.normal_()
        model.decoder.bias[0] = -1.0
        model.decoder.energy.weight *= 20
        model.decoder.embed.weight *= 3
    return model


@pytest.fixture(scope="module")
def model() -> SequenceModel:
    return captioner()


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.concatenate([drawn("red", "square", "left"), drawn("blue", "triangle", "right")], axis=1)


def film(*colours: tuple[int, int, int], seconds: float = 4.0, rate: int = 4) -> np.ndarray:
    """(frames, 48, 64, 3) uint8 of as many scenes of one colour each, with a little noise."""
    frames = np.repeat(np.array(colours, float), round(seconds * rate), axis=0)[:, None, None]
    noise = np.random.default_rng(0).normal(0, 3, (len(frames), 48, 64, 3))
    return (frames + noise).clip(0, 255).astype(np.uint8)


def test_a_picture(model, picture):
    found = caption(picture, model, longest=6)
    (only,) = found.sentences
    assert found.text == only.text == " ".join(word.text for word in only.words)
    assert "<unknown>" not in found.text and found.model == "tiny" and found.source is None
    assert 0 < only.confidence <= 1 and (only.start, only.end, found.duration) == (0, 0, 0)
    for word in only.words:
        looked = np.array(word.attention)
        assert looked.shape == (3, 3) and looked.sum() == pytest.approx(1, abs=1e-4) and looked.min() >= 0
        assert 0 <= word.confidence <= 1
    texts = [only.text, *(text for text, _ in found.alternatives)]
    assert len(texts) == len(set(texts)) == 3
    for width in (1, 5):
        assert len(caption(picture, model, longest=6, width=width).alternatives) == width - 1


def test_every_kind_of_source_is_the_same_picture(model, picture, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(picture).save(path)
    expected = caption(picture, model)
    content = path.read_bytes()
    for source in (path, str(path), io.BytesIO(content), Image.open(path), torch.from_numpy(picture)):
        assert caption(source, model).sentences == expected.sentences
    assert caption(path, model).source == str(path)


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_who_shares_a_batch_changes_nothing(model, picture, batch_size):
    sources = [picture, picture[:, :30], film((200, 0, 0), (0, 0, 200)), picture[::-1].copy()]
    together = list(caption(sources, model, batch_size=batch_size))
    for source, found in zip(sources, together, strict=True):
        alone = caption(source, model)
        assert [each.text for each in found.sentences] == [each.text for each in alone.sentences]
        assert [each.start for each in found.sentences] == [each.start for each in alone.sentences]
        for ours, theirs in zip(found.sentences, alone.sentences, strict=True):
            assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-4)


def test_a_video_is_cut_where_it_changes(tmp_path):
    squeeze = captioner(network="squeezenet1_0", frozen=True, side=64)
    clip = film((220, 20, 20), (20, 20, 220), (20, 200, 20), seconds=2.0)
    distance = scene_distance(squeeze, clip)
    found = caption(clip, squeeze, change=distance / 2, longest=4)
    assert found.duration == pytest.approx(24 / 25, abs=0.01)  # arrays have 25 frames a second
    slow = captioner(network="squeezenet1_0", frozen=True, side=64, rate=25.0)
    video = np.repeat(clip, 10, axis=0)  # 9.6 seconds
    found = caption(video, slow, change=distance / 2, longest=4, window=60.0)
    times = [(each.start, each.end) for each in found.sentences]
    assert [start for start, _ in times] == pytest.approx([0, 3.2, 6.4], abs=0.05)
    assert all(end == start for (_, end), (start, _) in zip(times, times[1:], strict=False))
    assert times[-1][1] == found.duration == pytest.approx(9.6, abs=0.05)


def scene_distance(model: SequenceModel, clip: np.ndarray) -> float:
    """The smallest cosine distance of the features of two scenes."""
    seen = model.front_end.network.features([squared(clip[place], 64) for place in (0, 8, 16)]).mean(dim=1)
    return min(1 - torch.cosine_similarity(seen[a], seen[b], dim=0).item() for a, b in [(0, 1), (1, 2)])


def test_a_video_in_even_stretches(model, tmp_path):
    path = write_video(tmp_path / "a.mp4", times=100, rate=10)  # 10 seconds, in stretches of at most 4
    found = caption(path, model, change=0.0, longest=4)
    times = [(each.start, each.end) for each in found.sentences]
    assert sum(times, ()) == pytest.approx((0, 3.5, 3.5, 7, 7, 10), abs=0.6)
    assert found.duration == pytest.approx(10, abs=0.2) and found.source == str(path)
    assert all(start < end for start, end in times)


def test_a_model_for_frames_in_time_looks_along_them(tmp_path):
    clips = captioner(grid=False, window=60.0)
    found = caption(film((200, 0, 0), (0, 0, 200)), clips, change=0.0, longest=4)
    (only,) = found.sentences
    for word in only.words:
        assert len(word.attention) == 1 and sum(word.attention[0]) == pytest.approx(1, abs=1e-4)
    assert len(inputs_of(clips.front_end, list(film((1, 2, 3))))) == 16


def test_what_cannot_be_described(model, picture, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    Image.fromarray(picture).save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:100])
    bad = [tmp_path / name for name in ("notes.txt", "empty.png", "cut.png", "missing.png")]
    for source in [*bad, np.zeros((0, 5, 3), np.uint8), np.zeros((0, 5, 5, 3), np.uint8), np.zeros(3)]:
        with pytest.raises(MediaError):
            caption(source, model)
    results = list(caption([*bad, picture], model, errors="return"))
    assert [isinstance(each, MediaError) for each in results] == [True] * 4 + [False]
    (tmp_path / "notes.mp4").write_text("no film")
    with pytest.raises(MediaError, match="not in a supported video format"):
        caption(tmp_path / "notes.mp4", model)
    with pytest.raises(MediaError, match="notes.txt"):
        list(caption(bad, model))


def test_models_for_other_tasks_are_refused(picture):
    front_end = {"kind": "line_image", "height": 32, "channels": [2, 2], "pools": [[2, 2], [2, 2]]}
    core = {"kind": "bilstm", "hidden_size": 4, "num_layers": 1}
    reader = SequenceModel("handwriting", front_end, core, {"kind": "ctc"}, Alphabet("ab"))
    with pytest.raises(ModelError, match="is a model for handwriting; name a captioning model"):
        caption(picture, reader)


@pytest.mark.parametrize(
    "options",
    [
        {"longest": 0},
        {"window": 0.0},
        {"change": -1.0},
        {"errors": "ignore"},
        {"width": 0},
        {"coverage": -1.0},
    ],
)
def test_options_out_of_range(model, picture, options):
    with pytest.raises(ValueError):
        caption(picture, model, **options)


def test_an_unknown_option_is_named(model, picture):
    with pytest.raises(TypeError, match="did you mean 'width'"):
        caption(picture, model, widht=3)


def test_words_of_characters_have_the_means_of_theirs():
    model = captioner(Alphabet(" ab"))
    weights = torch.eye(9)[:5]
    labels = Labels([2, 3, 1, 3, 2], [0] * 5, [1] * 5, [0.8, 0.4, 0.9, 0.5, 0.7])
    same = Hypothesis(Labels([2], [0], [1], [0.5]), -2.0, -2.0, weights[:1])
    found = sentence(model, [Hypothesis(labels, -1.0, -3.0, weights), same, same])
    assert [word.text for word in found.words] == ["ab", "ba"]
    assert found.words[1].confidence == pytest.approx(0.6)
    assert np.array(found.words[1].attention).ravel().tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0]
    assert found.confidence == pytest.approx(np.exp(-3 / 6)) and found.alternatives == (
        ("a", pytest.approx(np.exp(-1))),
    )


def test_a_caption_survives_the_model_file(model, picture, tmp_path):
    path = model.save(tmp_path / "tiny.safetensors", bits=32)
    assert caption(picture, load(path)).sentences == caption(picture, model).sentences
