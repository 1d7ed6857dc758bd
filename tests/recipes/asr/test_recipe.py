"""The speech recipe end to end, on letters that are spoken as tones of different pitch."""

import dataclasses
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from decoders.alphabet import Alphabet, Normalisation
from pipelines import align, transcribe
from pipelines.errors import DataError, ModelError
from pipelines.model import load
from recipes.asr import recipe as asr
from recipes.asr.__main__ import main
from recipes.asr.options import AsrOptions, ModelOptions, SpeechAugmentation
from recipes.asr.recipe import Asr
from recipes.asr.task import SpeechTask
from recipes.data.datasets import Item, read_speech, with_durations
from recipes.learning.fitting import fitted
from recipes.learning.options import TrainingOptions, WritingOptions
from recipes.learning.resizing import redecoded, resized
from tests.data.media import cut, write_audio
from tests.data.teachers import knowing_more, losses_of, sure_of_another

ROOT = Path(__file__).parents[3]
RATE = 8000
LETTERS = "ABCDEF"


def spoken(text: str, pitch: float = 1.0, seed: int = 0) -> np.ndarray:
    """Each letter is a short tone with a pause behind it, in a little noise; a space is silence."""
    parts = []
    for letter in text:
        place = (LETTERS + "Z").find(letter)
        seconds = np.arange(round(0.12 * RATE)) / RATE
        tone = 0.0 * seconds if place < 0 else np.sin(2 * np.pi * pitch * 300 * 1.5**place * seconds)
        parts += [0.4 * tone * np.hanning(len(tone)), np.zeros(round(0.06 * RATE))]
    wave = np.concatenate(parts)
    return (wave + np.random.default_rng(seed).normal(0, 0.003, len(wave))).astype(np.float32)


def say(path: Path, text: str, **how) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
    return write_audio(path, spoken(text, **how), RATE)


def some_texts(count: int, letters: str = LETTERS) -> list[str]:
    chooser = random.Random(1)
    words = ["".join(chooser.choices(letters, k=chooser.randint(1, 3))) for _ in range(2 * count)]
    return [" ".join(words[place : place + 2]) for place in range(0, 2 * count, 2)]


def make_data(root: Path, count: int = 60, letters: str = LETTERS) -> Path:
    """Three speakers, a folder each, with voices of their own."""
    for number, text in enumerate(some_texts(count, letters)):
        speaker = number % 3
        say(root / f"speaker{speaker}" / f"{number}.wav", text, pitch=0.97 + 0.03 * speaker, seed=number)
    return root


