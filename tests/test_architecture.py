"""The house as it is drawn: which room may know of which, and what must not be anywhere."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("encoders", "decoders", "pipelines", "recipes")  # each may import itself and those before it
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
OUTSIDE = sorted(path for room in ("tests", "benchmarks") for path in (ROOT / room).rglob("*.py"))

every_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree):
    """Dotted names of all imports, those within functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module


def calls(tree, name):
    """Calls of a function or method of this name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == name:
                yield node


def test_every_room_is_there():
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} == set(ROOMS)


@every_source
def test_imports_point_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    forbidden = {*ROOMS[ROOMS.index(room) + 1 :], "tests", "benchmarks"}
    assert {name.split(".")[0] for name in imported(parsed(path))} & forbidden == set()


def test_files_do_not_import_in_circles():
    """All imports count, those within functions and for type checkers too."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    arrows = {name: set() for name in modules}
    for name, path in modules.items():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                arrows[name] |= {alias.name for alias in node.names} & modules.keys()
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    arrows[name] |= {whole if whole in modules else node.module} & modules.keys()
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@every_source
def test_modules_are_not_imported_by_hidden_names(path):
    """But for the command line, the table of tasks, and the surface that imports on first use."""
    allowed = {"pipelines/commands/cli.py", "pipelines/__init__.py", "pipelines/tasks.py"}
    if path.relative_to(ROOT).as_posix() not in allowed:
        tree = parsed(path)
        assert not [*calls(tree, "import_module"), *calls(tree, "__import__")]


@every_source
def test_encoders_and_decoders_open_no_files_and_pipelines_do_not_train(path):
    room = path.relative_to(ROOT).parts[0]
    forbidden = {
        "encoders": ["open", "read_text", "read_bytes", "load", "save"],
        "decoders": ["open", "read_bytes", "load", "save"],
        "pipelines": ["backward"],
        "recipes": [],
    }
    assert not [name for name in forbidden[room] if any(calls(parsed(path), name))]


@pytest.mark.parametrize("path", SOURCES + OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled(path):
    tree = parsed(path)
    for call in calls(tree, "load"):
        if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "torch":
            safe = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
            assert safe.get("weights_only") is True, f"torch.load in line {call.lineno}"
    if path in SOURCES:
        assert not {"pickle", "dill", "joblib", "shelve", "marshal"} & set(imported(tree))
        assert not [*calls(tree, "exec")]


@every_source
def test_nobody_asks_which_decoder_it_has(path):
    """What differs between decoders is said by `decoders.contract.Decoder`."""
    if path.relative_to(ROOT).parts[0] == "decoders":
        return
    kinds = {"CTC", "Attention", "Hybrid", "Classifier", "Timeline"}
    for name in ("isinstance", "issubclass", "type"):
        for call in calls(parsed(path), name):
            asked = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
            about = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
            assert not asked & kinds and "decoder" not in about | asked, f"line {call.lineno}"


@every_source
def test_nothing_takes_more_than_ten_arguments_by_position(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef):
            assert len(node.args.posonlyargs + node.args.args) <= 10, f"{node.name} in line {node.lineno}"


@every_source
def test_no_packed_sequences(path):
    """They leave the CPU's fast kernels; see encoders/bilstm.py."""
    names = {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute)}
    names |= {a.name for n in ast.walk(parsed(path)) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert not names & {"pack_padded_sequence", "pack_sequence", "pad_packed_sequence"}


@every_source
def test_every_module_and_every_public_name_of_the_core_says_what_it_is(path):
    tree = parsed(path)
    undocumented = [] if ast.get_docstring(tree) or not tree.body else ["the module"]
    if path.relative_to(ROOT).parts[0] in ("encoders", "decoders"):
        kinds = (ast.FunctionDef, ast.ClassDef)
        public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
        undocumented += [node.name for node in public if not ast.get_docstring(node)]
    assert undocumented == []


@pytest.mark.parametrize(
    "module",
    ["pipelines", "pipelines.commands.cli", "pipelines.tasks", "pipelines.results", "pipelines.writers"],
)
def test_torch_waits_until_it_is_needed(module):
    code = f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('torch', 'librosa', 'av')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0


def test_the_public_names_are_there_and_an_unknown_one_is_not():
    import pipelines

    for name in pipelines.__all__:
        assert callable(getattr(pipelines, name)) and name in dir(pipelines)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pipelines.nothing  # noqa: B018
