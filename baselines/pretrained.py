"""The feature pyramid, started from what rendered faces taught it and trained on.

Drawn faces are no photographs, but eyes, brows and mouths are where they should be: a network that knows them has less
to learn from the 2,000 photographs that there are. The first weights are those of `pyramid_trained`, 940,071 of them.
"""

from pathlib import Path

from safetensors.torch import load_file

from harness import load_baseline

trained = load_baseline("pyramid_trained")
codec = trained.codec


def build_model(layout, image_size):
    model = trained.build_model(layout, image_size)
    start = load_file(Path(trained.__file__).with_name(trained.weights))
    start.pop("recentre.offset")  # of the rendered faces' labels
    model.load_state_dict(start)
    return model


recipe = trained.recipe.with_changes(epochs=60, lr=3e-3)
