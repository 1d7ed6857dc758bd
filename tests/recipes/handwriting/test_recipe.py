"""recipes.handwriting: from folders of images to a model that reads, in both directions of writing."""

import dataclasses
import io
import os
import random
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from decoders.alphabet import Normalisation
from pipelines import load, recognize
from pipelines.errors import DataError
from pipelines.model import SequenceModel
from recipes.data.manifest import Item
from recipes.handwriting.__main__ import main
from recipes.handwriting.options import HandwritingOptions, LineAugmentation, ModelOptions
from recipes.handwriting.pieces import Pieces
from recipes.handwriting.recipe import Handwriting, line_image
from recipes.learning import carrying, reading_task
from recipes.learning.fitting import remade, with_decoder
from recipes.learning.growing import grown
from recipes.learning.options import TrainingOptions, WritingOptions
from recipes.learning.reading_task import padded
from recipes.learning.resizing import resized
from recipes.learning.shrinking import shrunk
from recipes.scoring.error_rates import Scored
from tests.data.layouts import page_xml
from tests.data.teachers import knowing_more, losses_of, sure_of_another

FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def drawn(shown: str) -> Image.Image:
    """The text as it is seen, from left to right, dark on light."""
    font = ImageFont.truetype(FONT, 20, layout_engine=ImageFont.Layout.BASIC)
    image = Image.new("L", (round(font.getlength(shown)) + 8, 30), 225)
    ImageDraw.Draw(image).text((4, 2), shown, 40, font)
    return image


def write_lines(root: Path, lines: list[tuple[str, str]], split: str = "train") -> Path:
    """Images with .gt.txt beside them, of (text, how it is seen)."""
    folder = root / split
    folder.mkdir(parents=True, exist_ok=True)
    for number, (text, shown) in enumerate(lines):
        drawn(shown).save(folder / f"{number}.png")
        (folder / f"{number}.gt.txt").write_text(text, encoding="utf-8")
    return root


def options_for(*data: Path, out: Path, **changes) -> HandwritingOptions:
    options = HandwritingOptions(
        data,
        out,
        model=ModelOptions(
            hidden_size=32, num_layers=1, dropout=0.0, input_size=24, height=24, channels=(4, 8, 8, 8, 8)
        ),
        training=TrainingOptions(epochs=12, batch_size=8, learning_rate=0.02, threads=1, valid_every=4),
        augmentation=LineAugmentation(slant=0.1, elastic=0.01, masks=0, stretch=0.1, size=0.05),
    )
    return dataclasses.replace(options, **changes)


def hebrew(seed: int, count: int) -> list[tuple[str, str]]:
    """Two words and a number: (text in the order of reading, as it is seen from left to right)."""
    chooser = random.Random(seed)
    lines = []
    for _ in range(count):
        first, second = ("".join(chooser.choices("אבש", k=3)) for _ in range(2))
        number = "".join(chooser.choices("17", k=2))
        lines.append((f"{first} {number} {second}", f"{second[::-1]} {number} {first[::-1]}"))
    return lines


@pytest.mark.learns
def test_right_to_left_lines_are_read_as_they_are_spoken(tmp_path):
    data = write_lines(tmp_path / "data", hebrew(1, 120))
    write_lines(data, hebrew(2, 12), "valid")
    write_lines(data, hebrew(3, 12), "test")
    options = options_for(data, out=tmp_path / "out")
    options = dataclasses.replace(options, model=dataclasses.replace(options.model, right_to_left=True))
    found = Handwriting(options).run()
    assert found.split == "test" and found.cer.value < 0.1
    model = load(tmp_path / "out" / "model.safetensors")
    item = next(item for item in found.items if item.hypothesis == item.reference)
    page = recognize(item.media, model)
    assert page.text == item.reference
    first, number, second = page.words
    assert first.box[0] > number.box[2] - 2 and number.box[0] > second.box[2] - 2
    assert number.glyphs[0].box[0] < number.glyphs[1].box[0]  # a number runs to the right
    assert first.glyphs[0].box[0] > first.glyphs[-1].box[0]


