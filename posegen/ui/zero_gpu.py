"""ZeroGPU: a Hugging Face Space without a GPU of its own, which is lent one for a call at a time."""

import functools
import os


def use_zero_gpu(policy, path=None) -> None:
    """On a ZeroGPU Space, let the language model write on the lent GPU; anywhere else nothing changes.

    The GPU is seen only by the process that `spaces.GPU` starts, so that one loads a policy of its own; words to poses
    and photos to poses are small and stay here.

    Args:
        policy: what the page serves; its `answer` is replaced.
        path: where it was loaded from; the embedded default if None.
    """
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):  # as `spaces` reads it
        return
    import spaces

    @functools.cache
    def lent():
        return type(policy).from_pretrained(path, device="cuda")

    @spaces.GPU
    def answer(prompt, scores):
        return lent().answer(prompt, scores)

    policy.answer = answer
