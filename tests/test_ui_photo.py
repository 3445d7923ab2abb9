"""The photo tab without a browser: hypotheses and their words, boxes, and whose files a choice changes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from posegen.hypotheses import BONES, camera_of, hypotheses, in_words, labels, least_alike, miss, tilts
from posegen.photo import load_photo
from posegen.policy import PoseSample
from posegen.pose import Pose
from posegen.render import PEOPLE_COLORS, Renderer
from posegen.skeleton import INDEX, LIMBS
from posegen.ui.photo import EXAMPLES, PhotoAnswer, PhotoTab, with_boxes


def turned(**degrees) -> PoseSample:
    """Someone who stands facing the camera with the arms spread, joints turned about Y by so many degrees."""
    axis_angle = np.zeros((24, 3), np.float32)
    for name, angle in degrees.items():
        axis_angle[INDEX[name], 1] = np.radians(angle)
    return PoseSample(Pose.from_axis_angle(axis_angle), "<POSE>", 0.0)


@pytest.mark.parametrize("angle", [-70, -20, 35, 80])
def test_tilt_is_the_angle_out_of_the_picture(angle):
    straight, bent = tilts([turned(), turned(left_elbow=-angle)])  # the left arm points to +X, so -Y turns it to +Z
    forearm = list(BONES).index("left forearm")
    assert bent[forearm] - straight[forearm] == pytest.approx(angle, abs=12)
    assert np.sign(bent[forearm]) == np.sign(angle)
    np.testing.assert_allclose(np.delete(bent, forearm), np.delete(straight, forearm), atol=1e-3)


@pytest.mark.parametrize(
    ("angles", "words"),
    [
        ((-40, 50), "The left forearm could point towards or away from the camera; one photo does not tell."),
        ((20, 60), "The left forearm could point towards the camera by anything from"),
        ((-60, -20), "The left forearm could point away from the camera by anything from"),
        ((-3, 4), "These agree about depth: no limb is likely to point elsewhere."),
    ],
)
def test_words_name_the_limb_and_the_direction(angles, words):
    assert in_words([turned(left_elbow=-angle) for angle in angles]).startswith(words)


def test_a_leaning_body_leans():
    axis_angle = np.zeros((24, 3), np.float32)
    axis_angle[0, 0] = np.radians(40)
    upright, leaning = tilts([turned(), PoseSample(Pose.from_axis_angle(axis_angle), "<POSE>", 0.0)])
    torso = list(BONES).index("torso")
    assert leaning[torso] - upright[torso] == pytest.approx(40, abs=1), "towards the camera"


def test_labels_say_how_each_differs_from_the_first():
    shown = labels([turned(), turned(right_elbow=50), turned(left_shoulder=60, left_elbow=-60)])
    assert shown[0] == "most likely"
    assert shown[1].startswith("right forearm") and shown[1].endswith("nearer")
    assert shown[2].startswith("left upper arm") and shown[2].endswith("farther")


def test_least_alike_takes_the_farthest_first_and_only_candidates():
    depths = np.array([[0.0], [0.1], [5.0], [9.0], [-3.0]])
    assert least_alike(depths, np.array([1, 2, 4]), 3) == [0, 2, 4]
    assert least_alike(depths, np.array([1, 2]), 9) == [0, 2, 1]


@pytest.fixture(scope="module", params=EXAMPLES)
def readings(policy, request):
    """(photo size, people, hypotheses of each) of an example."""
    photo = load_photo(request.param)
    people = policy.image_to_pose(photo)
    return photo.size, people, [hypotheses(policy, person, photo.size) for person in people]


def test_all_hypotheses_cover_the_person_and_differ_in_depth(policy, readings):
    size, people, sets = readings
    for person, samples in zip(people, sets, strict=True):
        assert len(samples) == 4 and samples[0] is person.samples[0]
        joints = policy.body.joints(np.stack([s.pose.rotations for s in samples]))[:, list(LIMBS)]
        misses = [miss(j, s.camera, person.seen, size) for j, s in zip(joints, samples, strict=True)]
        assert max(misses) < 0.02, "two hundredths of the person's size"
        spread = joints.std(0).mean(0)
        assert spread[2] > 2 * spread[:2].max() and spread[2] > 0.03


def test_hypotheses_are_the_same_every_time(policy, readings):
    size, people, sets = readings
    for a, b in zip(hypotheses(policy, people[0], size), sets[0], strict=True):
        np.testing.assert_array_equal(a.pose.rotations, b.pose.rotations)


def test_camera_of_a_hypothesis_is_the_policys(readings, policy):
    size, people, _ = readings
    joints = policy.body.joints(people[0].samples[0].pose.rotations[None])[0][list(LIMBS)]
    np.testing.assert_allclose(
        camera_of(joints, people[0].seen, size).translation, people[0].samples[0].camera.translation, atol=1e-3
    )


# ---- the tab


@pytest.fixture(scope="module")
def tab(policy, tmp_path_factory):
    import gradio as gr

    with gr.Blocks():
        return PhotoTab(policy, Renderer(policy.body), tmp_path_factory.mktemp("answers"))


@pytest.fixture
def answer(tab):
    return tab._found(load_photo(EXAMPLES[0]), EXAMPLES[0])


def clicked(index):
    return SimpleNamespace(index=index)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_choosing_a_reading_changes_picture_files_and_words_of_that_person_only(tab, answer):
    tab.select(1, answer)
    before, picture = answer.samples[:], Image.open(answer.pictures[0]).copy()
    other = answer.readings[1][1]
    update = tab.choose(answer, clicked(1))
    new = update[tab.state]
    assert new.selected == 1 and new.chosen == {1: 1} and not answer.folder.exists()
    np.testing.assert_array_equal(new.samples[1].pose.rotations, other.pose.rotations)
    assert new.samples[0] is before[0] and new.samples[2] is before[2]
    np.testing.assert_allclose(
        Pose.load(new.file(1, "npz", tab.policy.body)).rotations, other.pose.rotations, atol=1e-5
    )
    changed = np.abs(np.asarray(Image.open(new.pictures[0]), int) - np.asarray(picture, int)).max(-1) > 60
    x0, y0, x1, y1 = (round(v) for v in new.boxes[1])
    assert changed.any() and changed[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20].sum() > 0.98 * changed.sum()
    assert new.samples[1].text == tab.policy.tell(torch.from_numpy(other.pose.rotations)[None])[0]

    again = tab.choose(new, clicked(0))[tab.state]
    np.testing.assert_array_equal(again.samples[1].pose.rotations, before[1].pose.rotations)


def test_a_choice_leaves_what_every_visitor_sees_as_it_is(tab):
    first = tab.state.value
    before = files(first.folder)
    chosen = tab.choose(first, clicked(2))[tab.state]
    assert files(first.folder) == before and first.chosen == {} and not chosen.shared
    assert chosen.folder != first.folder


def test_a_photo_is_looked_at_once_and_none_is_no_photo(tab, answer):
    nothing = tab.find(EXAMPLES[0], answer)
    assert list(nothing) == [tab.notice] and answer.folder.exists()
    assert "There is no photo yet" in tab.find(None, answer)[tab.notice]["value"]
    assert tab.changed(None, answer)[tab.notice]["visible"] is False
    fresh = tab.find(EXAMPLES[1], answer)[tab.state]
    assert len(fresh.people) == 1 and not answer.folder.exists()


def test_camera_pictures_are_not_mirrored_and_files_reach_us_unopened(tab):
    assert tab.photo.webcam_options.mirror is False
    assert set(tab.photo.sources) == {"upload", "clipboard", "webcam"}
    assert tab.photo.preprocess(SimpleNamespace(path="broken.jpg")) == "broken.jpg"


def test_boxes_are_in_the_colours_of_the_bodies_and_the_selected_one_is_thick(tmp_path):
    path = tmp_path / "people.png"
    Image.new("RGB", (400, 300)).save(path)
    boxes = [[20, 50, 100, 250], [150, 50, 230, 250]]
    answer = PhotoAnswer(tmp_path, "people", [None] * 2, pictures=[str(path)], boxes=boxes, selected=1)
    picture = np.asarray(with_boxes(answer))
    for i, (_, _, x1, _) in enumerate(boxes):
        np.testing.assert_array_equal(picture[200, x1], np.round(255 * np.array(PEOPLE_COLORS[i])))
    assert [int((picture[200, x1 - 20 : x1 + 20].any(-1)).sum()) for _, _, x1, _ in boxes] == [2, 6]


def test_views_are_of_the_selected_person(tab, answer):
    views = []
    for person in range(2):
        update = tab.select(person, answer)
        views.append([np.asarray(update[part], int) for part in (tab.side, tab.above)])
        hue = views[person][0][views[person][0].max(-1) - views[person][0].min(-1) > 40].mean(0)
        assert hue.argmax() == np.argmax(PEOPLE_COLORS[person])
    assert all(np.abs(a - b).mean() > 2 for a, b in zip(*views, strict=True))