def test_lines_of_pages_and_line_images_together(tmp_path, capsys):
    """A page with its layout beside line images; one is ruined, and reported."""
    data = write_lines(tmp_path / "data", [("ab ba", "ab ba")] * 6, "lines")
    (data / "lines" / "9.png").write_bytes((data / "lines" / "0.png").read_bytes()[:60])
    (data / "lines" / "9.gt.txt").write_text("ab")
    page = Image.new("L", (400, 300), 225)
    page.paste(drawn("abba ab"), (60, 100))
    (data / "pages").mkdir()
    page.save(data / "pages" / "page.png")
    layout = page_xml([("60,124 140,124", "58,98 150,98 150,132 58,132", "abba ab")])
    (data / "pages" / "page.xml").write_text(layout, encoding="utf-8")
    recipe = Handwriting(options_for(data, out=tmp_path / "out", valid=0.3))
    splits, rejected = recipe.read_splits(recipe.manifests(), Normalisation())
    items = splits["train"] + splits["valid"]
    assert sorted(item.target for item in items) == ["ab ba"] * 6 + ["abba ab"]
    assert [Path(bad.path).name for bad in rejected] == ["9.png"]
    (line,) = [item for item in items if item.shape]
    cut = line_image(line)
    assert cut.shape[0] < 60 and np.percentile(cut, 2) < 120 < 200 < np.median(cut)
    shown = recipe.attachment(Scored("page", line.target, "", line.path, item=line))
    assert Image.open(io.BytesIO(shown.content)).size == cut.shape[::-1]  # the line, not its page
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    loss = task(task.batches(0)[0]())
    loss.backward()
    assert torch.isfinite(loss) and all(p.grad.isfinite().all() for p in model.parameters())


def test_a_narrow_hand_is_widened_before_it_is_judged_too_short(tmp_path):
    data = write_lines(tmp_path / "data", [("abba ab", "abba ab")] * 3)
    for path, width in zip(sorted((data / "train").glob("*.png")), (34, 12, 80), strict=True):
        Image.open(path).resize((width, 30)).save(path)
    recipe = Handwriting(options_for(data, out=tmp_path / "out"))
    items, _ = recipe.readable(recipe.manifests()[0].split("train"))
    model = recipe.build(None, Normalisation(), items)
    kept, rejected = recipe.usable(items, model)
    assert [item.path.name for item in kept] == ["0.png", "2.png"]
    assert [bad.reason for bad in rejected] == ["too short for its text"]


def test_two_folders_are_also_scored_apart(tmp_path):
    first = write_lines(tmp_path / "first", [("ab", "ab")] * 4)
    second = write_lines(tmp_path / "second", [("ba", "ba")] * 4)
    for root in (first, second):
        write_lines(root, [("ab ba", "ab ba")], "valid")
        write_lines(root, [("ba ab", "ba ab")], "test")
    training = TrainingOptions(epochs=1, batch_size=4, threads=1)
    Handwriting(options_for(first, second, out=tmp_path / "out", training=training)).run()
    metrics = load(tmp_path / "out" / "model.safetensors").metrics
    assert metrics.keys() == {"test", "test first", "test second", "valid"}
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "data:image/webp" in report


@pytest.mark.parametrize("keep", ["twice", "all"])
def test_a_model_is_given_the_language_of_its_lines(tmp_path, capsys, keep):
    data = write_lines(tmp_path / "data", [("ab", "ab"), ("ba", "ba")] * 3)
    write_lines(data, [("ab ba", "ab ba")], "valid")
    write_lines(data, [("ba ab", "ba ab")], "test")
    training = TrainingOptions(epochs=1, batch_size=4, threads=1)
    options = options_for(data, out=tmp_path / "out", training=training, language_model=3, keep=keep)
    Handwriting(options).run()
    model = load(tmp_path / "out" / "model.safetensors")
    a, b = (model.alphabet.encode(letter)[0] for letter in "ab")
    assert model.language.ngrams.order == 3
    assert model.language.ngrams.log_probs((a,)).argmax() == b
    smoothing = model.language.smoothing
    assert model.language.weight in carrying.WEIGHTS[smoothing]
    told = capsys.readouterr().out
    assert f"{smoothing}, weight {model.language.weight}, other words 0.0 nats: valid CER" in told
    assert ("Kneser-Ney" in told) == (keep == "all")
    assert all(f"other words {cost} nats: valid CER" in told for cost in carrying.COSTS)
    assert model.language.words in ((), ("ab", "ba")) and bool(model.language.words) == (
        model.language.cost in carrying.COSTS
    )
    assert model.metrics.keys() == {"test", "test, language model", "valid"}
    Handwriting(
        dataclasses.replace(
            options,
            load=str(tmp_path / "out" / "model.safetensors"),
            out=tmp_path / "again",
            language_model=0,
        )
    ).run()
    assert load(tmp_path / "again" / "model.safetensors").language is None


