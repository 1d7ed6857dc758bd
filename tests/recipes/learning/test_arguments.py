"""The command line of the recipes: defaults < preset < --like < what is typed; two sizes of help."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.errors import DataError
from pipelines.tasks import models, recipes
from recipes.action.options import ActionOptions
from recipes.annotate.options import AnnotationRecipeOptions
from recipes.anomaly.options import AnomalyRecipeOptions
from recipes.asr.options import AsrOptions
from recipes.captioning.options import CaptioningOptions
from recipes.forecast.options import ForecastRecipeOptions
from recipes.handwriting.options import HandwritingOptions
from recipes.ink.options import InkOptions
from recipes.language.options import LanguageRecipeOptions
from recipes.learning.arguments import FIRST, described, help_text, parse
from recipes.learning.presets import RENAMED, preset_files
from recipes.policy.options import PolicyOptions
from recipes.risk.options import RiskRecipeOptions
from recipes.signals.options import SignalRecipeOptions
from recipes.tagging.options import TaggingRecipeOptions
from recipes.text.options import TextRecipeOptions
from recipes.translation.options import TranslationRecipeOptions

ROOT = Path(__file__).parents[3]
KINDS = {
    "asr": AsrOptions,
    "handwriting": HandwritingOptions,
    "ink": InkOptions,
    "action": ActionOptions,
    "captioning": CaptioningOptions,
    "text": TextRecipeOptions,
    "tagging": TaggingRecipeOptions,
    "signals": SignalRecipeOptions,
    "forecast": ForecastRecipeOptions,
    "anomaly": AnomalyRecipeOptions,
    "translation": TranslationRecipeOptions,
    "policy": PolicyOptions,
    "language": LanguageRecipeOptions,
    "annotate": AnnotationRecipeOptions,
    "risk": RiskRecipeOptions,
}
PRESETS = [(recipe, name) for recipe, kind in KINDS.items() for name in preset_files(kind)]

every_recipe = pytest.mark.parametrize("recipe", KINDS)


def test_every_recipe_is_tried_here():
    assert recipes() == {name: f"recipes.{name}" for name in KINDS}


@every_recipe
def test_help_fits_one_screen_and_help_all_has_everything(recipe):
    kind = KINDS[recipe]
    short, whole = help_text(kind, recipe), help_text(kind, recipe, everything=True)
    assert len(short.splitlines()) <= 45
    assert max(map(len, [*short.splitlines(), *whole.splitlines()])) <= 80
    names = [option.name for option in described(kind)]
    assert len(set(names)) == len(names)
    for name in names:
        option = f"--{name.replace('_', '-')}"
        assert f"  {option}" in whole and (f"  {option}" in short) == (name in FIRST), option
    for option in described(kind):
        assert option.text.endswith("."), option.name


@every_recipe
def test_help_does_not_wait_for_torch(recipe):
    code = (
        f"import sys; from recipes.{recipe}.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'tyro')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and KINDS[recipe].needs in done.stdout, done.stderr


@pytest.mark.parametrize(("recipe", "name"), PRESETS)
def test_every_preset_is_what_it_says(recipe, name):
    kind = KINDS[recipe]
    base = ["--load", "some-model"] if name == "adapt" else []
    found = parse(kind, recipe, ["--preset", name, *base])
    wanted = tomllib.loads(preset_files(kind)[name].read_text(encoding="utf-8"))
    assert {option: value for option, value in flat_values(found).items() if option in wanted} == {
        option: tuple(value) if isinstance(value, list) else value for option, value in wanted.items()
    }
    assert preset_files(kind)[name].read_text(encoding="utf-8").startswith("# ")
    if name == "default":
        assert found == kind()


@every_recipe
def test_every_recipe_has_the_same_presets(recipe):
    known = {"asr": {"robust"}, "annotate": {"beats"}, "policy": {"continuous", "recall", "sparse"}}
    own = known.get(recipe, set())
    assert set(preset_files(KINDS[recipe])) - own == {"adapt", "default", "large", "scarce", "small"}


def flat_values(options) -> dict:
    found = {}
    for name, value in vars(options).items():
        found |= flat_values(value) if hasattr(value, "__dataclass_fields__") else {name: value}
    return found


def test_the_later_the_stronger(tmp_path):
    preset = tmp_path / "mine.toml"
    preset.write_text("epochs = 7\n[augmentation]\nspeed = 0.05\n[model]\nhidden-size = 99\ndropout = 0.2\n")
    typed = ["--preset", str(preset), "--like=speech-en-an4", "--dropout", "0.5", "--no-bidirectional"]
    found = parse(AsrOptions, "asr", typed)
    assert found.training.epochs == 96, "of the model"
    assert (found.augmentation.speed, found.model.hidden_size) == (0.12, 224), "of the model"
    assert (found.model.dropout, found.model.bidirectional) == (0.5, False), "typed"
    alone = parse(AsrOptions, "asr", ["--preset", str(preset)])
    assert (alone.training.epochs, alone.augmentation.speed, alone.model.hidden_size) == (7, 0.05, 99)
    assert alone.training.batch_size == AsrOptions().training.batch_size and alone.model.num_layers is None


@pytest.mark.parametrize(
    "model", ["speech-en-an4", "handwriting-en-small", "captioning-emoji", "action-shapes"]
)
def test_options_and_sizes_are_taken_from_any_model(model):
    from pipelines.model import read_header

    header = read_header(model)
    recipe = models()[header["task"]].recipe.rpartition(".")[2]
    found = parse(KINDS[recipe], recipe, ["--like", model])
    assert found.training.epochs == header["training"]["epochs"]
    for name in ("hidden_size", "num_layers", "dropout"):
        assert getattr(found.model, name) == header["core"][name]
    assert found.model.input_size == header["front_end"]["output_size"]
    assert not found.load and found.name == "model" and not found.data


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epoch = 3", "has an unknown option 'epoch'; did you mean epochs?"),
        ("[augmentation]\nspeeed = 0.1", "'speeed'; did you mean speed?"),
        ("new_dropout = 0.1", "use --dropout"),
        ("epochs 3", "is not TOML"),
    ],
)
def test_a_preset_that_cannot_be_used_is_named(tmp_path, text, told):
    preset = tmp_path / "mine.toml"
    preset.write_text(text)
    with pytest.raises(DataError, match="mine.toml: .*") as error:
        parse(AsrOptions, "asr", ["--preset", str(preset)])
    assert told in str(error.value)
    with pytest.raises(DataError, match="no preset 'scarse'; choose from adapt, default"):
        parse(AsrOptions, "asr", ["--preset", "scarse"])
    with pytest.raises(DataError, match="is a model for speech, not for handwriting"):
        parse(HandwritingOptions, "handwriting", ["--like", "speech-en-an4"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("--epoch 3", "--epoch; did you mean --epochs?"),
        ("--presett x", "did you mean --preset?"),
        ("--wholly-unlike 3", "--help-all lists all options"),
        ("--preset", "--preset needs a value"),
        ("--preset --epochs 3", "--preset needs a value"),
    ],
)
def test_what_does_not_exist_is_one_line(typed, told):
    with pytest.raises(ValueError, match="^[^\n]+$") as error:
        parse(AsrOptions, "asr", typed.split())
    assert told in str(error.value)


@pytest.mark.parametrize("old", RENAMED)
def test_old_names_say_the_new_way(old):
    with pytest.raises(ValueError, match="; use --"):
        parse(HandwritingOptions, "handwriting", [f"--{old.replace('_', '-')}", "3"])


@pytest.mark.parametrize("typed", ["--cell rnn", "--epochs many", "--epochs -1", "--warmup 1.5", "--freeze"])
def test_wrong_values_are_usage_errors(typed, capsys):
    with pytest.raises(SystemExit) as error:
        parse(AsrOptions, "asr", typed.split())
    assert error.value.code == 2


def test_choices_are_checked_in_python_too():
    with pytest.raises(ValueError, match="alphabet must be one of fail, union, new, not 'add'"):
        AsrOptions(alphabet="add")
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda"):
        type(AsrOptions().training)(device="gpu")
    with pytest.raises(ValueError, match="network must be one of none, small"):
        type(ActionOptions().model)(network="alexnet")


RECIPES = "|".join(KINDS)
COMMAND = re.compile(rf"(?:python -m recipes\.|triscribe train )({RECIPES}) (--[^`|\n]*)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "pipelines/models").glob("*.md"))
TRAININGS = [
    pytest.param(recipe, text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (recipe, text) in enumerate(COMMAND.findall(page.read_text(encoding="utf-8")))
]
CONTINUED = [  # in the cards of handwriting models, what comes after the first command
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    if page.stem.startswith("handwriting")
    for number, text in enumerate(re.findall(r"`(--[^` ]+ [^`]*)`", page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("recipe", "text"), TRAININGS)
def test_every_training_command_that_is_told_parses(recipe, text):
    parse(KINDS[recipe], recipe, [word for word in shlex.split(text) if word not in ("...", "…")])


@pytest.mark.parametrize("text", CONTINUED)
def test_every_further_stage_in_the_cards_parses(text):
    base = [] if "--load" in text else ["--load", "handwriting-en"]
    base += ["--freeze"] if "--views" in text and "--freeze" not in text else []
    parse(HandwritingOptions, "handwriting", [*base, *shlex.split(text)])


def test_there_are_commands_in_the_cards():
    assert len(TRAININGS) >= 6 and len(CONTINUED) >= 10
