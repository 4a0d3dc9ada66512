"""Calls for mypy: what it must refuse has a comment that names the error."""

import numpy as np

import gumbelmax
from gumbelmax import Generator, make_batch_fn, resample

logits = np.zeros((2, 3))
rng = Generator(1)

rng.sample(logits, top_p=[0.5, 1.0], row_ids=[3, 4], history=[[1], []], draws=2, share="all")
rng.sample_weights(logits, temperature=0.5, dtype="int32", method="auto", axis=0, device="cpu")
rng.sample_scored(logits, weights=True, log_probs_of="allowed", invalid="mark")
rng.race(logits, 2, min_p=0.1, weights=True, draws=3, dtype=np.int32)
rng.estimate_log_z(logits, draws=10, allowed=np.ones(3, bool))
rng.gumbel_softmax(logits, 0.5, bias={1: 2.0}, draws=None)
rng.resample(logits[0], scheme="residual", positions=5)
resample(logits[0], seed=1, step=2, scheme="stratified")
make_batch_fn(seed=1, top_k=5, top_p=0.9, bias={1: 2.0}, allowed=[True, False, True])
gumbelmax.log_prob(logits, [0, 1], log_probs_of="kept")

rng.sample(logits, top_q=0.5)  # refused: call-arg
rng.sample(logits, seed=1)  # refused: call-arg
rng.sample(logits, log_probs_of="kept")  # refused: call-arg
rng.sample(logits, share="most")  # refused: arg-type
rng.sample_weights(logits, bias={1: 2.0})  # refused: call-arg
rng.sample_scored(logits, log_probs_of="all")  # refused: arg-type
rng.race(logits, 2, method="auto")  # refused: call-arg
rng.estimate_log_z(logits, draws=10, dtype="int32")  # refused: call-arg
rng.gumbel_softmax(logits, weights=True)  # refused: call-arg
rng.resample(logits[0], scheme="best")  # refused: arg-type
resample(logits[0])  # refused: call-arg
resample(logits[0], seed=1, draws=2)  # refused: call-arg
make_batch_fn(seed=1, top_q=0.5)  # refused: call-arg
make_batch_fn(seed=1, top_p=[0.5])  # refused: arg-type
gumbelmax.log_prob(logits, [0, 1], log_probs_of="all")  # refused: arg-type