def test_a_frozen_front_end_keeps_the_statistics_of_its_channels(tmp_path):
    recipe, items = lines_to_part(tmp_path)
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    task.frozen = True
    before = {name: weight.clone() for name, weight in model.front_end.state_dict().items()}
    model.train()
    task(task.batches(0)[0]()).backward()
    after = model.front_end.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in model.front_end.parameters())
    assert all(parameter.grad is not None for parameter in model.core.parameters())
    for sizes in ({"residuals": (1, 0, 1, 2, 2)}, {"height": 192}, {"channels": (40, 64, 96, 128, 128)}):
        with pytest.raises(DataError, match="changes the front end, and --freeze does not"):
            resized(load("handwriting-fr"), ModelOptions(**sizes), frozen=True)


def test_an_attention_decoder_needs_no_language_model(tmp_path):
    data = write_lines(tmp_path / "data", [("a", "a")] * 3)
    options = options_for(data, out=tmp_path / "out", language_model=3)
    options = dataclasses.replace(options, writing=WritingOptions(decoder="attention"))
    with pytest.raises(DataError, match="--language-model: has nothing to weigh"):
        Handwriting(options).run()


def test_a_loaded_model_grows_without_losing_what_it_learnt(tmp_path):
    base = load("handwriting-en")
    model = grown(base, residuals=(0, 1, 3, 2, 2)).eval()
    lines, lengths = torch.randint(0, 256, (2, 90, base.front_end.height)), torch.tensor([90, 61])
    for before, after in zip(base(lines, lengths), model(lines, lengths), strict=True):
        torch.testing.assert_close(after, before)
    untaught = grown(
        remade(base), residuals=(0, 1, 3, 2, 2)
    )  # in a taught model single channels may lie dark
    untaught.train()(lines, lengths)[0].square().sum().backward()
    added = [
        list(now)[len(before) :]
        for before, now in zip(base.front_end.residuals, untaught.front_end.residuals, strict=True)
    ]
    assert [len(blocks) for blocks in added] == [0, 1, 2, 0, 0]
    assert all(block.norm.weight.grad.abs().min() > 0 for blocks in added for block in blocks)
    again = load(grown(model, residuals=(1, 1, 3, 2, 2)).save(tmp_path / "grown.safetensors"))
    assert len(again.front_end.residuals[0]) == len(model.front_end.residuals[0]) + 1
    for wrong in ((1,) * 6, (0, 0, 1, 1, 2)):
        with pytest.raises(DataError, match="handwriting-en: cannot grow"):
            grown(base, residuals=wrong)
    for options in ({}, {"load": "handwriting-en"}):
        with pytest.raises(ValueError, match="residuals must be at most five numbers from 0 upwards"):
            HandwritingOptions(**options, model=ModelOptions(residuals=(-1,)))


def test_a_loaded_model_gets_wider_without_losing_what_it_learnt():
    base = load("handwriting-en")
    channels = [size + 4 * place for place, size in enumerate(base.sizes["front_end"]["channels"])]
    model = grown(base, channels, (1, 0, 1, 2, 2), 2 * base.front_end.height).eval()
    lines, lengths = torch.randint(0, 256, (2, 90, base.front_end.height)), torch.tensor([90, 61])
    fine = lines.repeat_interleave(2, 1).repeat_interleave(2, 2)
    for before, after in zip(base(lines, lengths), model(fine, 2 * lengths), strict=True):
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    model.train()(fine, 2 * lengths)[0].square().sum().backward()
    for convolution, had in zip(model.front_end.convolutions[1:], base.front_end.convolutions, strict=False):
        learnt = convolution.weight.grad[: had.out_channels, had.out_channels :]
        assert learnt.numel() == 0 or learnt.abs().max() > 0, "new channels are never listened to"
    for wrong in (channels[:4], [8, *channels[1:]]):
        with pytest.raises(DataError, match="handwriting-en: cannot grow"):
            grown(base, channels=wrong)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_loaded_model_gets_more_cells_without_losing_what_it_learnt(cell, bidirectional):
    base = load("handwriting-en")
    if (cell, bidirectional) != ("lstm", True):
        base = remade(base, core={**base.sizes["core"], "cell": cell, "bidirectional": bidirectional}).eval()
    cells = base.core.hidden_size + 24
    model = grown(base, hidden_size=cells).eval()
    lines, lengths = torch.randint(0, 256, (2, 90, base.front_end.height)), torch.tensor([90, 61])
    for before, after in zip(base(lines, lengths), model(lines, lengths), strict=True):
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    model.train()(lines, lengths)[0].square().sum().backward()
    read = model.decoder.project.weight.grad.unflatten(1, (-1, cells))[:, :, base.core.hidden_size :]
    assert read.abs().amax(0).min() > 0, "new cells are never listened to"
    with pytest.raises(DataError, match="cannot grow: hidden size 8 is below 192"):
        grown(base, hidden_size=8)
    with pytest.raises(DataError, match="cannot grow: .* only in front of a CTC decoder"):
        grown(with_decoder(base, {"kind": "attention", "hidden_size": 8}), hidden_size=cells)


