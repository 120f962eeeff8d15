"""The feature pyramid with weights that rendered faces taught it: loaded, not trained.

6,000 faces of `rendered-full`, 20 epochs. On photographs it shows what drawn faces alone teach.

    grade feature_pyramid --benchmark rendered-full --epochs 20 --save-weights baselines/pyramid_trained.safetensors
"""

from harness import load_baseline

pyramid = load_baseline("feature_pyramid")
build_model, codec, recipe = pyramid.build_model, pyramid.codec, pyramid.recipe
weights = "pyramid_trained.safetensors"
