"""Motion loaders: against the files' own kinematics, against poses converted before, and on broken files."""

import json
import re

import numpy as np
import pytest
import torch
from mocap_files import asf_amc_texts, bvh_text
from scipy.spatial.transform import Rotation

from finetune.data import asf_amc, bvh
from finetune.data.convert import convert_folder, load, subsample
from finetune.data.motion import MocapError, Motion, bone_direction, matrices
from posegen.pose import Pose
from posegen.skeleton import INDEX, forward_kinematics, local_rotations

ASF = "asf_amc/03_01.amc"
DAZ = "bvh_zyx_zxy_cm/martial_07.bvh"
ICLONE = "bvh_iclone/006_09.bvh"
#: sample file -> its clip in poses.npz
CLIPS = {
    ASF: "03_01", "asf_amc/03_02.amc": "03_02", ICLONE: "06_09", "bvh_iclone/007_12.bvh": "07_12", DAZ: "135_07",
    "bvh_zyx_zxy_cm/salsa_10.bvh": "60_10",
}  # fmt: skip


@pytest.fixture(scope="module")
def raw(pose_data):
    return pose_data / "mocap" / "raw"


def kinematics(poses):
    """Joint positions (T, 24, 3) and global rotations (T, 24, 3, 3)."""
    positions, rotations = forward_kinematics(torch.from_numpy(matrices(poses)))
    return positions.numpy(), rotations.numpy()


def degrees(rotations):
    return np.degrees(Rotation.from_matrix(rotations.reshape(-1, 3, 3)).magnitude()).reshape(rotations.shape[:-2])


@pytest.fixture
def own(tmp_path):
    """A folder with three files of our own: dance.bvh, 03.asf, 03_01.amc."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "dance.bvh").write_text(bvh_text())
    for name, text in zip(("03.asf", "03_01.amc"), asf_amc_texts(), strict=True):
        (folder / name).write_text(text)
    return folder


def check_limbs(file, module, rig):
    """Every limb bone of the converted motion points as the file's own kinematics say."""
    source, motion = module.read(file), load(file)
    _, rotations = kinematics(motion.poses)
    assert len(motion.poses) == len(source.positions) and len(rig.bones) == 10
    for name, (start, end) in rig.bones.items():
        theirs = source.positions[:, source.index(end)] - source.positions[:, source.index(start)]
        ours = rotations[:, INDEX[name]] @ bone_direction(name)
        cosine = (ours * theirs).sum(-1) / np.linalg.norm(theirs, axis=-1)
        assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < 0.5, name


@pytest.mark.parametrize(
    ("file", "module", "rig"), [(ASF, asf_amc, asf_amc.CMU), (DAZ, bvh, bvh.DAZ), (ICLONE, bvh, bvh.ICLONE)]
)
def test_limb_bones_point_as_the_sources_do(raw, file, module, rig):
    check_limbs(raw / file, module, rig)


def test_limb_bones_of_own_files_point_as_the_sources_do(own):
    check_limbs(own / "dance.bvh", bvh, bvh.DAZ)
    check_limbs(own / "03_01.amc", asf_amc, asf_amc.CMU)


def test_first_t_pose_is_dropped(own):
    assert len(load(own / "dance.bvh").poses) == 39
    header, _, rows = bvh_text(1).partition("Frame Time: ")
    (own / "dance.bvh").write_text(header + "Frame Time: 0.1\n" + rows.splitlines()[1])
    motion = load(own / "dance.bvh")  # nothing but the T-pose: kept, and upright
    assert motion.poses.shape == (1, 24, 3) and motion.fps == pytest.approx(10)
    assert np.abs(motion.poses[0, [INDEX["pelvis"], INDEX["spine3"], INDEX["head"]]]).max() < 1e-6
    assert 0.8 < motion.root[0, 1] < 1.1


@pytest.mark.parametrize("file", CLIPS)
def test_agrees_with_poses_converted_before(raw, pose_data, file):
    """poses.npz was made for a body with slightly different rest bones: one turn a joint, the same in every frame."""
    clips = json.loads((pose_data / "mocap" / "poses.clips.json").read_text())
    with np.load(pose_data / "mocap" / "poses.npz") as data:
        mine = data["clip"] == next(clip["id"] for clip in clips if clip["trial"] == CLIPS[file])
        frames, before, height = data["frame"][mine], data["poses"][mine], data["root_height"][mine]
    motion = load(raw / file)
    positions, rotations = kinematics(motion.poses[frames])
    _, rotations_before = kinematics(before)
    turn = rotations_before.swapaxes(-1, -2) @ rotations
    constant = np.stack([Rotation.from_matrix(turn[:, j]).mean().as_matrix() for j in range(24)])
    assert degrees(constant).max() < 12
    assert degrees(constant.swapaxes(-1, -2) @ turn).max() < 2
    aligned, _ = forward_kinematics(local_rotations(torch.from_numpy(rotations_before @ constant)))
    assert np.linalg.norm(positions - aligned.numpy(), axis=-1).max() < 0.01
    assert np.abs(motion.root[frames, 1] - height).max() < 0.06  # metres; that body's legs are longer