def lying_idle(base: SequenceModel, more: int) -> SequenceModel:
    """The model with more channels and cells, between its own, that nothing listens to."""
    had, cells = base.sizes["front_end"]["channels"], base.core.hidden_size
    model = grown(base, channels=[count + more for count in had], hidden_size=cells + more)
    front_end, core = model.front_end, model.core
    for place, count in enumerate(had):
        order = torch.randperm(count + more)
        convolution = front_end.convolutions[place]
        convolution.weight.data[:, had[place - 1] if place else front_end.fold**2 :] = 0.0
        convolution.weight.data = convolution.weight.data[order]
        for norm in (front_end.norms[place], *(each.norm for each in front_end.residuals[place])):
            norm.load_state_dict({name: values[order] for name, values in norm.state_dict().items()})
        for residual in front_end.residuals[place]:
            residual.convolution.weight.data[:, count:] = 0.0
            residual.convolution.weight.data = residual.convolution.weight.data[order][:, order]
        if place + 1 < len(had):
            reader = front_end.convolutions[place + 1]
            reader.weight.data[:, count:] = 0.0
            reader.weight.data = reader.weight.data[:, order]
            had = [*had[:place], count + more, *had[place + 1 :]]
        else:
            project = front_end.project
            project.weight.data = project.weight.data.unflatten(1, (-1, count + more))[:, :, order].flatten(1)
    for direction in filter(None, (core.ahead, core.back)):
        for layer, weights in enumerate(direction):
            weights.weight_hh_l0.data[:, cells:] = 0.0
            if layer:
                weights.weight_ih_l0.data.unflatten(1, (-1, cells + more))[:, :, cells:] = 0.0
    return model.eval()


def test_a_smaller_model_reads_as_the_large_one_if_nothing_listened_to_the_rest():
    torch.manual_seed(1)
    base = load("handwriting-en")
    base = remade(
        base, front_end={**base.sizes["front_end"], "channels": [4, 6, 6, 8, 8]}
    )  # untaught: none is dark
    had = base.sizes["front_end"]["channels"]
    for cell, bidirectional in (("lstm", True), ("gru", False)):
        core = {**base.sizes["core"], "cell": cell, "bidirectional": bidirectional, "hidden_size": 12}
        model = remade(base, core=core).eval()
        larger = lying_idle(model, 3)
        smaller = shrunk(larger, had, 12).eval()
        assert smaller.parameters_count == model.parameters_count < larger.parameters_count
        lines, lengths = torch.randint(0, 256, (2, 90, base.front_end.height)), torch.tensor([90, 61])
        for large, small in zip(larger(lines, lengths), smaller(lines, lengths), strict=True):
            torch.testing.assert_close(small, large, atol=1e-5, rtol=1e-5)


def test_what_cannot_shrink_is_named():
    base = load("handwriting-en")
    for wrong in ((16, 32), (64, 64, 96, 128, 128), (16, 32, 48, 64, 0)):
        with pytest.raises(DataError, match="handwriting-en: cannot shrink: channels .* not at most"):
            shrunk(base, wrong)
    with pytest.raises(DataError, match="cannot shrink: hidden size 200 is above 192"):
        shrunk(base, hidden_size=200)
    with pytest.raises(DataError, match="cannot shrink: .* only in front of a CTC decoder"):
        shrunk(with_decoder(base, {"kind": "attention", "hidden_size": 8}), hidden_size=64)


