"""What a small neural network cannot reproduce of the last samples."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detectors.checks import at_least
from detectors.windowed import Rows, Single, Windowed
from series import FloatArray

# Units on the way to the code, and back from it.
HIDDEN = 16
# Windows to one step of the optimiser, and its step: with some hundreds of steps a network of this size settles.
TOGETHER, LEARNING_RATE = 100, 0.01
# Usual deviations at which a sample is cut while learning, so that an incident does not become the lesson.
LARGEST_LEARNED = 8.0


@dataclass(kw_only=True, eq=False)
class Autoencoder(Windowed):
    """Distance of the last samples from what an autoencoder makes of them.

    A network of `width` - 16 - `code` - 16 - `width` units (hyperbolic tangents, the last layer linear) learns to
    reproduce windows of the history through the few numbers of its narrow middle: what it does badly is unlike them. It
    is `window_pca` with curved axes, and sees where ordinary windows do not lie near a plane.

    It is learned by scikit-learn's MLPRegressor, by Adam in a fixed number of passes from a fixed seed, and judges by
    matrix products of ours over all series, so that the weights are plain arrays that outlive a restart. torch (with
    pyod's AutoEncoder) takes more disk than all of forethought and starts in seconds, for a network of a thousand
    weights that it would learn no faster. One fit costs about 0.1 s a series: for a few series that matter. See
    `Windowed` for the other arguments.

    Parameters
    ----------
    width : int, default 24
        Samples of a window, the newest included.
    code : int, default 4
        Numbers that a window must fit into.
    passes : int, default 20
        How often each example is learned from.
    examples : int, default 1000
        Windows, evenly spaced over the history, that are learned from.

    References
    ----------
    Hawkins et al. (2002), Outlier Detection Using Replicator Neural Networks; Sakurada and Yairi (2014), Anomaly
    Detection Using Autoencoders with Nonlinear Dimensionality Reduction; Kingma and Ba (2015), Adam.
    """

    width: int = 24
    code: int = 4
    passes: int = 20
    examples: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, width=2, code=1, passes=1, examples=2)
        if self.code >= self.width:
            raise ValueError(f"Autoencoder.code must be below width ({self.width}). Got {self.code!r}.")

    def _span(self) -> int:
        return self.width

    def _allocate(self, n_series: int) -> None:
        sizes = list(pairwise((self.width, HIDDEN, self.code, HIDDEN, self.width)))
        self.weights_ = [np.zeros((n_series, *size), dtype=np.float32) for size in sizes]
        self.biases_ = [np.zeros((n_series, 1, size), dtype=np.float32) for _, size in sizes]

    def _learn_shape(self, rows: Rows, windows: Single) -> FloatArray:
        regressor = importlib.import_module("sklearn.neural_network").MLPRegressor
        n_windows = windows.shape[1]
        place = np.linspace(0, n_windows - 1, min(n_windows, self.examples)).astype(np.intp)
        for position, row in enumerate(rows):
            examples = np.clip(windows[position, place], -LARGEST_LEARNED, LARGEST_LEARNED)
            network = regressor(
                hidden_layer_sizes=(HIDDEN, self.code, HIDDEN),
                activation="tanh",
                batch_size=min(TOGETHER, len(examples)),
                learning_rate_init=LEARNING_RATE,
                random_state=0,
            )
            for _ in range(self.passes):
                network.partial_fit(examples, examples)
            for layer, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
                self.weights_[layer][row], self.biases_[layer][row] = weights, bias
        return self._errors(rows, windows)

    def _errors(self, rows: Rows, windows: Single) -> FloatArray:
        reached = np.ascontiguousarray(windows)
        for weights, bias in zip(self.weights_[:-1], self.biases_[:-1], strict=True):
            reached = np.tanh(reached @ weights[rows] + bias[rows])
        missed = windows - (reached @ self.weights_[-1][rows] + self.biases_[-1][rows])
        return np.asarray(np.sqrt(np.einsum("rnw,rnw->rn", missed, missed)), dtype=np.float64)
