"""Reader: tokens and masks, what is trained and kept, and how single statements and names are settled."""

import pytest
import torch

from posegen.policy import load_heads, own_state
from posegen.reader import FROZEN_LAYERS, Queries, Reader

RECIPES = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]]).bool()


@pytest.fixture(scope="module")
def reader():
    """A reader of four statements and two named poses on the real encoder; its queries are random."""
    torch.manual_seed(0)
    return Reader.load(["one", "two"], RECIPES).eval()


def logit(*probabilities):
    return torch.logit(torch.tensor([probabilities]), eps=1e-4)


def test_queries_see_only_what_the_mask_shows():
    torch.manual_seed(0)
    queries = Queries(16, 7, 3, width=32).eval()
    hidden, mask = torch.randn(2, 5, 16), torch.tensor([[True] * 5, [True, True, True, False, False]])
    changed = hidden.clone()
    changed[1, 3:] = 100
    before, after = queries(hidden, mask), queries(changed, mask)
    assert before[0].shape == (2, 7) and before[1].shape == (2, 4)
    torch.testing.assert_close(before, after)
    changed[1, 2] = 3
    assert not torch.allclose(before[0][1], queries(changed, mask)[0][1], atol=1e-2)


def test_a_text_is_read_alike_alone_and_beside_a_longer_one_and_whatever_its_capitals(reader):
    short, long = "Waving", "a tired old man who is leaning on the wall of his house and waves with his left hand"
    with torch.no_grad():
        alone, both = reader([short]), reader(["waving", long])
    torch.testing.assert_close(alone[0][0], both[0][0], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(alone[1][0], both[1][0], atol=1e-4, rtol=1e-3)


def test_the_order_of_words_is_read(reader):
    left, right = "left hand up, right foot back", "right hand up, left foot back"
    with torch.no_grad():
        hidden, mask = reader.encode([left, right])
    assert mask.all() and not torch.allclose(*hidden.mean(1), atol=1e-3)


def test_only_the_upper_layers_are_trained_and_kept(reader):
    kept = own_state(reader)
    layers = {name.split(".")[3] for name in kept if name.startswith("encoder.encoder.layer.")}
    assert layers == {str(i) for i in range(FROZEN_LAYERS, 6)}
    assert not any("embeddings" in name for name in kept) and "queries.query" in kept
    trained = {name for name, p in reader.named_parameters() if p.requires_grad}
    assert trained == kept.keys() - {"compatible"}
    reader.requires_grad_(False)
    assert not any(p.requires_grad for p in reader.parameters())
    reader.requires_grad_(True)
    assert {name for name, p in reader.named_parameters() if p.requires_grad} == trained


def test_kept_weights_make_the_same_reader_again_and_missing_ones_are_noticed(reader, tmp_path):
    from safetensors.torch import save_file

    from posegen.policy import PolicyError

    path = tmp_path / "heads.safetensors"
    state = {f"reader.{name}": value.clone() for name, value in own_state(reader).items()}
    save_file(state, path)
    other = Reader.load(["one", "two"], RECIPES).eval()
    text = ["arms crossed"]
    with torch.no_grad():
        assert not torch.allclose(reader(text)[0], other(text)[0])
        load_heads([tmp_path], {"reader": other})
        torch.testing.assert_close(reader(text), other(text))
    del state["reader.encoder.encoder.layer.5.output.dense.weight"]
    save_file(state, path)
    with pytest.raises(PolicyError, match="get the folder again"):
        load_heads([tmp_path], {"reader": other})


def test_statements_that_no_pose_shows_together_are_dropped_from_the_least_sure(reader):
    shown = torch.full((6, 4), -9.0)
    shown[:3, [0, 1]], shown[3:, [1, 2]] = 0.5, 0.5  # 0 with 1, 1 with 2, never 0 with 2, never 3 with any
    reader.learn_compatible(shown)
    assert reader.compatible[0, 1] and reader.compatible[1, 2] and not reader.compatible[0, 2]
    none = torch.tensor([[-20.0, -20.0, 20.0]])
    read = reader.settle(logit(0.6, 0.7, 0.9, 0.2), none).probabilities[0]
    assert (read > 0.5).tolist() == [False, True, True, False]
    read = reader.settle(logit(0.9, 0.7, 0.6, 0.2), none).probabilities[0]
    assert (read > 0.5).tolist() == [True, True, False, False]
    reader.compatible.fill_(1)


def test_a_name_that_is_sure_brings_its_whole_recipe_and_leaves_what_was_said_beside_it(reader):
    name = torch.tensor([[20.0, -20.0, -20.0]])
    reading = reader.settle(logit(0.3, 0.2, 0.1, 0.1), name)
    assert reading.name.tolist() == [0] and reader.title(reading.name[0]) == "one"
    assert (reading.probabilities[0] > 0.5).tolist() == [True, True, False, False]
    unsure = reader.settle(logit(0.3, 0.2, 0.1, 0.1), torch.tensor([[0.0, 0.0, 3.0]]))
    assert unsure.name.tolist() == [-1] and reader.title(unsure.name[0]) == ""
    assert not (unsure.probabilities > 0.5).any()