def test_a_model_is_narrowed_by_the_recipe(tmp_path):
    recipe, items = lines_to_part(tmp_path)
    base = recipe.build(None, Normalisation(), items)
    narrow = ModelOptions(channels=(2, 4, 4, 8, 8), hidden_size=20)
    recipe, items = lines_to_part(tmp_path, load="it", model=narrow)
    model = recipe.build(base, Normalisation(), items)
    assert model.sizes["front_end"]["channels"] == [2, 4, 4, 8, 8] and model.core.hidden_size == 20
    recipe, items = lines_to_part(tmp_path, load="it", model=ModelOptions(hidden_size=40))
    assert recipe.build(base, Normalisation(), items).core.hidden_size == 40


def lines_to_part(tmp_path: Path, **options) -> tuple[Handwriting, list[Item]]:
    data = write_lines(tmp_path / "data", [("ab ba", "ab ba"), ("a b a", "a b a"), ("aab", "aab")] * 4)
    recipe = Handwriting(options_for(data, out=tmp_path / "out", **options))
    return recipe, recipe.readable(recipe.manifests()[0].split("train"))[0]


def front_end_gradients(
    recipe: Handwriting, items: list[Item], base: SequenceModel, apart: bool
) -> torch.Tensor:
    """Of the first batch; with `apart` as the recipe left it, or not any more."""
    model = recipe.build(base, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2], base)
    if not apart:
        task.learnt = False
    batch = task.batches(0)[0]()
    torch.manual_seed(1)
    task.train()
    task(batch).backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.front_end.parameters()])


def test_the_shortcut_leaves_what_a_front_end_has_learnt_alone_until_it_can_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_task, "TAUGHT", 0.1)  # with three letters there is little to be wrong about
    recipe, items = lines_to_part(tmp_path)
    path = recipe.build(None, Normalisation(), items).save(tmp_path / "base.safetensors")
    found = {}
    for shortcut, apart in ((0.0, True), (0.3, True), (0.3, False)):
        recipe, items = lines_to_part(tmp_path, load=str(path), shortcut=shortcut)
        found[shortcut, apart] = front_end_gradients(recipe, items, load(path), apart)
    torch.testing.assert_close(found[0.3, True], found[0.0, True])
    assert not torch.allclose(found[0.3, False], found[0.0, True], rtol=0.1)
    recipe, items = lines_to_part(tmp_path)
    task = recipe.training_task(recipe.build(None, Normalisation(), items), items, items[:2])
    assert task.shortcut and not task.learnt, "a new front end learns with it"


def test_spliced_lines_say_what_their_words_say(tmp_path):
    recipe, items = lines_to_part(tmp_path, augmentation=LineAugmentation(splice=1.0))
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    assert all(len(group) == 1 for group in task._joined(random.Random(1), 0.0))
    task.begin(0)
    assert (task.cuts == -1).all(), "not while training eases in"
    task.easing.fill_(False)
    task.begin(1)
    makers = task.batches(1)
    inputs, targets, _ = makers[0]()
    own = {tuple(model.encode(word)) for item in items for word in item.target.split()}
    space = model.alphabet.encode(" ")[0]
    said = [[tuple(word) for word in split_at(target, space)] for target in targets]
    assert all(word in own for line in said for word in line)
    assert {model.decode(target) for target in targets} - {item.target for item in items}
    again = recipe.training_task(model, items, items[:2])
    again.load_state_dict(task.state_dict())
    same, expected = again.batches(1)[-1](), [make() for make in makers][-1]
    assert same[1] == expected[1], "a run that is resumed sees the same lines"
    assert torch.equal(same[0][0], expected[0][0]), "varied likewise, whichever others were made before"


def test_views_are_what_the_front_end_makes_of_varied_lines_once(tmp_path):
    recipe, items = lines_to_part(tmp_path)
    path = recipe.build(None, Normalisation(), items).save(tmp_path / "base.safetensors")
    augmentation = LineAugmentation(compose=0.4, splice=0.3, masks=0)
    recipe, items = lines_to_part(
        tmp_path, load=str(path), freeze=True, views=2, augmentation=augmentation, shortcut=0.3
    )
    base = load(path)
    model = recipe.build(base, Normalisation(), items)
    task = recipe.training_task(model, items, items[:3], base)
    task.begin(1)
    inputs, targets, _ = task.batches(1)[0]()
    assert inputs[0].dtype == torch.float32 and inputs[0].size(2) == model.front_end.output_size
    assert (task.cuts_of_views[0] == -1).all() and (task.cuts_of_views[1] >= 0).all()
    assert {model.decode(target) for target in targets} - {item.target for item in items}, "composed ones"
    views = [[task.cache[sample.index] for sample in view] for view in task.views]
    assert not any(one.shape == two.shape and torch.equal(one, two) for one, two in zip(*views, strict=True))
    plain, _ = task.read(task.valid_items)
    with torch.inference_mode():
        seen, lengths = model.front_end(*padded([model.front_end.prepare(line_image(i)) for i in items[:3]]))
    torch.testing.assert_close(plain, seen.where(plain != 0, 0.0), rtol=2e-3, atol=2e-3)
    for line, labels, begins in zip(views[1], task.train_items, split_cuts(task), strict=True):
        assert begins == sorted(begins) and begins[0] == 0 and begins[-1] == len(line)
        assert len(begins) == len(labels.labels) + 1


