"""The feature pyramid, started with weights learnt from rendered faces and trained further.

Rendered faces are not photographs, but eyes, brows and mouths are where they should be: a network that knows them has
less to learn from the 2,000 photographs. It starts with the 940,071 weights of `pyramid_trained`, and is trained for
more epochs and with stronger image edits than `feature_pyramid`, which starts with random weights.
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


recipe = trained.recipe.with_changes(
    epochs=70,
    lr=3e-3,
    rotation=25,
    scale=0.2,
    brightness=0.3,
    contrast=0.4,
    gamma=0.3,
    noise=0.03,
    occlusion=0.3,
)
