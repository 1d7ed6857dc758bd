"""What is damaged and how it is read: a subject for each kind of file."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.hostile.damage import Damage, damaged_bytes, damaged_json, damaged_text
from benchmarks.hostile.media import read, whole_files

Files = dict[str, bytes]


@dataclass(frozen=True)
class Subject:
    """A kind of input.

    Attributes:
        group: its row in the table.
        name: of the file that is damaged.
        files: whole ones that it consists of, by their paths.
        damage: done to the named file.
        read: what is tried with the folder of the files.
    """

    group: str
    name: str
    files: Files
    damage: Damage
    read: Callable[[Path], object]

    def damaged(self, chooser: random.Random) -> Files:
        return {**self.files, self.name: self.damage(self.files[self.name], chooser)}


def write(files: Files, folder: Path) -> Path:
    """Write files into a new folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def media_subjects() -> list[Subject]:
    """One for each kind of media file."""
    return [
        Subject(name.partition(".")[2], name, {name: content}, damaged_bytes, partial(_read_file, name))
        for name, content in sorted(whole_files().items())
    ]


def _read_file(name: str, folder: Path) -> object:
    return read(folder / name)


def data_subjects() -> list[Subject]:
    """One for each list, table or text of each layout of data sets."""
    found = []
    for layout, (kind, files) in sorted(layouts().items()):
        for name, content in sorted(files.items()):
            lists = name.endswith((".json", ".jsonl"))
            damage = damaged_json if lists else damaged_text
            if not name.endswith(MEDIA):
                found.append(Subject(f"data: {layout}", name, files, damage, partial(_read_data, kind)))
            del content
    return found


MEDIA = (".wav", ".png", ".mp4")


def layouts() -> dict[str, tuple[str, Files]]:
    """Small data sets in every layout: name -> kind of data, and files."""
    whole = whole_files()
    sound, image, clip = whole["a.wav"], whole["p.png"], whole["v.mp4"]

    def table(*rows: str) -> bytes:
        return "".join(f"{row}\n" for row in rows).encode()

    speech = {
        "sphinx": {
            "wav/a.wav": sound,
            "wav/b.wav": sound,
            "etc/x_train.fileids": table("a", "b"),
            "etc/x_train.transcription": table("<s> ONE TWO </s> (a)", "<s> THREE </s> (b)"),
            "etc/x.filler": table("<s> SIL", "++NOISE++ +N+"),
        },
        "pairs": {"a.wav": sound, "a.txt": table("one two"), "b.wav": sound, "b.txt": table("three")},
        "ljspeech": {
            "wavs/a.wav": sound,
            "wavs/b.wav": sound,
            "metadata.csv": table("a|1 two|one two", "b|three|three"),
        },
        "common_voice": {
            "clips/a.wav": sound,
            "clips/b.wav": sound,
            "train.tsv": table("client_id\tpath\tsentence", "x\ta.wav\tone two", "y\tb.wav\tthree"),
            "dev.tsv": table("client_id\tpath\tsentence", "z\ta.wav\tone"),
        },
        "kaldi": {
            "a.wav": sound,
            "wav.scp": table("a a.wav"),
            "text": table("u1 one two", "u2 three"),
            "segments": table("u1 a 0 0.2", "u2 a 0.2 0.5"),
            "utt2spk": table("u1 x", "u2 y"),
        },
        "nemo": {
            "a.wav": sound,
            "b.wav": sound,
            "train.jsonl": table(
                '{"audio_filepath": "a.wav", "text": "one two", "duration": 0.5, "offset": 0, "speaker": 1}',
                '{"audio_filepath": "b.wav", "text": "three", "duration": 0.5}',
            ),
        },
        "librispeech": {
            "1/2/a.wav": sound,
            "1/2/b.wav": sound,
            "1/2/1-2.trans.txt": table("a ONE TWO", "b THREE"),
        },
        "manifest of speech": {
            "a.wav": sound,
            "manifest.jsonl": table(
                '{"path": "a.wav", "target": "one", "split": "train", "start": 0.0, "end": 0.2}',
                '{"path": "a.wav", "target": "two", "split": "valid", "start": 0.2, "end": 0.5, "group": 1}',
            ),
        },
    }
    written = {
        "labels": {
            "a.png": image,
            "b.png": image,
            "labels.tsv": table("path\ttext\tsplit", "a.png\tab\ttrain", "b.png\tc\tdev"),
        },
        "images": {
            "a.png": image,
            "a.gt.txt": table("some words"),
            "b.png": image,
            "b.gt.txt": table("more"),
        },
        "page": {"a.png": image, "a.xml": whole["p.xml"]},
        "alto": {"a.png": image, "a.xml": ALTO},
        "manifest of lines": {
            "a.png": image,
            "manifest.jsonl": table(
                '{"path": "a.png", "target": "one", "split": "train", "line_distance": 30.0, "shape": '
                '{"baseline": [[5, 40], [190, 40]], "polygon": [[5, 5], [190, 5], [190, 50]], "id": "l"}}',
                '{"path": "a.png", "target": "two"}',
            ),
        },
    }
    clips = {
        "labels.csv": {
            "a.mp4": clip,
            "b.mp4": clip,
            "labels.csv": table("path,label,split,start,end", "a.mp4,x,train,0,1", "b.mp4,y,,,"),
        },
        "kinetics": {
            "a_000000_000001.mp4": clip,
            "train.csv": table("label,youtube_id,time_start,time_end,split", "x,a,0,1,train"),
        },
        "ucf101": {
            "x/v_x_g01_c01.mp4": clip,
            "y/v_y_g01_c01.mp4": clip,
            "classInd.txt": table("1 x", "2 y"),
            "trainlist01.txt": table("x/v_x_g01_c01.avi 1"),
            "testlist01.txt": table("y/v_y_g01_c01.avi"),
        },
        "hmdb51": {
            "x/a.mp4": clip,
            "y/b.mp4": clip,
            "x_test_split1.txt": table("a.mp4 1"),
            "y_test_split1.txt": table("b.mp4 2"),
        },
        "mmaction": {
            "videos/a.mp4": clip,
            "frames/b/1.png": image,
            "frames/b/2.png": image,
            "train_list.txt": table("a.mp4 0", "b 2 1"),
            "label_map.txt": table("x", "y"),
        },
        "folders": {"x/a.mp4": clip, "y/b.mp4": clip, "list.txt": table("clip a.mp4 shows x")},
    }
    coco = b'{"images": [{"id": 1, "file_name": "a.png"}], '
    coco += b'"annotations": [{"image_id": 1, "caption": "a page"}]}'
    karpathy = b'{"images": [{"filename": "a.png", "split": "train", '
    karpathy += b'"sentences": [{"raw": "a page", "tokens": ["a"]}]}]}'
    captions = {
        "captions.tsv": {"a.png": image, "captions.tsv": table("a.png\ta page\ttrain\tx", "a.png\twords")},
        "captions.csv": {
            "a.png": image,
            "captions.csv": table("image,caption,split", 'a.png,"a, page",train'),
        },
        "coco": {"a.png": image, "captions_train.json": coco},
        "karpathy": {"a.png": image, "dataset_x.json": karpathy},
        "flickr8k": {
            "a.png": image,
            "F.token.txt": table("a.png#0\ta page", "a.png#1\twords"),
            "F.trainImages.txt": table("a.png"),
        },
    }
    ink = {"ink jsonl": {"a.jsonl": whole["i.jsonl"]}, "inkml": {"a.inkml": whole["i.inkml"]}}
    kinds = {"speech": speech, "handwriting": written, "clips": clips, "captions": captions, "ink": ink}
    return {name: (kind, files) for kind, sets in kinds.items() for name, files in sets.items()}


