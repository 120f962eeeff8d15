"""The trainer: it learns, repeats itself, keeps to its budget, and says what is wrong."""

import copy
import math
import time

import numpy as np
import pytest
import torch
from torch import nn

from harness.errors import ContractError, RecipeError, TrainingError
from harness.keypoints import FACE15
from harness.learning.augment import Augmenter
from harness.learning.average import Average
from harness.learning.codecs import CODECS
from harness.learning.optimizers import make_optimizer, set_lr_and_momentum
from harness.learning.plan import Plan
from harness.learning.recipe import Recipe
from harness.learning.seeding import seed_everything
from harness.learning.threads import Threads
from harness.learning.trainer import Progress, train
from harness.learning.validation import BestWeights, validation_rows

SIZE = 16
CPU = torch.device("cpu")
PLAIN = Recipe(
    epochs=4, batch_size=16, lr=0.01, lr_schedule="constant", warmup=0.0, ema=0.0,
    flip=0.0, rotation=0.0, scale=0.0, shift=0.0, brightness=0.0, contrast=0.0,
)  # fmt: skip


def faces(count: int = 48) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images with a bright square, keypoints around its middle, four images a subject."""
    rng = np.random.default_rng(0)
    middles = rng.integers(4, SIZE - 4, (count, 2))
    images = np.zeros((count, SIZE, SIZE), dtype=np.uint8)
    for image, (x, y) in zip(images, middles, strict=True):
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
    keypoints = middles[:, None] + np.linspace(-2, 2, 15)[:, None]
    return images, keypoints.astype(np.float32), np.arange(count) // 4


class Network(nn.Module):
    """One convolution with batch normalisation, dropout, one dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1))
        self.points = nn.Linear(4 * SIZE * SIZE, 30)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return SIZE / 2 + SIZE / 2 * self.points(self.features(images).flatten(1)).view(-1, 15, 2)


def run(
    recipe: Recipe = PLAIN,
    model: nn.Module | None = None,
    data=None,
    budget_seconds=None,
    progress=lambda _: None,
    threads: Threads | None = None,
):
    seed_everything(recipe.seed)
    model = Network() if model is None else model
    return train(
        model,
        *(faces() if data is None else data),
        layout=FACE15,
        codec=CODECS["pixels"],
        recipe=recipe,
        device=CPU,
        budget_seconds=budget_seconds,
        augmenter=Augmenter(recipe, FACE15, (SIZE, SIZE), CPU),
        progress=progress,
        threads=Threads(CPU, torch.get_num_threads()) if threads is None else threads,
    )


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def test_it_learns_where_the_square_is() -> None:
    trained = run(PLAIN.with_changes(epochs=40, lr_schedule="cosine"))
    assert trained.error_px < 1
    assert (trained.epochs, trained.epochs_planned, trained.shortened, trained.stopped_early) == (40, 40, False, False)
    assert not trained.model.training


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": "sgd", "momentum_schedule": "linear"}, {"precision": "bfloat16"}]
)
def test_the_same_seed_gives_the_same_weights_bit_for_bit(changes) -> None:
    recipe = PLAIN.with_changes(flip=0.5, rotation=10.0, noise=0.1, ema=0.9, **changes)
    first, second, other = run(recipe), run(recipe), run(recipe.with_changes(seed=1))
    assert torch.equal(weights(first.model), weights(second.model))
    assert not torch.equal(weights(first.model), weights(other.model))


def test_comparing_numbers_of_threads_leaves_no_trace_in_the_weights(monkeypatch) -> None:
    recipe = PLAIN.with_changes(flip=0.5, noise=0.1, ema=0.9)
    expected = run(recipe)
    compared = []
    monkeypatch.setattr("harness.learning.threads.choose", lambda rates, before: compared.append(rates) or before)
    monkeypatch.setattr("harness.learning.threads.SLOW", 1e9)  # so that it compares during training too
    monkeypatch.setattr("harness.learning.threads.WINDOW", 0.0)
    monkeypatch.setattr("harness.learning.threads.SHORT_PAUSE", 0.0)
    monkeypatch.setattr("harness.learning.threads.PAUSE", 0.0)
    monkeypatch.setattr("harness.learning.threads._ONE_TIMING", 0.0)
    before = torch.get_num_threads()
    trained = run(recipe, threads=Threads(CPU, cores=lambda: max(2, before)))
    assert len(compared) > 2 and all(min(rates.values()) > 0 for rates in compared)
    assert torch.equal(weights(trained.model), weights(expected.model))


def test_a_budget_that_does_not_bind_changes_nothing() -> None:
    assert torch.equal(weights(run().model), weights(run(budget_seconds=3600.0).model))


def test_a_budget_that_is_spent_ends_the_run_with_a_model() -> None:
    trained = run(PLAIN.with_changes(epochs=100_000), budget_seconds=0.5)
    assert trained.shortened
    assert trained.epochs < 100_000
    assert weights(trained.model).isfinite().all()