def test_subsample_keeps_the_frames_kept_before(raw, pose_data):
    with np.load(pose_data / "mocap" / "poses.npz") as data:
        expected = data["frame"][data["clip"] == 209]
    np.testing.assert_array_equal(subsample(load(raw / DAZ)), expected)


def test_subsample_drops_near_duplicates_and_faults():
    poses = np.zeros((120, 24, 3), np.float32)
    poses[:, INDEX["left_elbow"], 1] = np.linspace(0, 0.5, 120)  # 28.6 degrees in a second
    motion = Motion(poses, np.zeros((120, 3)), 60, "slow")
    kept = subsample(motion)
    assert 4 <= len(kept) <= 6
    motion.poses[60:, INDEX["left_elbow"], 1] += 2  # a jump: 6,900 degrees a second
    kept = subsample(motion)
    assert len(kept) and not ((kept > 52) & (kept < 68)).any()


def amass_file(path, width, poses, **keys):
    full = np.zeros((len(poses), width))
    full[:, :66] = poses[:, :22].reshape(len(poses), 66)
    np.savez(path, poses=full, trans=np.zeros((len(poses), 3)), **keys)
    return path


@pytest.mark.parametrize(
    ("width", "rate"), [(156, "mocap_framerate"), (165, "mocap_frame_rate"), (72, "mocap_framerate")]
)
def test_amass_world_is_turned_to_y_up(own, tmp_path, width, rate):
    standing = load(own / "dance.bvh").poses[:30].copy()
    standing[:, 0] *= 0.2
    standing[:, 22:] = 0
    z_up = standing.astype(float).copy()
    to_z = Rotation.from_euler("x", 90, degrees=True)
    z_up[:, 0] = (to_z * Rotation.from_rotvec(standing[:, 0])).as_rotvec()
    motion = load(amass_file(tmp_path / "clip.npz", width, z_up, **{rate: 100.0}))
    ours, theirs = kinematics(motion.poses)[0], kinematics(standing)[0]
    assert motion.fps == 100 and np.abs(ours - theirs).max() < 1e-5
    assert 0.8 < motion.root[:, 1].mean() < 1.1  # metres over the floor


def test_amass_lying_clip_goes_by_its_format(tmp_path):
    lying = np.zeros((5, 24, 3))
    lying[:, 0, 1] = np.pi / 2
    lying[:, 0] = (Rotation.from_euler("z", 90, degrees=True) * Rotation.from_rotvec(lying[:, 0])).as_rotvec()
    turned = load(amass_file(tmp_path / "smplh.npz", 156, lying)).poses
    kept = load(amass_file(tmp_path / "smpl.npz", 72, lying)).poses
    assert np.abs(kept - lying).max() < 1e-6 and np.abs(turned[:, 0] - lying[:, 0]).max() > 0.1


def test_pose_file_round_trip(own, tmp_path):
    pose = Pose.from_axis_angle(load(own / "03_01.amc").poses[7])
    pose.save(tmp_path / "pose.npz")
    motion = load(tmp_path / "pose.npz")
    assert motion.fps == 30 and motion.name == "pose"
    assert degrees(matrices(motion.poses[0]).swapaxes(-1, -2) @ pose.rotations.astype(float)).max() < 0.01
    np.testing.assert_allclose(Pose.load(tmp_path / "pose.npz").axis_angle, motion.poses[0], atol=1e-4)


def test_convert_folder(own, tmp_path):
    source = own
    (source / "dance.bvh").rename(source / "006_09.bvh")
    (source / "broken.bvh").write_text("HIERARCHY")
    (source / "LICENCE.txt").write_text("Free for all uses\nmore")
    seen = []
    report = convert_folder(source, tmp_path / "out" / "poses.npz", lambda *step: seen.append(step))
    assert seen[0] == (0, 3, "006_09.bvh") and seen[-1][:2] == (3, 3)
    assert report["clips"] == 2 and "broken.bvh" in report["skipped"][0][0]
    with np.load(tmp_path / "out" / "poses.npz") as data:
        assert data["poses"].shape == (report["poses"], 24, 3) and data["poses"].dtype == np.float32
        assert len(data["root_height"]) == len(data["clip"]) == len(data["frame"]) == report["poses"]
        np.testing.assert_allclose(data["fps"], [60, 120], rtol=1e-4)
        np.testing.assert_array_equal(data["poses"][0], load(source / "006_09.bvh").poses[0])
    clips = json.loads((tmp_path / "out" / "poses.clips.json").read_text())
    assert [(c["id"], c["trial"], c["subject"]) for c in clips] == [(0, "06_09", 6), (1, "03_01", 3)]
    assert clips[0]["licence"] == "Free for all uses"
    assert {f.name for f in (tmp_path / "out").iterdir()} == {"poses.npz", "poses.clips.json"}


