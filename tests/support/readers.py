"""Every reader of files that the harness did not write itself, each with whole files to mutate."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness.benchmark import load_benchmark
from harness.board.kept import Kept, pack, place
from harness.board.replay import archived_source
from harness.board.table import Row
from harness.cli.running import read_recipe
from harness.datasets.readers import reader_of
from harness.datasets.readers.kaggle import read_lookup, read_test, read_training
from harness.datasets.readers.picture import read_grey
from harness.grading.entry import Entry
from harness.grading.predictions import read_csv, read_file, write_long, write_wide
from harness.isolation.pipes import Messages, Printed
from harness.isolation.reader import read_predictions
from harness.keypoints import FACE15
from harness.learning.changes import check_changes, check_variants
from harness.learning.recipe import Recipe
from harness.reporting.console import board_table, line
from harness.reporting.progress import training_text
from harness.runs.kept import KeptRuns, read_run
from harness.runs.run import Run
from harness.runs.worker_log import Event, WorkerLog
from harness.studies.journal import distributions
from harness.submission.source import find_source
from harness.text import plain_values
from support.entries import entry
from support.fuzzing import Reader
from support.pictures import WRITERS, card_text, draw_pictures
from support.tiny import CARD, REPOSITORY

SHAPE = (3, 15, 2)
SIZE = (6, 6)
POINTS = np.random.default_rng(0).uniform(0, 5, size=SHAPE).astype(np.float32)
LATER = "\u202e\x1b"
"""What must not come out of any door."""


def readers(root: Path) -> list[Reader]:
    """All of them, each in a folder of its own below ``root``."""
    return [each(_made(root / each.__name__.strip("_"))) for each in ALL]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _result_arrays(folder: Path) -> Reader:
    file, whole = folder / "predictions.npy", io.BytesIO()
    np.save(whole, POINTS)
    headers = (b"{[]: 1}", b"{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 15, 2)}", b"(" * 90 + b")" * 90)
    odd = [b"\x93NUMPY\x01\x00" + len(each).to_bytes(2, "little") + each + bytes(360) for each in headers]
    return Reader("result arrays", file, (whole.getvalue(), *odd), lambda: read_predictions(file, SHAPE))


def _channel_messages(folder: Path) -> Reader:
    file = folder / "messages"
    facts = {
        "kind": "facts",
        "device": "cpu",
        "parameters": 5,
        "networks": [{"recipe": Recipe().as_dict(), "rows": 10, "epochs": 3, "images_per_second": 4.5}],
        "variants": {"flip=0": {"flip": 0}},
        "changes": {"lr": 0.1},
        "space": {
            "lr": {"name": "FloatDistribution", "attributes": {"low": 0.1, "high": 1, "step": None, "log": False}}
        },
    }
    messages = [
        *({"kind": "stage", "stage": "loading"}, facts, {"kind": "stage", "stage": "training"}),
        {"kind": "progress", "epoch": 1, "epochs": 3, "error_px": 2.5, "images_per_second": 10.0, "seconds_left": 3.0},
        {"kind": "failed", "reason": "it broke"},
    ]

    def read() -> None:
        events: list[Event] = []
        log = WorkerLog(lambda event: bool(events.append(event)))
        channel, printed = Messages(log.hear), Printed(folder / "log", 1000)
        content = file.read_bytes()
        for chunk in (b'{"held": "landlock"}\n', content[:100], content[100:], b"\n"):
            channel.feed(chunk)
            printed.feed(chunk)
        texts = [training_text(event.progress) for event in events if event.progress]
        _assert_plain([log.facts.model_dump(), log.failure, printed.close(), texts])
        try:
            check_variants(log.facts.variants or {})
        finally:
            distributions(log.facts.space or {})
            check_changes(log.facts.changes or {}, "changes")
            Recipe.from_mapping(log.facts.recipe or {})

    return Reader("channel messages", file, (b"\n".join(json.dumps(each).encode() for each in messages),), read)


def _predictions_csv(folder: Path) -> Reader:
    file = folder / "predictions.csv"
    write_wide(file, POINTS, np.arange(1, 4), FACE15)
    wide = file.read_bytes()
    write_long(file, POINTS.ravel(), np.arange(1, 91))
    columns = b"a," * 10_000 + b"\n" + b"1," * 100
    rows = [f"{i};{i // 30 + 1};{FACE15.columns[i % 30]};1,5" for i in range(90)]
    named = "\n".join(["RowId;ImageId;FeatureName;Location", *rows]).encode()
    return Reader("predictions CSV", file, (wide, file.read_bytes(), columns, named), lambda: read_csv(file, 3, FACE15))


def _training_csv(folder: Path) -> Reader:
    file, content = folder / "training.csv", _training_text()
    quoted = content.replace(b"1 2 3", b'"1 2 3"', 1)
    return Reader("training CSV", file, (content, quoted), lambda: read_training(folder, FACE15, SIZE))


def _training_zip(folder: Path) -> Reader:
    def zipped(how: int, content: bytes = _training_text()) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", how) as archive:
            archive.writestr(zipfile.ZipInfo("training.csv"), content, compress_type=how)
        return packed.getvalue()

    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    bombs = [zipped(zipfile.ZIP_DEFLATED, each * 2**23) for each in (b"\n", b",", b"a")]
    file = folder / "training.zip"
    return Reader("training zip", file, (*map(zipped, kinds), *bombs), lambda: read_training(folder, FACE15, SIZE))


def _outer_zip(folder: Path) -> Reader:
    inner, outer = io.BytesIO(), io.BytesIO()
    for packed, name, content in ((inner, "training.csv", _training_text()), (outer, "training.zip", b"")):
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content or inner.getvalue())
    file = folder / "facial-keypoints-detection.zip"
    return Reader("outer zip", file, (outer.getvalue(),), lambda: read_training(folder, FACE15, SIZE))


def _training_gzip(folder: Path) -> Reader:
    file = folder / "training.csv.gz"
    seeds = gzip.compress(_training_text()), gzip.compress(b"a" * 2**25)
    return Reader("training gzip", file, seeds, lambda: read_training(folder, FACE15, SIZE))


def _predictions_npz(folder: Path) -> Reader:
    file, seeds = folder / "predictions.npz", []
    for save in (np.savez, np.savez_compressed):
        whole = io.BytesIO()
        save(whole, predictions=POINTS)
        seeds.append(whole.getvalue())
    return Reader("predictions npz", file, tuple(seeds), lambda: read_file(file, 3, FACE15))


def _kept_source(folder: Path) -> Reader:
    file, kept = folder / "list.json", Kept(folder)
    table = folder / "mine.csv"
    table.write_text("RowId,Location\n1,2.5\n")
    parcel = pack(find_source(table), None, frozenset(["source"]))
    kept.write(parcel.files)
    (whole,) = (gzip.decompress(each) for name, each in parcel.files.items() if parcel.hashes["source"][2:] in name)

    def read() -> None:
        content = file.read_bytes()  # whoever changes it can name it by its new hash
        digest = hashlib.sha256(content).hexdigest()
        kept.write({place("source", digest): gzip.compress(content)})
        fingerprints = {"source": kept.manifest(digest).fingerprint}
        archived_source(entry("mine", 1.0, kept={"source": digest}, fingerprints=fingerprints), kept, folder)

    return Reader("lists of kept files", file, (whole,), read)


def _kept_predictions(folder: Path) -> Reader:
    written = io.BytesIO()
    np.save(written, POINTS)
    digest, kept = hashlib.sha256(written.getvalue()).hexdigest(), Kept(folder)
    file = kept.path("predictions", digest)
    file.parent.mkdir(parents=True)
    whole = gzip.compress(written.getvalue())
    return Reader("kept predictions", file, (whole,), lambda: kept.predictions(digest, SHAPE))


def _subjects_csv(folder: Path) -> Reader:
    (folder / "training.csv").write_bytes(_training_text())
    file = folder / "subjects.csv"
    return Reader(
        "subjects.csv", file, (b"Row,Subject\n0,ana\n1,ben\n2,ana\n",), lambda: read_training(folder, FACE15, SIZE)
    )


def _test_csv(folder: Path) -> Reader:
    image = " ".join(map(str, range(36)))
    content = f"ImageId,Image\n1,{image}\n2,{image}\n".encode()
    return Reader("test.csv", folder / "test.csv", (content,), lambda: read_test(folder, SIZE))


def _lookup_csv(folder: Path) -> Reader:
    rows = [f"{number},{number},{name},1" for number, name in enumerate(FACE15.columns, start=1)]
    content = "\n".join(["RowId,ImageId,FeatureName,Location", *rows]).encode()
    return Reader("IdLookupTable.csv", folder / "IdLookupTable.csv", (content,), lambda: read_lookup(folder, FACE15))


def _pictures(folder: Path, name: str, file: str) -> Reader:
    """A reader of pictures meets other content in one of its files; the keypoints' names are numbers."""
    card = folder / "benchmark.toml"
    card.write_text(card_text(name, 'crop = "points"\nmargin = 0.25', size=SIZE))
    benchmark = load_benchmark(card)
    WRITERS[name](folder, benchmark.layout, draw_pictures(5, 3), draw_pictures(5, 2, seed=1))
    reader, path = reader_of(benchmark.data, benchmark.layout, SIZE), folder / file
    held_out = benchmark.data.held_out
    apart = folder / held_out if isinstance(held_out, Path) else None
    return Reader(f"{name} files", path, (path.read_bytes(),), lambda: reader.training(folder, apart, None))


