"""The fully convolutional network with weights that rendered faces taught it: loaded, not trained.

The 2,400 training faces of `rendered`, with the recipe as it stands.

    grade fully_convolutional --save-weights baselines/fully_convolutional_trained.safetensors
"""

from harness import load_baseline

trained = load_baseline("fully_convolutional")
build_model, codec, recipe = trained.build_model, trained.codec, trained.recipe
weights = "fully_convolutional_trained.safetensors"