def test_progress_comes_once_an_epoch_and_reads_as_one_line() -> None:
    seen: list[Progress] = []
    run(PLAIN.with_changes(validation=0.25), progress=seen.append)
    assert [each.epoch for each in seen] == [1, 2, 3, 4]
    assert all(each.error_px > 0 and each.validation_px > 0 and each.images_per_second > 0 for each in seen)
    assert {each.threads for each in seen} == {torch.get_num_threads()}
    line = str(Progress(3, 60, 4.5678, 5.0, 812.3, 83.0))
    assert line == "epoch 3/60: error 4.57 px, validation 5.00 px, 812 images/s, 1:23 left"


def test_missing_keypoints_are_masked_or_their_rows_dropped() -> None:
    images, keypoints, subjects = faces()
    keypoints[::2, 3] = math.nan
    wrong = keypoints.copy()
    wrong[::2, 4:] += 100  # labels that only a run which drops incomplete rows does not see
    drop = PLAIN.with_changes(partial_labels="drop")
    assert weights(run(data=(images, keypoints, subjects)).model).isfinite().all()
    dropped = [weights(run(drop, data=(images, each, subjects)).model) for each in (keypoints, wrong)]
    assert torch.equal(*dropped)
    with pytest.raises(ContractError, match="no row is left to train on with partial_labels='drop'"):
        run(drop, data=(images[::2], keypoints[::2], subjects[::2]))


def test_a_last_batch_of_one_row_does_not_break_batch_normalisation() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(SIZE * SIZE, 8), nn.BatchNorm1d(8), nn.Linear(8, 30))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.layers(images).view(-1, 15, 2)

    assert run(model=Pooled(), data=faces(33)).epochs == 4


def test_early_stopping_keeps_the_best_weights() -> None:
    recipe = PLAIN.with_changes(epochs=30, validation=0.25, early_stopping=3, lr=0.05)
    seen: list[Progress] = []
    trained = run(recipe, progress=seen.append)
    errors = [each.validation_px for each in seen]
    assert trained.validation_px == min(errors)
    assert trained.stopped_early == (len(errors) - 1 - errors.index(min(errors)) == 3)


def test_patience_counts_epochs_without_a_lower_error() -> None:
    model, best = nn.Linear(1, 1), BestWeights(patience=2)
    for error, is_over in [(3.0, False), (2.0, False), (2.5, False), (2.1, True)]:
        best.offer(error, model)
        assert best.is_over == is_over
        if error == 2.0:
            kept = copy.deepcopy(model.state_dict())
            nn.init.zeros_(model.weight)
    assert best.error_px == 2.0
    assert torch.equal(best.weights["weight"], kept["weight"])


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_validation_keeps_whole_subjects(share: float) -> None:
    subjects = np.repeat(np.arange(40), 5)
    kept = validation_rows(subjects, share)
    assert not set(subjects[kept]) & set(subjects[~kept])
    assert share <= kept.mean() < share + 0.03


def test_validation_needs_two_subjects() -> None:
    assert not validation_rows(np.zeros(5, dtype=np.int64), 0.0).any()
    with pytest.raises(ContractError, match="at least two subjects"):
        validation_rows(np.zeros(5, dtype=np.int64), 0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgd", "lr": 1e30}, r"the loss became (nan|inf) in epoch 1 of 4; lower lr \(it is 1e\+30"),
        ({"optimizer": "adamw", "lr": 1e9, "loss": "l1"}, r"the error grew to \S+ pixels in epoch 1 of 4; lower lr"),
    ],
)
def test_divergence_names_the_epoch_and_the_remedy(changes, message) -> None:
    with pytest.raises(TrainingError, match=message):
        run(PLAIN.with_changes(**changes))


class Emits(nn.Module):
    """Emits what a function makes of its (B, 30) outputs."""

    def __init__(self, form) -> None:
        super().__init__()
        self.points, self.form = nn.Linear(SIZE * SIZE, 30), form

    def forward(self, images: torch.Tensor):
        return self.form(self.points(images.flatten(1)))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda out: out.view(-1, 2, 15), r"returned shape \(2, 2, 15\).*\.transpose\(1, 2\)"),
        (lambda out: out[:, :15, None, None].expand(-1, -1, 4, 4), r"\(2, 15, 4, 4\).*write codec = \"heatmaps\""),
        (lambda out: out.mean(0).view(15, 2), "keep the batch as the first axis"),
        (lambda out: out.view(-1, 15, 2)[:, :4], r"returned shape \(2, 4, 2\)"),
        (lambda out: {"points": out[:, :8]}, "returned a dict .*; it must return a tensor"),
        (lambda out: out.view(-1, 15, 2).long(), r"returned torch.int64; it must return floating point"),
        (lambda out: out.view(7, 7), "the model failed on a batch of images of shape"),
        (
            lambda out: out.detach(),
            r"does not depend on its weights; leave \.detach\(\), \.data and torch\.no_grad\(\)",
        ),
    ],
)
def test_outputs_that_break_the_contract_are_named_before_training(form, message) -> None:
    with pytest.raises(ContractError, match=message):
        run(model=Emits(form))


def test_a_model_without_trainable_weights_is_refused() -> None:
    with pytest.raises(ContractError, match="no weights that can be trained"):
        run(model=Network().requires_grad_(False))