def _image_csv(folder: Path) -> Reader:
    return _pictures(folder, "csv", "training_frames_keypoints.csv")


def _coco(folder: Path) -> Reader:
    return _pictures(folder, "coco", "person_keypoints_train2017.json")


def _pts(folder: Path) -> Reader:
    return _pictures(folder, "pts", "helen/trainset/Ana_Alba_0000.pts")


def _wflw(folder: Path) -> Reader:
    lists = "WFLW_annotations/list_98pt_rect_attr_train_test"
    return _pictures(folder, "wflw", f"{lists}/list_98pt_rect_attr_train.txt")


def _npz(folder: Path) -> Reader:
    return _pictures(folder, "npz", "faces.npz")


def _picture_files(folder: Path) -> Reader:
    file, seeds = folder / "face", []
    for form in ("PNG", "JPEG", "BMP", "PPM", "WEBP", "TIFF", "GIF"):
        Image.fromarray(draw_pictures(5, 1)[0].pixels[::9, ::9]).save(file, form)
        seeds.append(file.read_bytes())
    return Reader("pictures", file, tuple(seeds), lambda: read_grey(file))


def _cards(folder: Path) -> Reader:
    file = folder / "card.toml"
    shipped = [(REPOSITORY / "data" / name / "benchmark.toml").read_bytes() for name in ("kaggle", "rendered")]
    nested = b"a = " + b"[" * 5000
    spelt_out = CARD.replace('layout = "face15"\n', "").encode() + (
        b'[layout]\nname = "pair"\nkeypoints = ["left_eye", "right_eye"]\nmirror_pairs = [["left_eye", "right_eye"]]\n'
        b'inter_ocular = ["left_eye", "right_eye"]\n[layout.groups]\neyes = ["left_eye", "right_eye"]\n'
    )
    beaten = b'[points]\nby = "baselines"\nbeat = { lenet = { score = 1.5, points = 9 } }'
    seeds = (*shipped, nested, spelt_out, CARD.encode() + beaten)
    return Reader("cards", file, seeds, lambda: load_benchmark(file).marks(1.5))


