"""The fully convolutional network with weights learnt from rendered faces: loaded, not trained.

They were trained on the 2,400 training faces of `rendered`, with the recipe as it is:

    grade fully_convolutional --save-weights baselines/fully_convolutional_trained.safetensors
"""

from harness import load_baseline

trained = load_baseline("fully_convolutional")
build_model, codec, recipe = trained.build_model, trained.codec, trained.recipe
weights = "fully_convolutional_trained.safetensors"