def test_a_short_averaged_run_is_not_ruled_by_its_initial_weights() -> None:
    model = nn.BatchNorm1d(1)
    average = Average(model, decay=0.999)
    nn.init.constant_(model.weight, 5.0)
    model.running_mean.fill_(5.0)
    model.num_batches_tracked.fill_(20)
    for _ in range(20):
        average.update()
    assert average.model.weight.item() == pytest.approx(5.0, abs=0.01)
    assert average.model.running_mean.item() == pytest.approx(5.0, abs=0.01)
    assert average.model.num_batches_tracked.item() == 20


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "nesterov", "lion"])
def test_optimizers_by_name_decay_weights_only(name: str) -> None:
    optimizer = make_optimizer(Network(), PLAIN.with_changes(optimizer=name, weight_decay=0.1))
    decays = {weight.ndim > 1: group["weight_decay"] for group in optimizer.param_groups for weight in group["params"]}
    assert decays == {True: 0.1, False: 0.0}
    set_lr_and_momentum(optimizer, 0.5, 0.7)
    for group in optimizer.param_groups:
        assert group["lr"] == 0.5
        assert (group["betas"][0] if "betas" in group else group["momentum"]) == 0.7


def test_an_unknown_optimizer_is_answered_with_near_ones() -> None:
    with pytest.raises(RecipeError, match=r"optimizer is 'adamww', which neither torch nor timm knows; .*adamw"):
        make_optimizer(Network(), PLAIN.with_changes(optimizer="adamww"))


class Clock:
    """A clock that a test winds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def walk(plan: Plan, clock: Clock, seconds_per_step: float) -> list[float]:
    """Run a plan to its end: the progress at each step."""
    seen = []
    while plan.step < plan.steps:
        seen.append(plan.progress)
        clock.now += seconds_per_step
        plan.advance()
        if plan.step % plan.steps_per_epoch == 0:
            plan.refit()
    return seen


@pytest.mark.parametrize("budget", [None, 500.0])
def test_a_plan_that_fits_its_budget_is_the_recipe_s(budget) -> None:
    plan = Plan(epochs=4, steps_per_epoch=10, budget_seconds=budget, clock=(clock := Clock()))
    assert walk(plan, clock, 1.0) == pytest.approx(np.arange(40) / 40)
    assert not plan.shortened


@pytest.mark.parametrize(("budget", "last"), [(5.0, 0.0), (25.0, 0.9), (60.0, 0.9), (200.0, 0.9)])
def test_a_plan_that_does_not_fit_shrinks_and_runs_to_the_end_of_its_schedule(budget: float, last: float) -> None:
    plan = Plan(epochs=40, steps_per_epoch=10, budget_seconds=budget, clock=(clock := Clock()))
    seen = walk(plan, clock, 1.0)
    assert plan.shortened
    assert 0.8 * budget <= clock.now <= budget
    assert seen == sorted(seen)
    assert seen[-1] > last


def test_a_plan_grows_back_when_the_machine_does() -> None:
    plan = Plan(epochs=4, steps_per_epoch=10, budget_seconds=100.0, clock=(clock := Clock()))
    clock.now = 1.0
    for seconds in [6.0] * 10:
        clock.now += seconds
        plan.advance()
    assert plan.steps < 40
    walk(plan, clock, 0.01)
    assert plan.step == 40


@pytest.mark.parametrize(("epochs", "pace"), [(2, 16.0), (1, 4.0)])
def test_the_pace_of_a_run_leaves_out_its_first_step_where_there_are_more(monkeypatch, epochs, pace) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)

    class Warms(Network):
        seconds = 4.0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            if self.training:
                clock.now += self.seconds
                self.seconds = 1.0
            return super().forward(images)

    trained = run(PLAIN.with_changes(epochs=epochs), model=Warms(), data=faces(16))
    assert (trained.images_per_second, trained.rows) == (pace, 16)


def test_a_plateau_ends_training_s_progress_where_its_factor_is_0() -> None:
    recipe = PLAIN.with_changes(lr_schedule="plateau", lr=0.1, plateau_patience=1, plateau_factor=0)
    models = [run(recipe.with_changes(epochs=epochs)).model for epochs in (2, 20, 25)]
    early, late, later = (torch.cat([weight.flatten() for weight in model.parameters()]) for model in models)
    assert torch.equal(late, later) and not torch.equal(early, late)


def test_keypoints_that_weigh_nothing_are_not_learnt() -> None:
    images, keypoints, subjects = faces()
    seed_everything(0)
    untouched, trained = Network(), Network()
    trained.load_state_dict(untouched.state_dict())
    train(
        trained, images, keypoints, subjects, layout=FACE15, codec=CODECS["pixels"], recipe=PLAIN, device=CPU,
        budget_seconds=None, augmenter=Augmenter(PLAIN, FACE15, (SIZE, SIZE), CPU), progress=lambda _: None,
        threads=Threads(CPU, 1), weights=[1.0] * 14 + [0.0],
    )  # fmt: skip
    changed = (trained.points.bias != untouched.points.bias).view(15, 2).all(dim=1)
    assert changed.tolist() == [True] * 14 + [False]