def _entries(folder: Path) -> Reader:
    file = folder / "entry.json"
    failed = entry("mine", None, reason="it broke", log_tail="one\ntwo").to_json()
    shipped = sorted((REPOSITORY / "leaderboard" / "entries" / "rendered").glob("*.json"))[:2]

    def read() -> None:
        each = Entry.read(file)
        row = Row.of(each)
        _assert_plain(json.loads(each.to_json()))
        _assert_plain(Row.from_json(row.to_json()).line())
        if each.status == "failed" or {"mean_pixel_error", "rmse"} <= each.scores.keys():
            _assert_plain(board_table("tiny", [row], "mean_pixel_error", every=True) + line(each))

    seeds = (entry("mine", 1.5).to_json().encode(), failed.encode(), *(path.read_bytes() for path in shipped))
    return Reader("entries", file, tuple(json.dumps(json.loads(each)).encode() for each in seeds), read)


def _recipe_files(folder: Path) -> Reader:
    file = folder / "mine.recipe.json"
    seeds = (b'{"lr": 0.002, "rotation": 15, "width": 3}', json.dumps(Recipe().as_dict()).encode(), b"[" * 100_000)
    return Reader("recipe files", file, seeds, lambda: json.dumps(read_recipe(file), allow_nan=False))


def _kept_runs(folder: Path) -> Reader:
    store = KeptRuns(folder)
    store.keep("mine", "0" * 64, Run(POINTS, None, log_tail="ok", weights=b"12345", id="1", finished="now"))
    store.keep("mine", "1" * 64, Run(None, "it broke", id="2", finished="now"))
    seeds = tuple(path.read_bytes() for path in sorted(folder.glob("*.npz")))
    file = folder / "run.npz"

    def read() -> None:
        run = read_run(file)
        assert run.predictions is None or np.isfinite(run.predictions).all()
        _assert_plain([run.reason, run.log_tail, run.held, run.facts.model_dump()])
        json.dumps([run.seconds, run.peak_memory, asdict(run)["stopped"]], allow_nan=False)

    return Reader("kept runs", file, seeds, read)


