"""The feature pyramid with weights learnt from rendered faces: loaded, not trained.

They were trained for 20 epochs on the 6,000 training faces of `rendered-full`. On photographs, this baseline shows what
can be learnt from rendered faces alone.

    grade feature_pyramid --benchmark rendered-full --epochs 20 --save-weights baselines/pyramid_trained.safetensors
"""

from harness import load_baseline

pyramid = load_baseline("feature_pyramid")
build_model, codec, recipe = pyramid.build_model, pyramid.codec, pyramid.recipe
weights = "pyramid_trained.safetensors"
