"""The network of several resolutions with weights learnt from rendered faces: loaded, not trained.

They were trained on the 2,400 training faces of `rendered`, with the recipe as it is:

    grade multiscale --save-weights baselines/multiscale_trained.safetensors
"""

from harness import load_baseline

trained = load_baseline("multiscale")
build_model, codec, recipe = trained.build_model, trained.codec, trained.recipe
weights = "multiscale_trained.safetensors"
