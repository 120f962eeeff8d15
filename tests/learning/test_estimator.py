"""NetworkEstimator: a network behind fit and predict."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from harness.errors import ContractError
from harness.keypoints import FACE15
from harness.learning.estimator import NetworkEstimator
from harness.learning.recipe import Recipe

SIZE = (24, 16)  # (height, width)
RECIPE = Recipe(epochs=1, batch_size=8)


def build_model(layout, image_size) -> nn.Module:
    height, width = image_size
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        nn.BatchNorm2d(2),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(2 * height * width, 2 * len(layout)),
        nn.Unflatten(1, (len(layout), 2)),
    )


def faces(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, *SIZE), dtype=np.uint8)
    return images, rng.uniform(0, 16, (count, 15, 2)).astype(np.float32)


def estimator(build=build_model, recipe=RECIPE, **options) -> NetworkEstimator:
    return NetworkEstimator(build, recipe, FACE15, SIZE, **{"threads": torch.get_num_threads(), **options})


def test_fit_and_predict_give_a_point_for_each_keypoint_and_image() -> None:
    images, keypoints = faces(300)  # more than one batch of predictions
    fitted = estimator().fit(images, keypoints)
    points = fitted.predict(images)
    assert points.shape == (300, 15, 2) and points.dtype == np.float32
    assert np.isfinite(points).all()
    assert fitted.parameters == 2 * 9 + 2 + 4 + 30 * 2 * 24 * 16 + 30
    assert fitted.trained.epochs == 1


def test_a_prediction_depends_on_its_image_alone() -> None:
    images, keypoints = faces(20)
    fitted = estimator().fit(images, keypoints)
    np.testing.assert_allclose(fitted.predict(images[:3]), fitted.predict(images)[:3], atol=1e-4)


def test_flip_test_makes_a_mirrored_image_give_mirrored_points() -> None:
    images, keypoints = faces(20)
    on, off = (estimator(recipe=RECIPE.with_changes(flip_test=each)).fit(images, keypoints) for each in (True, False))
    mirror = np.ascontiguousarray(images[:, :, ::-1])
    np.testing.assert_allclose(on.predict(mirror), FACE15.flip(on.predict(images), SIZE[1]), atol=1e-4)
    assert not np.allclose(off.predict(mirror), FACE15.flip(off.predict(images), SIZE[1]), atol=0.1)


def test_the_seed_decides_the_initial_weights_too() -> None:
    images, keypoints = faces(20)
    first, second, other = (
        estimator(recipe=RECIPE.with_changes(seed=seed)).fit(images, keypoints).predict(images) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


def test_saved_weights_predict_the_same_without_training(tmp_path) -> None:
    images, keypoints = faces(20)
    fitted = estimator().fit(images, keypoints)
    fitted.save_weights(tmp_path / "mine.safetensors")
    loaded = estimator(weights=tmp_path / "mine.safetensors").fit(images, keypoints)
    np.testing.assert_array_equal(loaded.predict(images), fitted.predict(images))
    assert loaded.trained is None
    facts = loaded.facts()
    assert facts["weights_loaded"] and facts["parameters"] == fitted.parameters
    (network,) = facts["networks"]
    assert network.pop("layers") and network == {"recipe": RECIPE.as_dict(), "epochs_planned": 0}


def test_a_network_tells_its_plan_and_then_its_training_as_plain_json() -> None:
    images, keypoints = faces(20)
    keypoints[:4, 3] = np.nan
    network = estimator(recipe=RECIPE.with_changes(partial_labels="drop", seed=3))
    before = network.facts()
    assert before["networks"] == [{"recipe": network.recipe.as_dict(), "epochs_planned": 1}]
    after = json.loads(json.dumps(network.fit(images, keypoints).facts(), allow_nan=False))
    assert before == after | {"parameters": None, "networks": before["networks"]}
    assert (after["seed"], after["weights_loaded"], after["can_save_weights"]) == (3, False, True)
    (told,) = after["networks"]
    assert (told["rows"], told["epochs"], told["stopped_early"], told["validation_px"]) == (16, 1, False, None)


def test_a_validation_error_that_is_infinite_is_told_as_none() -> None:
    network = estimator().fit(*faces(20))
    network.trained = replace(network.trained, validation_px=float("inf"))
    assert network.facts()["networks"][0]["validation_px"] is None


def test_recentring_takes_the_mean_error_of_the_training_rows_away_and_keeps_it_with_the_weights(tmp_path) -> None:
    images, keypoints = faces(20)
    keypoints[:, :, 0] += 3  # labels that lie to one side, which mirrored training cannot learn
    keypoints[:5, 4:] = np.nan
    keypoints[:, 14] = np.nan
    recipe = RECIPE.with_changes(recentre=True)
    plain, fitted = (estimator(recipe=each).fit(images, keypoints) for each in (RECIPE, recipe))
    errors = np.nanmean((fitted.predict(images) - keypoints)[:, :14], axis=0)
    np.testing.assert_allclose(errors, 0, atol=1e-4)
    np.testing.assert_array_equal(fitted.predict(images)[:, 14], plain.predict(images)[:, 14])  # no label, no error

    fitted.save_weights(tmp_path / "mine.safetensors")
    loaded = estimator(weights=tmp_path / "mine.safetensors").fit(images, keypoints)
    np.testing.assert_array_equal(loaded.predict(images), fitted.predict(images))


def test_two_sources_of_labels_are_learnt_apart_and_the_complete_one_predicts() -> None:
    images, _ = faces(80)
    keypoints = np.full((80, 15, 2), 12.0, dtype=np.float32)
    keypoints[40:] = np.nan
    keypoints[40:, :4] = 4.0  # the same points, as another hand marks them
    means = {}
    for labels in ("mask", "separate"):
        recipe = Recipe(epochs=60, batch_size=16, lr=0.1, partial_labels=labels, flip=0, rotation=0, scale=0, shift=0)
        learnt = estimator(bias_model, recipe=recipe.with_changes(flip_test=False)).fit(images, keypoints)
        means[labels] = learnt.predict(images)[:, :4].mean()
    assert means["separate"] == pytest.approx(12, abs=0.5)
    assert means["mask"] < 11


def bias_model(layout, image_size) -> nn.Module:
    """A network that sees nothing of its image."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2 * len(layout)), nn.Unflatten(1, (len(layout), 2))
    )