def make_options(data: Path, out: Path, epochs: int, **changes) -> AsrOptions:
    training = TrainingOptions(epochs=epochs, batch_size=8, learning_rate=0.015, threads=1)
    sizes = ModelOptions(
        hidden_size=32, num_layers=1, dropout=0.1, sample_rate=RATE, n_mels=24, channels=4, input_size=24
    )
    augmentation = SpeechAugmentation(
        speed=0.04, tract=0.03, noise=0.2, noise_snr=(20.0, 40.0), frequency_mask_bands=3, time_mask_frames=3
    )
    options = AsrOptions(data=(data,), out=out, model=sizes, training=training, augmentation=augmentation)
    return dataclasses.replace(options, **changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The evaluation on the held-out speaker, and the folder of the run."""
    out = tmp_path_factory.mktemp("trained")
    return Asr(make_options(data, out, epochs=50, licence="CC0")).run(), out


@pytest.mark.learns
def test_it_learns(trained):
    found, _ = trained
    assert found.split == "valid" and len(found.items) == 20
    assert len({item.name.split("/")[0] for item in found.items}) == 1  # one speaker, unseen in training
    assert found.cer.value < 0.3


def test_the_model_file(trained, data):
    found, out = trained
    model = load(out / "model.safetensors")
    assert model.alphabet == Alphabet(" " + LETTERS)
    facts = model.training_facts
    assert facts["licence"] == "CC0" and facts["base"] == "none" and facts["epochs"] == 50
    assert facts["items"] == {"train": 40, "valid": 20, "test": 0}
    assert model.metrics["valid"]["cer"] == str(found.cer)
    item = found.items[0]
    assert transcribe(item.media, model).text == item.hypothesis


def test_the_report(trained):
    text = (trained[1] / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2 and "CC0" in text and f"{100 * trained[0].cer.value:.2f}" in text


def test_a_finished_run_is_only_evaluated_again(trained, data, monkeypatch):
    found, out = trained

    def forbidden(*_):
        raise AssertionError("a step was trained, or features were computed")

    monkeypatch.setattr(SpeechTask, "forward", forbidden)
    monkeypatch.setattr(asr, "stored", forbidden)
    assert Asr(make_options(data, out, epochs=50, licence="CC0")).run().cer == found.cer


def test_an_interrupted_run_ends_with_the_very_same_weights(data, tmp_path, monkeypatch):
    """Through easing in, joins, masks and dropout: 10 batches in the first epoch, then about 5."""
    # eased in after the first look
    monkeypatch.setattr("recipes.learning.reading_task.ReadingTask.eased_until", 1e9)

    def finished(out):
        options = make_options(data, out, epochs=3)
        training = dataclasses.replace(options.training, valid_every=1, checkpoint_minutes=1e-9)
        Asr(dataclasses.replace(options, training=training)).run()
        return load(out / "model.safetensors").state_dict()

    whole = finished(tmp_path / "whole")
    forward, steps = SpeechTask.forward, 0

    def breaking(task, batch):
        nonlocal steps
        steps += 1
        if steps in (4, 14):
            raise KeyboardInterrupt
        return forward(task, batch)

    monkeypatch.setattr(SpeechTask, "forward", breaking)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            finished(tmp_path / "parts")
    resumed = finished(tmp_path / "parts")
    assert steps > 15
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


# Fine-tuning


def test_fine_tuning_starts_from_the_base(trained, data, tmp_path, capsys):
    base = str(trained[1] / "model.safetensors")
    options = make_options(data, tmp_path, epochs=1, load=base)
    gentle = dataclasses.replace(options.training, learning_rate=1e-6)
    found = Asr(dataclasses.replace(options, training=gentle)).run()
    assert found.cer.value == pytest.approx(trained[0].cer.value, abs=0.05)
    tuned = load(tmp_path / "model.safetensors")
    assert tuned.alphabet == load(base).alphabet and tuned.training_facts["base"] == "model.safetensors"
    assert "valid, before -> after fine-tuning: cer " in capsys.readouterr().out
    before = tuned.metrics["valid, before fine-tuning"]
    assert before["cer"] == str(trained[0].cer), "of the same items"
    assert f"before fine-tuning {before['cer']}" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("texts", "symbols"),
    [(["نعم", "لا"], " الامنع"), (["yes", "a b"], " abesy"), (["はい", "いいえ"], "いえは")],
)
def test_single_words_are_joined_with_a_space_where_the_script_has_one(texts, symbols):
    items = [Item(Path("a.wav"), text) for text in texts]
    assert Asr(AsrOptions()).alphabet(items, None) == Alphabet(sorted(set(symbols)))
    alone = AsrOptions(augmentation=SpeechAugmentation(join=0.0))
    assert Asr(alone).alphabet(items[:1], None) == Alphabet.of(texts[:1])


def test_texts_get_the_only_case_that_a_loaded_model_has():
    base = load("speech-en-an4")
    for given, case in (({}, "keep"), ({"alphabet": "union"}, "upper"), ({"case": "lower"}, "lower")):
        recipe = Asr(AsrOptions(load="speech-en-an4", **given))
        assert recipe.normalisation(base).case == case
    assert Asr(AsrOptions()).normalisation(None).case == "keep"


def test_a_frozen_front_end_stays_as_it_is(trained, data, tmp_path):
    base = trained[1] / "model.safetensors"
    options = make_options(data, tmp_path, epochs=1, load=str(base))
    Asr(dataclasses.replace(options, freeze=True, shortcut=0.3)).run()
    tuned = load(tmp_path / "model.safetensors")
    assert tuned.training_facts["options"]["freeze"] is True
    for part, stays in (("front_end", True), ("core", False), ("decoder", False)):
        before, after = (getattr(model, part).state_dict() for model in (load(base), tuned))
        assert all(torch.equal(before[name], after[name]) for name in before) is stays, part


@pytest.fixture(scope="module")
def new_letters(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("new"), 12, "ABCZ")


def test_new_letters_are_refused_and_named(trained, new_letters, tmp_path, capsys):
    base, out = trained[1] / "model.safetensors", tmp_path / "out"
    arguments = ["--data", new_letters, "--load", base, "--out", out, "--epochs", "1"]
    assert main([str(argument) for argument in arguments]) == 1
    seen = capsys.readouterr()
    holders = [path for path in new_letters.rglob("*.txt") if "Z" in path.read_text()]
    assert f"only in the data:  'Z'  in {len(holders)} items, e.g. " in seen.out
    example = Path(seen.out.split("e.g. ")[1].splitlines()[0])
    assert example.with_suffix(".txt") in holders
    assert "only in the model: 'D' 'E' 'F'" in seen.out
    assert "cannot write: 'Z'" in seen.err and "--alphabet union" in seen.err
    assert not out.exists()


def test_what_a_loaded_model_knows_is_rehearsed(trained, data, new_letters, tmp_path):
    base = str(trained[1] / "model.safetensors")
    options = make_options(new_letters, tmp_path, epochs=1, load=base, alphabet="union", rehearse=(data,))
    splits, again = (Asr(options).read_splits(Asr(options).manifests(), Normalisation())[0] for _ in "ab")
    assert splits == again
    for name in ("train", "valid"):
        known = [item.path.is_relative_to(data) for item in splits[name]]
        assert 0 < sum(known) == len(known) / 2, name
    assert not {item.group for item in splits["train"]} & {item.group for item in splits["valid"]}
    Asr(options).run()
    facts = load(tmp_path / "model.safetensors").training_facts
    assert facts["items"]["train"] == len(splits["train"]) and "rehearse" not in facts["options"]
    with pytest.raises(ValueError, match="give --load too"):
        AsrOptions(rehearse=(data,))


@pytest.mark.parametrize("rule, alphabet", [("union", " ABCDEFZ"), ("new", " ABCZ")])
def test_shared_letters_keep_their_weights(trained, rule, alphabet):
    base = load(trained[1] / "model.safetensors")
    items = [Item(Path("x.wav"), "AB ZC")]
    model = fitted(base, Alphabet.of(item.target for item in items), items, rule)
    assert model.alphabet == Alphabet(alphabet)
    old, new = base.state_dict(), model.state_dict()
    shared = [symbol for symbol in alphabet if symbol in base.alphabet]
    for name in old:
        if not name.startswith("decoder.project"):
            assert torch.equal(new[name], old[name]), name
            continue
        assert len(new[name]) == len(alphabet) + 1
        assert torch.equal(new[name][0], old[name][0])  # the blank
        for symbol in shared:
            before, after = base.alphabet.encode(symbol), model.alphabet.encode(symbol)
            assert torch.equal(new[name][after], old[name][before]), symbol


def test_a_loaded_model_takes_another_dropout(trained, tmp_path):
    base = load(trained[1] / "model.safetensors")
    model = resized(base, ModelOptions(dropout=0.4))
    assert (base.core.dropout, model.core.dropout) == (0.1, 0.4)
    assert model.state_dict().keys() == base.state_dict().keys()
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in base.state_dict().items())
    saved = load(model.save(tmp_path / "model.safetensors"))
    assert saved.core.dropout == 0.4 and saved.sizes["decoder"]["dropout"] == 0.4
    with pytest.raises(ValueError, match="dropout is a share"):
        ModelOptions(dropout=1.0)
    with pytest.raises(ValueError, match="give --load too"):
        AsrOptions(freeze=True)


@pytest.mark.parametrize("decoder", ["attention", "hybrid", "ctc"])
def test_a_loaded_model_takes_another_decoder(trained, tmp_path, decoder):
    base = load(trained[1] / "model.safetensors")
    model = redecoded(base, WritingOptions(decoder=decoder, decoder_size=16))
    assert (model is base) == (decoder == "ctc"), "it has that one already"
    assert model.sizes["decoder"]["kind"] == decoder and model.alphabet == base.alphabet
    for part in ("front_end", "core"):
        learnt, now = getattr(base, part).state_dict(), getattr(model, part).state_dict()
        assert learnt.keys() == now.keys() and all(torch.equal(learnt[name], now[name]) for name in learnt)
    assert load(model.save(tmp_path / "model.safetensors")).sizes == model.sizes


def test_an_alphabet_that_fits_is_left_alone(trained):
    base = load(trained[1] / "model.safetensors")
    items = [Item(Path("x.wav"), "CAB")]
    for rule in ("fail", "union"):
        assert fitted(base, Alphabet("ABC"), items, rule) is base
    assert fitted(base, Alphabet("ABC"), items, "new").alphabet == Alphabet("ABC")


def test_union_trains_and_writes_all_letters(trained, new_letters, tmp_path):
    options = make_options(
        new_letters, tmp_path, 1, load=str(trained[1] / "model.safetensors"), alphabet="union"
    )
    Asr(options).run()
    assert load(tmp_path / "model.safetensors").alphabet == Alphabet(" ABCDEFZ")


# Other decoders


@pytest.fixture(scope="module")
def hybrid(data, tmp_path_factory):
    """The evaluation on the held-out speaker by attention and CTC together, and the folder of the run."""
    out = tmp_path_factory.mktemp("hybrid")
    writing = WritingOptions(decoder="hybrid", decoder_size=32, location_filters=4, sampling=0.1)
    return Asr(make_options(data, out, epochs=45, writing=writing, consistency=0.0)).run(), out


@pytest.mark.learns
def test_attention_and_ctc_together(hybrid, data):
    found, out = hybrid
    assert found.cer.value < 0.3
    model = load(out / "model.safetensors")
    assert model.metrics["valid"]["decoding"] == "beam search, width 5"
    for item in found.items[:5]:
        searched, greedy = (transcribe(item.media, model, width=width) for width in (5, 1))
        assert searched.text == item.hypothesis
        assert [word.text for word in searched.words] == searched.text.split()
        starts, ends = ([getattr(word, name) for word in searched.words] for name in ("start", "end"))
        assert starts == sorted(starts) and ends == sorted(ends)
        assert starts[0] >= 0 and ends[-1] <= searched.duration
        assert len(greedy.text) > 0  # by CTC alone
    placed = align(found.items[0].media, found.items[0].reference, model)
    assert placed.segments[0].words[0].start < placed.segments[0].words[-1].end


def test_new_letters_for_two_decoders(hybrid):
    base = load(hybrid[1] / "model.safetensors")
    model = fitted(base, Alphabet(" ABCZ"), [Item(Path("x.wav"), "AB ZC")], "union")
    old, new = base.state_dict(), model.state_dict()
    changed = {name for name in old if old[name].shape != new[name].shape}
    assert changed == {
        "decoder.ctc.project.weight",
        "decoder.ctc.project.bias",
        "decoder.attention.embed.weight",
        "decoder.attention.bias",
    }
    for name in changed:
        assert torch.equal(new[name][: len(old[name])], old[name])


def test_attention_alone(data, tmp_path):
    """It trains, writes and says where; what needs probabilities of frames is refused in one line."""
    writing = WritingOptions(decoder="attention", decoder_size=32, location_filters=4)
    recipe = Asr(make_options(data, tmp_path, epochs=2, writing=writing))  # CR-CTC is passed over
    found = recipe.run()
    model = load(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="without probabilities for each frame; name a model with a ctc or"):
        align(found.items[0].media, "AB", model)
    assert transcribe(found.items[0].media, model).text == found.items[0].hypothesis


# Data


def reasons(rejected) -> dict[str, str]:
    return {Path(bad.path).name: bad.reason for bad in rejected}


def test_bad_items_are_reported_and_left_out(tmp_path):
    for number, text in enumerate(["A", "B", "C"]):
        say(tmp_path / f"{number}.wav", text)
    (tmp_path / "garbage.wav").write_bytes(b"RIFF, or so it says")
    (tmp_path / "garbage.txt").write_text("A")
    say(tmp_path / "truncated.wav", "ABCDEF")
    cut(tmp_path / "truncated.wav", 0.5, "truncated.wav")
    say(tmp_path / "silent.wav", "A")
    write_audio(tmp_path / "silent.wav", np.zeros(RATE, np.float32), RATE)
    say(tmp_path / "bell.wav", "A")
    (tmp_path / "bell.txt").write_text("A\x07B")
    recipe = Asr(AsrOptions(data=(tmp_path,), valid=0.3))
    (manifest,) = recipe.manifests()
    splits, rejected = recipe.read_splits([manifest], Normalisation())
    assert manifest.layout == "pairs"
    assert sorted(item.path.name for part in splits.values() for item in part) == ["0.wav", "1.wav", "2.wav"]
    found = reasons(rejected)
    assert found.keys() == {"garbage.wav", "truncated.wav", "silent.wav", "bell.wav"}
    assert found["bell.wav"] == "control character '\\x07' in its text"
    assert all(found.values())


def test_a_text_that_cannot_be_written(trained):
    model = load(trained[1] / "model.safetensors")
    good, short, doubled, foreign = (
        Item(Path(f"{number}.wav"), text, duration=seconds)
        for number, (text, seconds) in enumerate(
            [("ABC", 1.0), ("ABC" * 9, 0.3), ("AAAA", 0.15), ("XY", 1.0)]
        )
    )
    kept, rejected = Asr(AsrOptions()).usable([good, short, doubled, foreign], model)
    assert kept == [good]
    assert reasons(rejected) == {
        "1.wav": "too short for its text",
        "2.wav": "too short for its text",
        "3.wav": "characters outside the alphabet: 'X' 'Y'",
    }


def test_one_item_is_not_enough(tmp_path):
    say(tmp_path / "a.wav", "A")
    with pytest.raises(DataError, match="1 usable training items.*give at least two"):
        Asr(make_options(tmp_path, tmp_path / "out", 1)).run()


def test_no_good_item_says_why(tmp_path):
    for name in "ab":
        say(tmp_path / f"{name}.wav", "A")
        cut(tmp_path / f"{name}.wav", 0.5, f"{name}.wav")
    with pytest.raises(DataError, match=r"0 usable training items \(.*a\.wav: .+; .*b\.wav: .+\)"):
        Asr(make_options(tmp_path, tmp_path / "out", 1)).run()


@pytest.mark.parametrize("empty", ["train", "valid"])
def test_a_split_without_usable_items(tmp_path, empty, capsys):
    for name in ("train/a", "train/b", "valid/c"):
        say(tmp_path / f"{name}.wav", "AB")
        if name.startswith(empty):
            (tmp_path / name).with_suffix(".txt").write_text("AB" * 40)
    with pytest.raises(DataError, match=f"no usable {empty} items; see the reasons above"):
        Asr(make_options(tmp_path, tmp_path / "out", 1)).run()
    assert "too short for its text" in capsys.readouterr().out


def test_parts_of_one_recording(tmp_path, monkeypatch):
    """Each part is heard from its own start to its own end, and the file is read once."""
    recording = write_audio(tmp_path / "long.wav", np.arange(RATE, dtype=np.float32) / RATE, RATE)
    reads = []
    whole = asr.read_audio
    monkeypatch.setattr(asr, "read_audio", lambda *given: reads.append(given) or whole(*given))
    asr._recording.cache_clear()
    for start, end in [(0.0, 0.25), (0.25, 1.0), (0.5, None), (None, 0.5)]:
        samples = asr.sound(Item(recording, "A", start=start, end=end), RATE)
        assert len(samples) == round(((end or 1.0) - (start or 0.0)) * RATE)
        assert samples[0] == pytest.approx(start or 0.0, abs=1e-3)
    assert len(reads) == 1


@pytest.mark.parametrize("decoder", ["ctc", "hybrid", "attention"])
def test_noise_with_an_empty_text_is_trained_on(data, tmp_path, capsys, decoder, monkeypatch):
    """With joins, masks and expected errors, in batches some of which hold nothing but noise."""
    monkeypatch.setattr("recipes.learning.reading_task.ReadingTask.eased_until", 1e9)
    for name in ("speaker0/noise", "speaker1/noise", "speaker2/noise", "noise"):
        for number in range(4):
            path = say(tmp_path / f"noise/{name}{number}.wav", "Z")
            path.with_suffix(".txt").write_text(" ")
            noise = np.random.default_rng(number).normal(0, 0.1, RATE).astype(np.float32)
            write_audio(path, noise, RATE)
    options = make_options(data, tmp_path / "out", epochs=1, writing=WritingOptions(decoder=decoder))
    training = dataclasses.replace(options.training, batch_size=2, valid_every=1)
    options = dataclasses.replace(
        options, data=(data, tmp_path / "noise"), training=training, errors=0.01, consistency=0.2
    )
    found = Asr(options).run()
    told = capsys.readouterr().out
    assert "learns to write nothing: 16" in told and "nan" not in told
    model = load(tmp_path / "out/model.safetensors")
    assert not any(parameter.isnan().any() for parameter in model.parameters())
    assert {bool(item.reference) for item in found.items} == {True, False}
    assert model.metrics["valid noise"]["nothing read"].endswith("of 4 without a text")


def test_noise_alone_is_not_enough(tmp_path):
    for number in range(4):
        say(tmp_path / f"noise{number}.wav", "Z")
        (tmp_path / f"noise{number}.txt").write_text(" ")
    with pytest.raises(DataError, match="no train item with a text"):
        Asr(make_options(tmp_path, tmp_path / "out", epochs=1)).run()


def test_from_a_shell(data, tmp_path):
    def shell(*arguments):
        command = [sys.executable, "-m", "recipes.asr", *map(str, arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")

    sizes = ["--hidden-size", 8, "--num-layers", 1, "--sample-rate", RATE, "--n-mels", 12, "--channels", 2]
    done = shell("--data", data, "--out", tmp_path, "--name", "mine", "--epochs", 1, *sizes)
    assert done.returncode == 0, done.stderr
    assert (
        f"{data.name}: pairs layout" in done.stdout
        and f"model:  {tmp_path / 'mine.safetensors'}" in done.stdout
    )
    assert load(tmp_path / "mine.safetensors").core.hidden_size == 8
    assert (tmp_path / "report.html").is_file()


def test_a_wrong_folder_is_one_line(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith(f"triscribe: {tmp_path / 'none'}: no such file or folder; ")
    assert not (tmp_path / "out").exists()


def test_a_step_on_real_speech(tmp_path):
    an4 = Path(os.environ.get("TRISCRIBE_DATA", "")) / "an4"
    if "TRISCRIBE_DATA" not in os.environ or not an4.is_dir():
        pytest.skip("TRISCRIBE_DATA names no folder that holds an4")
    items, _ = with_durations(read_speech(an4).split("train")[:4])
    recipe = Asr(make_options(an4, tmp_path, 1))
    model = recipe.build(None, Normalisation(), items)
    assert recipe.usable(items, model) == (items, [])
    task = recipe.training_task(model, items, items[:1])
    loss = task(task.batches(0)[0]())
    loss.backward()
    assert 0 < loss.item() < 1000
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert task.evaluate()["cer"] > 0


@pytest.mark.learns
def test_a_model_has_nothing_to_learn_from_one_that_says_the_same(trained, data, tmp_path):
    path = trained[1] / "model.safetensors"
    recipe = Asr(make_options(data, tmp_path, epochs=1, teacher=str(path)))
    items = recipe.readable(recipe.manifests()[0].items[:6])[0]
    model = load(path)
    task = recipe.training_task(model, items, items[:2])
    assert task.teacher.model is not model
    other = sure_of_another(model, hidden_size=48)
    alone, by_itself, by_another = losses_of(task, None, knowing_more(model, "XY"), other)
    assert by_itself == pytest.approx(alone, rel=1e-5) and by_another > alone + 0.1
    recipe = Asr(make_options(data, tmp_path, epochs=1, teacher="speech-en-an4"))
    with pytest.raises(DataError, match="cannot teach model: it takes .*16000.* not .*8000"):
        recipe.training_task(model, items, items[:2])
