"""The figures themselves: joint errors, shares, reading."""

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from finetune import evaluate
from posegen import posecodes


def test_pa_error_ignores_similarity_and_equals_scipys_procrustes():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5, 12, 3))
    moved = 1.7 * truth @ Rotation.random(random_state=0).as_matrix().T + 3
    assert evaluate.pa_errors(moved, truth).max() < 1e-6
    noisy = moved + rng.normal(0, 0.2, truth.shape)
    for got, a, b in zip(evaluate.pa_errors(noisy, truth), noisy, truth, strict=True):
        # scipy standardises both; undo its scale on the truth
        reference, fitted, _ = procrustes(b, a)
        scale = np.linalg.norm(b - b.mean(0))
        assert got == pytest.approx(scale * np.linalg.norm(reference - fitted, axis=1).mean(), rel=1e-6)


def test_pa_alignment_does_not_mirror():
    truth = np.random.default_rng(1).normal(size=(1, 12, 3))
    assert evaluate.pa_errors(truth * (-1, 1, 1), truth).max() > 0.1


def test_root_error_ignores_where_the_person_stands():
    truth = np.random.default_rng(2).normal(size=(4, 12, 3))
    assert evaluate.root_errors(truth + 5, truth).max() < 1e-9
    wrong = truth.copy()
    wrong[:, 0, 0] += 1.2
    np.testing.assert_allclose(evaluate.root_errors(wrong, truth), 0.1)


def test_share_held_counts_only_what_was_said():
    scores = torch.tensor([[0.5, -0.5, -2.0], [-2.0, 0.0, 0.0]])
    wanted = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    torch.testing.assert_close(evaluate.share_held(scores, wanted), torch.tensor([2 / 3, 1 / 2]))
    torch.testing.assert_close(evaluate.share_held(scores, wanted, tolerant=False), torch.tensor([1 / 3, 1 / 2]))


def test_reading_counts_left_right_confusions():
    n = len(posecodes.NAMES)
    left, right = posecodes.INDEX["left_hand_above_head"], posecodes.INDEX["right_hand_above_head"]
    wanted, read = torch.zeros(2, n), torch.zeros(2, n)
    wanted[:, left] = 1
    read[0, left], read[1, right] = 0.9, 0.9
    figures = evaluate.reading(read, wanted)
    assert figures == {"precision": 50.0, "recall": 50.0, "exact": 50.0, "left_right_confused": 50.0}


def test_validation_captions_are_true_and_of_unseen_clips(pose_data):
    settings = evaluate.EvaluateConfig(poses=str(pose_data / "mocap" / "poses.npz"), num_captions=40)
    texts, wanted, scores = evaluate.validation_captions(settings)
    assert len(texts) == 40 and len(set(texts)) > 35
    assert evaluate.share_held(scores, wanted, tolerant=False).min() == 1
    assert evaluate.validation_captions(settings)[0] == texts