def test_lazy_layers_take_their_shape_before_weights_are_loaded(tmp_path) -> None:
    def lazy(layout, image_size) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(30), nn.Unflatten(1, (15, 2)))

    images, keypoints = faces(20)
    fitted = estimator(lazy).fit(images, keypoints)
    fitted.save_weights(tmp_path / "lazy.safetensors")
    loaded = estimator(lazy, weights=tmp_path / "lazy.safetensors").fit(images, keypoints)
    np.testing.assert_array_equal(loaded.predict(images), fitted.predict(images))


def flat_model(layout, image_size) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(24 * 16, 30), nn.Unflatten(1, (15, 2)))


def wide_model(layout, image_size) -> nn.Module:
    layers = list(build_model(layout, image_size))
    layers[:2] = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)]
    layers[4] = nn.Linear(4 * 24 * 16, 30)
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (wide_model, r"0\.weight is \(2, 1, 3, 3\) where the model has \(4, 1, 3, 3\)"),
        (flat_model, r"1\.running_mean is not part of the model|0\.bias is not part of the model"),
    ],
)
def test_weights_of_another_network_are_named(tmp_path, build, message) -> None:
    images, keypoints = faces(20)
    estimator().fit(images, keypoints).save_weights(tmp_path / "mine.safetensors")
    with pytest.raises(ContractError, match=rf"mine\.safetensors does not fit .*({message}).* and \d+ more"):
        estimator(build, weights=tmp_path / "mine.safetensors").fit(images, keypoints)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.pt", b"", r"mine\.pt is not a \.safetensors file.*safetensors\.torch\.save_file"),
        ("mine.safetensors", b"not tensors", r"mine\.safetensors cannot be read as safetensors"),
        ("mine.safetensors", None, r"mine\.safetensors does not exist"),
    ],
)
def test_weights_in_another_form_are_refused_with_the_remedy(tmp_path, name, content, message) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ContractError, match=message):
        estimator(weights=tmp_path / name).fit(*faces(4))


def test_build_model_must_build_a_module() -> None:
    with pytest.raises(ContractError, match=r"build_model returned a function; it must return a torch\.nn\.Module"):
        estimator(lambda layout, size: build_model).fit(*faces(4))


def test_an_albumentations_pipeline_stands_in_for_the_recipe() -> None:
    with pytest.raises(ContractError, match="augment is a str; it must be an albumentations pipeline"):
        estimator(augment="flip")


def test_an_entry_tells_on_how_many_threads_a_network_was_trained() -> None:
    before = torch.get_num_threads()
    try:
        told = []
        for threads in (1, 2):
            fitted = estimator(threads=threads).fit(*faces(8))
            told.append((fitted.facts()["device"], fitted.facts()["threads"]))
        assert told == [("cpu (1 thread)", "1"), ("cpu (2 threads)", "2")]
    finally:
        torch.set_num_threads(before)
