"""The network of several resolutions with weights that rendered faces taught it: loaded, not trained.

The 2,400 training faces of `rendered`, with the recipe as it stands.

    grade multiscale --save-weights baselines/multiscale_trained.safetensors
"""

from harness import load_baseline

trained = load_baseline("multiscale")
build_model, codec, recipe = trained.build_model, trained.codec, trained.recipe
weights = "multiscale_trained.safetensors"