def test_convert_folder_without_motions_writes_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(MocapError, match="Nothing in in could be used"):
        convert_folder(tmp_path / "in", tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.replace("HIERARCHY", "HIER", 1), "not a BVH file"),
        (lambda t: t.replace("OFFSET", "OFSET", 1), "broken HIERARCHY"),
        (lambda t: t.replace("Frames: 40", "Frames: 50"), "announces 50 frames"),
        (lambda t: t[: int(len(t) * 0.8)], "broken off"),
        (lambda t: t[:-30], "broken off"),
        (lambda t: t.replace("Frames: 40", "Frames: many"), "broken MOTION"),
        (lambda t: t.replace("OFFSET 0 20 0", "OFFSET 0 nan 0"), "broken HIERARCHY"),
        (lambda t: t.rstrip().rpartition(" ")[0] + " nan", "NaN"),
        (lambda t: t.replace("Frame Time: 0.016667", "Frame Time: 0"), "no frame time"),
        (lambda t: t.replace("lFoot", "f").replace("JOINT head", "JOINT h"), "lacks head, lFoot"),
        (lambda t: t[:200], "not a BVH file"),
        (lambda t: "", "not a BVH file"),
    ],
)
def test_broken_bvh_gets_one_sentence(tmp_path, edit, message):
    file = tmp_path / "clip.bvh"
    file.write_text(edit(bvh_text()))
    with pytest.raises(MocapError, match=message) as caught:
        load(file)
    assert "\n" not in str(caught.value) and "clip" in str(caught.value)


@pytest.mark.parametrize(
    ("asf", "amc", "message"),
    [
        (lambda t: t, lambda t: t[: len(t) // 2], "broken off|not a whole AMC"),
        (lambda t: t, lambda t: t.replace("\n7\n", "\n9\n"), "frame 9 stands where frame 7"),
        (lambda t: t, lambda t: t.replace("lfemur", "lleg"), "moves a bone 'lleg'"),
        (lambda t: t, lambda t: t.replace("root 16.15", "root nan"), "NaN"),
        (lambda t: t, lambda t: re.sub("(lfemur) \\S+", r"\1 inf", t), "NaN or infinite"),
        (lambda t: t, lambda t: "", "0 frames"),
        (lambda t: t[: len(t) // 3], lambda t: t, "not a whole ASF"),
        (lambda t: t.replace("lfemur", "lleg"), lambda t: t.replace("lfemur", "lleg"), "lacks lfemur"),
        (None, lambda t: t, "put its ASF file"),
    ],
)
def test_broken_asf_amc_gets_one_sentence(tmp_path, asf, amc, message):
    whole_asf, whole_amc = asf_amc_texts()
    if asf:
        (tmp_path / "03.asf").write_text(asf(whole_asf))
    (tmp_path / "03_01.amc").write_text(amc(whole_amc))
    with pytest.raises(MocapError, match=message) as caught:
        load(tmp_path / "03_01.amc")
    assert "\n" not in str(caught.value)


def test_broken_amass_gets_one_sentence(tmp_path):
    whole = amass_file(tmp_path / "whole.npz", 156, np.zeros((9, 24, 3)))
    cases = {
        "text.npz": (b"hello", "not an AMASS-style npz"),
        "cut.npz": (whole.read_bytes()[:500], "not an AMASS-style npz"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MocapError, match=message):
            load(tmp_path / name)
    np.savez(tmp_path / "width.npz", poses=np.zeros((3, 99)), trans=np.zeros((3, 3)))
    np.savez(tmp_path / "nan.npz", poses=np.full((3, 72), np.nan), trans=np.zeros((3, 3)))
    np.savez(tmp_path / "pickle.npz", poses=np.array([{}], object))
    for name, message in (("width", r"has poses \(3, 99\)"), ("nan", "NaN"), ("pickle", "not an AMASS-style")):
        with pytest.raises(MocapError, match=message):
            load(tmp_path / f"{name}.npz")


def test_unknown_file_gets_one_sentence(tmp_path):
    with pytest.raises(MocapError, match="There is no motion file"):
        load(tmp_path / "none.bvh")
    (tmp_path / "a.c3d").write_text("")
    with pytest.raises(MocapError, match="give .bvh, .amc, .npz"):
        load(tmp_path / "a.c3d")
