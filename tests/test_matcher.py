"""Matchers: what they learn from, that they learn it, what they ignore, files, and recall against a plain count."""

import math

import numpy as np
import pytest
import roma
import torch

from finetune import matcher as matchers
from finetune.config import ConfigError, load
from finetune.data import datasets, families
from finetune.matcher import Matcher, MatcherConfig, MatcherError
from posegen import posecodes
from posegen.skeleton import mirror, remove_yaw

KINDS = list(matchers.TOWERS)
TEXTS = ["Kneeling", "a tired old man who leans on the wall of his house and waves with his left hand", "arms crossed"]


@pytest.fixture(scope="module")
def poses():
    """Rotations (300, 24, 3, 3) of parametric poses."""
    return roma.rotvec_to_rotmat(torch.from_numpy(families.sample(300, seed=3).axis_angle))


@pytest.fixture(scope="module")
def pool_and_file(tmp_path_factory):
    """A small pool of every source but named poses, and the pose file of 40 clips that its mocap is of."""
    path = tmp_path_factory.mktemp("poses") / "poses.npz"
    made = families.sample(400, seed=7).axis_angle
    np.savez(path, poses=made, clip=np.arange(400) // 10)
    return datasets.build_pool(path, "train", 200, 90, seed=0), path


@pytest.fixture(params=KINDS)
def matcher(request):
    """A matcher with random weights."""
    torch.manual_seed(0)
    return Matcher(request.param).eval()


def units(n, dim=8, seed=0):
    return torch.nn.functional.normalize(torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


# ---- towers


def test_embeddings_are_unit_vectors_and_similarity_is_their_cosine(matcher, poses):
    texts, five = [TEXTS[0], TEXTS[1], TEXTS[0], TEXTS[2], TEXTS[1]], poses[:5]
    a, b = matcher.embed_texts(texts), matcher.embed_poses(five)
    assert a.shape == b.shape == (5, matchers.DIM)
    for v in (a, b):
        torch.testing.assert_close(v.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(matcher.similarity(texts, five), (a * b).sum(1), atol=0.01, rtol=0)
    assert matcher.embed_texts([]).shape == (0, matchers.DIM)
    with pytest.raises(ValueError, match="5 and 4"):
        matcher.similarity(texts, five[:4])


def test_a_text_is_read_alike_alone_and_beside_longer_ones(matcher):
    together = matcher.embed_texts(TEXTS)
    alone = torch.cat([matcher.embed_texts([text]) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=0.01, rtol=0)
    assert (together @ together.T).fill_diagonal_(-1).max() < 0.999  # and not all texts alike


def test_order_of_words_and_an_empty_text_are_read(matcher):
    a, b, empty = matcher.embed_texts(["left hand up, right foot back", "right hand up, left foot back", ""])
    assert (a - b).norm() > 0.01 and empty.isfinite().all()


def test_where_the_person_faces_does_not_matter_but_the_side_does(matcher, poses):
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 2.0, 0.0]))
    turned = poses[:20].clone()
    turned[:, 0] = turn @ turned[:, 0]
    before = matcher.embed_poses(poses[:20])
    torch.testing.assert_close(matcher.embed_poses(turned), before, atol=2e-3, rtol=0)
    other = mirror(roma.rotmat_to_rotvec(poses[:20]))
    assert (matcher.embed_poses(roma.rotvec_to_rotmat(other)) - before).norm(dim=1).min() > 0.01


def test_facing_is_what_training_poses_are_turned_by(poses):
    expected = remove_yaw(roma.rotmat_to_rotvec(poses))
    torch.testing.assert_close(matchers.facing(poses), roma.rotvec_to_rotmat(expected), atol=1e-5, rtol=0)


def test_matchers_share_no_kind_of_tower():
    (text, pose), (other_text, other_pose) = matchers.TOWERS["reward"], matchers.TOWERS["judge"]
    assert text is not other_text and pose is not other_pose
    names = [name for name, _ in Matcher("reward").named_parameters()]
    assert not any("encoder" in name for name in names)  # MiniLM is neither trained nor kept


# ---- what they learn from


def test_halves_share_no_pose_and_no_clip(pool_and_file):
    pool, path = pool_and_file
    half = matchers.halves(pool, path)
    real, clip = datasets.mocap(path, "train")
    assert not (set(clip[half[pool.source == 0] == 0]) & set(clip[half[pool.source == 0] == 1]))
    assert torch.equal(half[pool.source == 0], half[pool.source == 1])
    assert (half[pool.source == 2] == -1).all() and (pool.source == 2).any()
    sizes = torch.bincount(half[pool.source == 3], minlength=2)
    assert sizes.tolist() == [100, 100]
    distance = torch.cdist(pool.axis_angle[half == 0].flatten(1), pool.axis_angle[half == 1].flatten(1))
    assert distance.min() > 0.1


def test_a_named_pose_goes_with_the_pose_it_was_made_of(pool_and_file):
    pool, path = pool_and_file
    before = matchers.halves(pool, path)
    origin = torch.nonzero((pool.source == 0) | (pool.source == 3))[::9, 0]
    made = pool.axis_angle[origin] + 0.01
    more = datasets.PosePool(
        torch.cat([pool.axis_angle, made]), torch.cat([pool.source, torch.full((len(made),), 4)]),
        pool.names + [()] * len(made), torch.cat([pool.unit, torch.zeros(len(made), dtype=torch.long)]),
        torch.cat([pool.scores, posecodes.scores(roma.rotvec_to_rotmat(made))]),
        torch.cat([pool.weight, torch.ones(len(made)).double()]),
    )  # fmt: skip
    after = matchers.halves(more, path)
    assert torch.equal(after[: len(pool)], before) and torch.equal(after[len(pool) :], before[origin])
    assert {0, 1} == set(before[origin].tolist())


def test_a_pool_of_another_pose_file_is_refused(pool_and_file, tmp_path):
    pool, _ = pool_and_file
    np.savez(tmp_path / "other.npz", poses=np.zeros((30, 24, 3), np.float32), clip=np.arange(30))
    with pytest.raises(datasets.DataError, match="other.npz"):
        matchers.halves(pool, tmp_path / "other.npz")


# ---- the loss, training, files


def test_loss_is_info_nce_both_ways():
    a, b = 3 * units(6), units(6, seed=1)
    cosine = (a / 3) @ b.T
    loss, metrics = matchers.contrastive_loss(a, b, torch.tensor(math.log(5.0)))
    rows = [-math.log(math.exp(5 * cosine[i, i]) / sum(math.exp(5 * cosine[i, j]) for j in range(6))) for i in range(6)]
    columns = [
        -math.log(math.exp(5 * cosine[i, i]) / sum(math.exp(5 * cosine[j, i]) for j in range(6))) for i in range(6)
    ]
    assert loss.item() == pytest.approx((sum(rows) + sum(columns)) / 12, rel=1e-5)
    assert metrics["right"] == pytest.approx((cosine.argmax(1) == torch.arange(6)).float().mean().item())


def config(kind, folder, path, steps=60):
    return MatcherConfig(
        kind,
        str(path),
        str(folder),
        str(folder),
        num_captions=64,
        steps=steps,
        batch=24,
        learning_rate=4e-3,
        save_seconds=0,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_training_learns_resumes_exactly_and_writes_what_it_learnt(kind, pool_and_file, tmp_path, monkeypatch):
    pool, path = pool_and_file
    captions, write, loss = [], datasets.write_captions, matchers.contrastive_loss
    monkeypatch.setattr(
        datasets, "write_captions", lambda *given: captions.append((given[1], write(*given))) or captions[-1][1]
    )
    whole = matchers.train(config(kind, tmp_path / "a", path), pool)

    calls = 0

    def stop_once(*given):
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyboardInterrupt
        return loss(*given)

    monkeypatch.setattr(matchers, "contrastive_loss", stop_once)
    with pytest.raises(KeyboardInterrupt):
        matchers.train(config(kind, tmp_path / "b", path), pool)
    resumed = matchers.train(config(kind, tmp_path / "b", path), pool)
    assert calls == 15 + 60 - 14
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name

    index, told = captions[0]
    assert (matchers.halves(pool, path)[index] == KINDS.index(kind)).all()
    texts, rotations = [caption.text for caption in told], roma.rotvec_to_rotmat(pool.axis_angle[index])
    file = tmp_path / "a" / f"{kind}.safetensors"
    assert file.stat().st_size < 3e6
    loaded = Matcher.load(file)
    assert loaded.kind == kind and not loaded.training
    right, wrong = loaded.similarity(texts, rotations), loaded.similarity(texts, rotations.roll(7, 0))
    torch.testing.assert_close(right, whole.similarity(texts, rotations), atol=0.01, rtol=0)
    assert right.mean() > wrong.mean() + 0.2


def test_files_that_are_no_matchers_are_named(tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(MatcherError, match="no matcher none.safetensors"):
        Matcher.load(tmp_path / "none.safetensors")
    (tmp_path / "bytes.safetensors").write_bytes(b"not tensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors", {"kind": "reward"})
    save_file({"a": torch.zeros(2)}, tmp_path / "unmarked.safetensors")
    for name in ("bytes", "other", "unmarked"):
        with pytest.raises(MatcherError, match=f"{name}.safetensors is damaged or no matcher"):
            Matcher.load(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--kind", "both"], "kind must be one of reward, judge"), (["--batch", "1"], "at least 2"),
     (["--steps", "-1"], "must not be negative")],
)  # fmt: skip
def test_wrong_settings_are_named(arguments, sentence):
    with pytest.raises(ConfigError, match=sentence):
        load(MatcherConfig, None, arguments)


# ---- recall


@pytest.mark.parametrize("k", [1, 3])
def test_recall_is_the_plain_count(k):
    a = units(40)
    b = torch.nn.functional.normalize(a + 1.5 * units(40, seed=1), dim=1)
    near = lambda x, y: 100 * np.mean([i in (y @ x[i]).topk(k).indices.tolist() for i in range(40)])  # noqa: E731
    expected = {"text_to_pose": near(a, b), "pose_to_text": near(b, a)}
    assert expected["text_to_pose"] != expected["pose_to_text"]
    found = matchers.recall(a, b, k)
    assert found == pytest.approx(expected, abs=0.06)
    assert matchers.recall(a, b, k, pool=40) == found  # a pool of all, in any order


def test_recall_of_chance_and_of_copies():
    a, b = units(640, 64), units(640, 64, seed=1)
    by_chance = matchers.recall(a, b, 4, pool=32)
    assert by_chance["text_to_pose"] == pytest.approx(12.5, abs=2)
    every = matchers.recalls(a, a)
    assert list(every) == ["full_set", "random_pools_of_32"]
    assert every["random_pools_of_32"]["pose_to_text"] == {"R@1": 100.0, "R@5": 100.0, "R@10": 100.0}
    same = torch.ones(640, 64) / 8  # all alike: nothing is found, rather than everything
    assert matchers.recall(same, same, 10)["text_to_pose"] == 0
    with pytest.raises(ValueError, match="Pools of 32"):
        matchers.recall(a[:8], b[:8], 1, pool=32)


# ---- the two that ship


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_matchers_tell_sides_and_postures(kind, pose_data):
    from finetune.word_evaluation import of_clips

    file = matchers.FOLDER / f"{kind}.safetensors"
    assert file.stat().st_size < 3e6
    shipped = Matcher.load(file)
    told = of_clips(pose_data / "mocap" / "poses.npz", 640, seed=1)
    texts, poses = shipped.embed_texts(told.texts), shipped.embed_poses(roma.rotvec_to_rotmat(told.axis_angle))
    found = matchers.recall(texts, poses, 1, pool=32)
    assert min(found.values()) > 20  # chance is 3
    image = roma.rotvec_to_rotmat(mirror(told.axis_angle))
    own, other = (texts * poses).sum(1), (texts * shipped.embed_poses(image)).sum(1)
    sided = torch.tensor([("left" in text.lower()) != ("right" in text.lower()) for text in told.texts])
    wrong = ((told.wanted > 0.5) & ~posecodes.holds(posecodes.scores(image))).any(1)  # "left foot on the ground" is not
    assert (sided & wrong).sum() > 150 and (own > other)[sided & wrong].float().mean() > 0.6