def _python_files(folder: Path) -> Reader:
    file = folder / "mine.py"
    example = (REPOSITORY / "submissions" / "example.py").read_bytes()
    seeds = (example, b"[" * 10_000, b"-" * 9000 + b"1", b"#" * 300_000)
    return Reader("Python files", file, seeds, lambda: find_source(file).pack())


def _journals(folder: Path) -> Reader:
    """Studies of tune: all that `harness tune` asks of one before and after its trials."""
    from support.studies import open_study, record_study  # optuna takes long to import

    file = folder / "mine.journal"

    def read() -> None:
        tuner = open_study(file)
        assert all(np.isfinite(trial.value or 0) for trial in tuner.ranking)
        json.dumps([[trial.user_attrs["changes"] for trial in tuner.ranking], tuner.recipe.as_dict()], allow_nan=False)

    return Reader("journals", file, (record_study(folder / "whole.journal"),), read)


def _training_text() -> bytes:
    rows = [",".join([*(f"{value:.2f}" for value in points.ravel()), _image(row)]) for row, points in enumerate(POINTS)]
    return "\n".join([",".join([*FACE15.columns, "Image"]), *rows, ""]).encode()


def _image(row: int) -> str:
    return " ".join(str((value * (row + 1)) % 256) for value in range(1, 37))


def _assert_plain(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert not set(text) & set(LATER) and plain_values(value) == value, "text came through that is not plain"


ALL: tuple[Callable[[Path], Reader], ...] = (
    _result_arrays,
    _channel_messages,
    _predictions_csv,
    _training_csv,
    _training_zip,
    _outer_zip,
    _training_gzip,
    _predictions_npz,
    _subjects_csv,
    _test_csv,
    _lookup_csv,
    _image_csv,
    _coco,
    _pts,
    _wflw,
    _npz,
    _picture_files,
    _cards,
    _entries,
    _recipe_files,
    _kept_runs,
    _kept_source,
    _kept_predictions,
    _python_files,
    _journals,
)