ALTO = b"""<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>pixel
</MeasurementUnit><sourceImageInformation><fileName>a.png</fileName></sourceImageInformation></Description><Layout>
<Page WIDTH="200" HEIGHT="120" PHYSICAL_IMG_NR="1"><PrintSpace><TextBlock ID="b" HPOS="0" VPOS="0" WIDTH="200"
HEIGHT="120"><TextLine ID="l" HPOS="5" VPOS="5" WIDTH="185" HEIGHT="45" BASELINE="5,40 190,40"><Shape><Polygon
POINTS="5,5 190,5 190,50 5,50"/></Shape><String CONTENT="ab" HPOS="5" VPOS="5" WIDTH="80" HEIGHT="45"/><SP/>
<String CONTENT="cd"/><HYP CONTENT="-"/></TextLine></TextBlock></PrintSpace></Page></Layout></alto>
"""


def _read_data(kind: str, folder: Path) -> object:
    """The items of a data set with their media, as training reads them."""
    from decoders.alphabet import Normalisation
    from recipes.action.recipe import Action, ActionOptions
    from recipes.asr.recipe import Asr, AsrOptions
    from recipes.captioning.recipe import Captioning, CaptioningOptions
    from recipes.handwriting.recipe import Handwriting, HandwritingOptions
    from recipes.ink.recipe import InkOptions, InkRecipe

    made = {
        "speech": lambda: Asr(AsrOptions()),
        "handwriting": lambda: Handwriting(HandwritingOptions()),
        "clips": lambda: Action(ActionOptions()),
        "captions": lambda: Captioning(CaptioningOptions()),
        "ink": lambda: InkRecipe(InkOptions()),
    }
    recipe = made[kind]()
    manifest = recipe.read_data(folder)
    items, rejected = recipe.prepared(manifest.items, Normalisation())
    return recipe.described({"all": items}, [*manifest.rejected, *rejected])