def split_cuts(task) -> list[list[int]]:
    cuts, found = task.cuts.tolist(), []
    for sample in task.train_items:
        found.append(cuts[: len(sample.labels) + 1])
        cuts = cuts[len(sample.labels) + 1 :]
    return found


def test_a_run_on_views_trains_core_and_decoder_and_can_go_on(tmp_path):
    data = write_lines(tmp_path / "data", [("ab ba", "ab ba"), ("a b a", "a b a"), ("aab", "aab")] * 4)
    options = options_for(data, out=tmp_path / "base")
    training = dataclasses.replace(options.training, epochs=2)
    Handwriting(dataclasses.replace(options, training=training)).run()
    base = tmp_path / "base" / "model.safetensors"
    options = options_for(data, out=tmp_path / "out", load=str(base), freeze=True, views=2, training=training)
    Handwriting(options).run()
    tuned = load(tmp_path / "out" / "model.safetensors")
    assert tuned.training_facts["options"]["views"] == 2
    for part, stays in (("front_end", True), ("core", False), ("decoder", False)):
        before, after = (getattr(model, part).state_dict() for model in (load(base), tuned))
        assert all(torch.equal(before[name], after[name]) for name in before) is stays, part
    kept = tmp_path / "out" / "views" / "features.bin"
    written = kept.stat().st_mtime_ns
    Handwriting(options).run()
    assert kept.stat().st_mtime_ns == written, "read once only"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"views": 2}, "more with --freeze"),
        ({"views": -1, "freeze": True, "load": "x"}, "views must be 0"),
        (
            {"views": 2, "freeze": True, "load": "x", "augmentation": LineAugmentation(small_capitals=0.1)},
            "leave out one of them",
        ),
    ],
)
def test_views_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        HandwritingOptions(**changes)


