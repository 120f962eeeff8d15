"""Where a submission fails: a cause that was planted is the first that is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.reports import card, split
from support.tiny import FEW_FACES_CARD

from harness.benchmark import load_benchmark
from harness.datasets.faces import Split
from harness.datasets.opening import held_out_causes, open_split
from harness.datasets.rendered import causes_of
from harness.datasets.rendered.face import render_face
from harness.datasets.rendered.imaging import develop
from harness.datasets.secret import new_secret
from harness.reporting.failing import FEWEST, where_it_fails


def planted(faces: Split, hard: np.ndarray) -> np.ndarray:
    """Predictions that are three pixels off on hard faces (N,) and one on the others."""
    return (faces.held_out.keypoints + np.where(hard, 3, 1)[:, None, None] / np.sqrt(2)).astype(np.float32)


def changed(faces: Split, which: np.ndarray, what: str) -> Split:
    """The faces with those of ``which`` darkened, blurred or turned."""
    held_out = faces.held_out
    images, keypoints = held_out.images.copy(), held_out.keypoints.copy()
    for row in np.flatnonzero(which):
        if what == "Darkness":
            images[row] //= 3
        elif what == "Blur":
            images[row] = cv2.GaussianBlur(images[row], (0, 0), 3)
        elif what == "Pose, turned to a side":
            keypoints[row, held_out.layout.index("nose_tip"), 0] += 6
        else:
            turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
            keypoints[row] = (keypoints[row] - 16) @ turn + 16
    return replace(faces, held_out=replace(held_out, images=images, keypoints=keypoints))


@pytest.mark.parametrize(
    ("what", "group"),
    [
        ("Darkness", "darkest third"),
        ("Blur", "most blurred third"),
        ("Pose, turned to a side", "most turned third"),
        ("Pose, tilted", "over 10°"),
    ],
)
def test_a_planted_cause_is_the_first(what: str, group: str, tmp_path: Path) -> None:
    faces, hard = split(count=60), np.arange(60) % 3 == 0
    faces = changed(faces, hard, what)

    first = where_it_fails(planted(faces, hard), faces, card(tmp_path))[0]

    assert (first.title, first.worst.name) == (what, group)
    assert first.worst.error.value == pytest.approx(3, abs=0.2) and first.ratio == pytest.approx(3, abs=0.3)


def test_the_label_source_is_a_cause_where_there_are_two(tmp_path: Path) -> None:
    faces, hard = split(), np.arange(40) < 12
    keypoints = faces.held_out.keypoints.copy()
    keypoints[hard, 2:10] = np.nan
    faces = replace(
        faces, held_out=replace(faces.held_out, keypoints=keypoints), strata={"full": ~hard, "partial": hard}
    )

    (source,) = [
        each for each in where_it_fails(planted(faces, hard), faces, card(tmp_path)) if each.title == "Label source"
    ]

    assert [(group.faces, round(group.error.value)) for group in source.groups] == [(28, 1), (12, 3)]


def test_of_few_faces_no_group_is_shown(tmp_path: Path) -> None:
    faces = split(count=FEWEST)

    assert where_it_fails(planted(faces, np.ones(FEWEST, bool)), faces, card(tmp_path)) == []


def test_causes_of_rendered_faces_are_what_was_drawn() -> None:
    seed = 11
    for index in range(24):
        causes = causes_of(seed, index)
        bare, dressed = (
            render_face(seed, index, (48, 48), imaging=develop, occlusion=each)[0].astype(int) for each in (False, True)
        )
        assert (bare != dressed).any() == (causes.glasses or causes.occluder)
    turned = [causes_of(seed, index) for index in range(24)]
    assert {cause.glasses for cause in turned} == {cause.occluder for cause in turned} == {False, True}
    left, right = (pick(range(24), key=lambda index: turned[index].yaw) for pick in (min, max))
    offsets = []
    for index in (left, right):
        points = render_face(seed, index, (48, 48))[1]
        offsets.append(points[10, 0] - (points[0, 0] + points[1, 0]) / 2)
    assert offsets[0] < 0 < offsets[1] and turned[left].yaw < -10 < 10 < turned[right].yaw


def test_causes_of_held_out_faces_follow_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "few.toml").write_text(FEW_FACES_CARD)
    benchmark = load_benchmark(tmp_path / "few.toml")
    practice = held_out_causes(benchmark)
    monkeypatch.setenv("HARNESS_SECRET_SEED", new_secret())

    assert len(practice) == len(held_out_causes(benchmark)) == 16 and practice != held_out_causes(benchmark)
    assert held_out_causes(card(tmp_path)) == ()


def test_rendered_faces_have_their_known_causes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "few.toml").write_text(
        FEW_FACES_CARD.replace("training = 60", "training = 8").replace("= 16,", "= 40,")
    )
    benchmark = load_benchmark(tmp_path / "few.toml")
    faces = open_split(benchmark)
    hard = np.array([cause.glasses and not cause.occluder for cause in held_out_causes(benchmark)])

    first = where_it_fails(planted(faces, hard), faces, benchmark)[0]

    assert (first.title, first.worst.name, first.known) == ("Occlusion", "glasses", "known from the renderer")