def test_composed_lines_say_what_stands_in_the_texts(tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("bab abb\nbbb zab bab baa", "utf-8")
    recipe, items = lines_to_part(tmp_path, texts=(texts,), augmentation=LineAugmentation(compose=0.5))
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    task.easing.fill_(False)
    task.begin(0)
    batches = [make() for make in task.batches(0)]
    said = [model.decode(target) for _, targets, *_ in batches for target in targets]
    own = {item.target for item in items}
    composed = [text for text in said if text not in own]
    assert 0 < len(composed) < len(said) == len(items)
    assert all(f" {text} " in " bab abb bbb zab bab baa " for text in composed), "whole words, in order"
    assert not any("z" in text for text in composed), "no line shows how z looks"


def test_lines_in_small_capitals_say_what_stands_in_other_lines(tmp_path):
    """Letters that no line has as capitals stay as they are: here b."""
    data = write_lines(tmp_path / "data", [("ab ba", "ab ba"), ("a b a", "A b A")] * 3)
    options = options_for(data, out=tmp_path / "out", augmentation=LineAugmentation(small_capitals=1.0))
    recipe = Handwriting(options)
    items = recipe.readable(recipe.manifests()[0].split("train"))[0]
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    task.easing.fill_(False)
    task.begin(0)
    batches = [make() for make in task.batches(0)]
    said = [model.decode(target) for _, targets, *_ in batches for target in targets]
    everything = " ".join(item.target for item in items)
    assert len(said) == len(items) and all(f" {text} " in f" {everything} " for text in said)
    assert all(inputs[1].min() > 0 for inputs, *_ in batches)


def test_a_script_without_capitals_has_no_small_ones(tmp_path):
    data = write_lines(tmp_path / "data", hebrew(1, 6))
    options = options_for(data, out=tmp_path / "out", augmentation=LineAugmentation(small_capitals=1.0))
    recipe = Handwriting(options)
    items = recipe.readable(recipe.manifests()[0].split("train"))[0]
    task = recipe.training_task(recipe.build(None, Normalisation(), items), items, items[:2])
    lines = task._joined(random.Random(1), 1.0)
    assert sorted(line[0].index for line in lines) == list(range(len(items)))
    assert all(line == [task.train_items[line[0].index]] for line in lines)


@pytest.mark.parametrize("kind", ["splice", "compose", "small_capitals"])
def test_letters_without_a_place_make_no_line_without_columns(tmp_path, kind):
    """Where no cut is found between letters, pieces are empty: a run once stopped at a line of such."""
    recipe, items = lines_to_part(tmp_path, augmentation=LineAugmentation(**{kind: 1.0}))
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    task.easing.fill_(False)
    task.cuts.zero_()
    assert all(sum(piece.length for piece in line) for line in task._joined(random.Random(1), 1.0))
    task.begin(0)
    batches = [make() for make in task.batches(0)]
    assert all(inputs[1].min() > 0 for inputs, *_ in batches)


def test_composed_right_to_left_lines_say_what_their_pieces_show(tmp_path):
    data = write_lines(tmp_path / "data", hebrew(1, 12))
    options = options_for(data, out=tmp_path / "out", augmentation=LineAugmentation(compose=1.0))
    options = dataclasses.replace(options, model=dataclasses.replace(options.model, right_to_left=True))
    recipe = Handwriting(options)
    items = recipe.readable(recipe.manifests()[0].split("train"))[0]
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    task.easing.fill_(False)
    task.begin(0)
    batches = [make() for make in task.batches(0)]
    whole = " ".join(item.target for item in items)
    assert all(model.decode(target) in whole for _, targets, *_ in batches for target in targets)
    pieces = Pieces(task.train_items, task.own_texts, task.cuts.tolist(), 99)
    orders = {item.target: model.alphabet.decode(model.encode(item.target)) for item in items}
    assert any(met != text for text, met in orders.items()), "numbers are met from their end"
    for text, met in orders.items():
        parts = pieces.composed(met, 0, random.Random(1))
        assert [label for part in parts for label in part.labels] == model.encode(text)


def test_texts_that_cannot_serve_are_one_line(tmp_path, capsys):
    data = write_lines(tmp_path / "data", [("a", "a")] * 3)
    with pytest.raises(ValueError, match="--compose"):
        options_for(data, out=tmp_path, texts=(tmp_path / "none.txt",))
    asked = ["--data", str(data), "--out", str(tmp_path / "out"), "--compose", "0.5", "--texts"]
    assert main([*asked, str(tmp_path / "none.txt")]) == 1
    assert "none.txt: does not exist" in capsys.readouterr().err
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("другие буквы", "utf-8")
    assert main([*asked, str(foreign)]) == 1
    assert "foreign.txt: has no word in the characters" in capsys.readouterr().err


def split_at(labels: list[int], space: int) -> list[list[int]]:
    parts = [[]]
    for label in labels:
        parts.append([]) if label == space else parts[-1].append(label)
    return parts


@pytest.mark.parametrize("finer", [2, 3])
def test_a_loaded_model_reads_finer_lines_as_it_read_coarser_ones(finer):
    base = load("handwriting-en")
    height = base.front_end.height
    model = (
        grown(grown(base, height=2 * height), height=6 * height)
        if finer == 3
        else grown(base, height=2 * height)
    )
    model.eval()
    times = model.front_end.height // base.front_end.height
    lines, lengths = torch.randint(0, 256, (2, 90, base.front_end.height)), torch.tensor([90, 61])
    fine = lines.repeat_interleave(times, 1).repeat_interleave(times, 2)
    for before, after in zip(base(lines, lengths), model(fine, times * lengths), strict=True):
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    assert model.front_end.stride == times * base.front_end.stride
    with pytest.raises(DataError, match="cannot grow: height 100 is not a multiple of 96 pixels"):
        grown(base, height=100)
    for sizes in ({"height": 50, "fold": 3}, {"fold": 0}):
        with pytest.raises(ValueError, match="fold must divide the height"):
            ModelOptions(**sizes)


def test_a_model_of_another_task_is_one_line(tmp_path, capsys):
    data = ["--data", str(write_lines(tmp_path / "data", [("a", "a")] * 3))]
    assert main([*data, "--load", "speech-en-an4", "--out", str(tmp_path / "out")]) == 1
    assert "is a model for speech, not for handwriting" in capsys.readouterr().err


def test_no_folder_is_one_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 1
    assert "give the folder of your line images" in capsys.readouterr().err
    with pytest.raises(DataError, match="no such file or folder"):
        Handwriting(options_for(tmp_path / "none", out=tmp_path)).run()


@pytest.mark.parametrize("name", ["hooker-en", "peraire-fr", "copiste-fr"])
def test_a_step_on_real_lines(tmp_path, name):
    data = Path(os.environ.get("TRISCRIBE_DATA", ""), "handwriting", name)
    if "TRISCRIBE_DATA" not in os.environ or not data.is_dir():
        pytest.skip(f"TRISCRIBE_DATA names no folder that holds handwriting/{name}")
    recipe = Handwriting(options_for(data, out=tmp_path))
    (manifest,) = recipe.manifests()
    items, rejected = recipe.readable(manifest.split("train")[:4])
    assert len(items) == 4 and not rejected
    model = recipe.build(None, Normalisation(), items)
    assert recipe.usable(items, model)[0] == items
    task = recipe.training_task(model, items, items[:1])
    loss = task(task.batches(0)[0]())
    assert 0 < loss.item() < 1000


@pytest.mark.learns
def test_a_model_has_nothing_to_learn_from_one_that_says_the_same(tmp_path):
    recipe, items = lines_to_part(tmp_path)
    model = recipe.build(None, Normalisation(), items)
    other = sure_of_another(model, hidden_size=48)
    task = recipe.training_task(model, items, items[:2])
    alone, by_itself, by_another = losses_of(task, None, knowing_more(model, "xy"), other)
    assert by_itself == pytest.approx(alone, rel=1e-5) and by_another > alone + 0.1


def test_a_small_model_learns_from_a_large_one(tmp_path):
    recipe, items = lines_to_part(tmp_path)
    path = recipe.build(None, Normalisation(), items).save(tmp_path / "large.safetensors")
    small = dataclasses.replace(options_for(out=tmp_path).model, channels=(2, 4, 4, 4, 4), hidden_size=16)
    recipe, items = lines_to_part(tmp_path, teacher=str(path), model=small, consistency=0.2)
    model = recipe.build(None, Normalisation(), items)
    task = recipe.training_task(model, items, items[:2])
    assert not any(name.startswith("teacher") for name in task.state_dict()), "checkpoints have no use for it"
    before = {name: weight.clone() for name, weight in task.teacher.model.state_dict().items()}
    for easing in (True, False):
        task.easing.fill_(easing)
        task.train()
        task(task.batches(0)[0]()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    after = task.teacher.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"teacher": "speech-en-an4"}, "it is a model for speech; name a model for handwriting"),
        ({"teacher": "handwriting-en"}, "it takes .*96.* not .*24"),
        ({"model": {"height": 48}}, "not .*48"),
        ({"model": {"fold": 2}}, "more or fewer frames"),
        ({"writing": WritingOptions(decoder="attention")}, "an attention decoder says nothing of frames"),
        ({"letters": "abq"}, "it does not know 'q'"),
    ],
)
def test_who_cannot_teach_is_told_why(tmp_path, changes, told):
    recipe, items = lines_to_part(tmp_path)
    path = recipe.build(None, Normalisation(), items).save(tmp_path / "large.safetensors")
    letters = changes.pop("letters", "")
    model = dataclasses.replace(recipe.options.model, **changes.pop("model", {}))
    recipe, items = lines_to_part(tmp_path, **{"teacher": str(path), "model": model, **changes})
    items = [dataclasses.replace(item, target=item.target + letters) for item in items]
    model = recipe.build(None, Normalisation(), items)
    with pytest.raises(DataError, match=f"cannot teach model: .*{told}"):
        recipe.training_task(model, items, items[:2])


def test_views_cannot_be_read_by_a_teacher():
    with pytest.raises(ValueError, match="a teacher reads lines"):
        HandwritingOptions(load="handwriting-en", freeze=True, views=2, teacher="handwriting-en")
    with pytest.raises(ValueError, match="teaching must be above 0"):
        HandwritingOptions(teaching=0.0)
    with pytest.raises(ValueError, match="name one with --teacher"):
        HandwritingOptions(teaching=0.5)


def test_few_lines_for_a_loaded_model_are_told_what_they_are_good_for(tmp_path):
    recipe = Handwriting(options_for(tmp_path, out=tmp_path))
    items = [Item(tmp_path, "ab")] * 2000
    assert "from 56 to" in recipe.advice_before(items[:200], True)[0]
    assert not recipe.advice_before(items, True)
