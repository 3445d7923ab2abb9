"""The field's own data: 3DPW, Human3.6M and PoseScript by the user's paths, and a policy's figures on them.

The data sets are behind licences and are not in this repository: the tests run on tiny files of the same layouts, and
no figure of ours on the real ones is claimed. Layouts (docs/FIELD.md tells where to get them):

    3DPW        sequenceFiles/test/*.pkl, imageFiles/SEQUENCE/image_00000.jpg, as released
    Human3.6M   h36m_valid_protocol2.npz (imgname, center, scale, S) as SPIN's preprocessing writes it, beside images/
    PoseScript  posescript_human*.json (H2), posescript_auto*.json (A), test_ids*.json and
                ids_2_dataset_sequence_and_frame_index*.json, as released;
                AMASS as released: SUBSET/SUBJECT/*_poses.npz

Joint errors: 14 LSP joints in the camera's frame. With a regressor (17 joints, Human3.6M) they are regressed from
surfaces, as in the papers; without one they are the body's own joints, which the table says.
"""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from finetune.comparison import frechet
from finetune.config import ConfigError, check_not_negative
from finetune.data import amass
from finetune.matcher import FOLDER, PROTOCOLS, Matcher, recall
from finetune.photo_evaluation import mm, pa_errors
from posegen.body import BodyModel
from posegen.body_file import BodyError, _Unpickler
from posegen.photo import PhotoError, load_photo
from posegen.policy import PosePolicy
from posegen.pose import Pose
from posegen.skeleton import INDEX

LSP = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow",
    "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head",
)  # fmt: skip
OWN = [INDEX[name] for name in LSP]
#: Rows of a 17-joint regressor in the order of LSP where the left leg comes first (SPIN's) and where the right does.
LEFT_FIRST = [6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10]
RIGHT_FIRST = [3, 2, 1, 4, 5, 6, *LEFT_FIRST[6:]]
S_JOINTS, S_PELVIS = [*range(13), 18], 14  # LSP and the pelvis among the 24 joints of S
TO_OURS = np.diag([1.0, -1.0, -1.0])  # cameras have Y down and Z ahead, we Y up and Z towards the camera
KS = (5, 10, 20)
MAX_WORDS = 100
#: The papers' own figures, never measured here: MPJPE / PA-MPJPE in mm, recall @5/10/20 in per cent (Pose-RFT's table).
THEIRS = {
    "3DPW": {"ChatPose": "163.6 / 81.9", "UniPose": "94.7 / 59.1", "Pose-RFT": "85.9 / 51.6", "HMR2.0": "70.0 / 44.5"},
    "Human3.6M": {
        "ChatPose": "126.0 / 82.4", "UniPose": "69.2 / 41.8", "Pose-RFT": "63.0 / 44.5", "HMR2.0": "44.8 / 33.6",
    },
    "full_set": "42.2 / 53.0 / 65.5", "random_pools_of_32": "71.8 / 82.6 / 88.7",
}  # fmt: skip


@dataclass
class FieldConfig:
    """Which data to measure a policy on; what has no path is left out."""

    policy: str = "assets/policy"
    threedpw: str = ""
    """Folder with sequenceFiles and imageFiles."""
    h36m: str = ""
    """Folder with h36m_valid_protocol2.npz and images."""
    posescript: str = ""
    """Folder with PoseScript's json files."""
    amass: str = ""
    """AMASS's folder; PoseScript's poses are in it."""
    regressor: str = ""
    """J_regressor_h36m.npy, (17, 6890); needs bodies."""
    bodies: str = ""
    """Folder with SMPL_NEUTRAL, SMPL_MALE and SMPL_FEMALE, .npz or .pkl."""
    report: str = "runs/field.json"
    """JSON to write; the markdown table goes beside it."""
    num_people: int = 0
    """People of each photo set, and captions, evenly spaced over the set; 0 takes all."""
    seed: int = 0

    def __post_init__(self):
        check_not_negative(self)
        if not (self.threedpw or self.h36m or self.posescript):
            raise ConfigError("Give at least one of --threedpw, --h36m and --posescript.")
        if bool(self.posescript) != bool(self.amass):
            raise ConfigError("PoseScript's poses are in AMASS: give --posescript and --amass together.")
        if bool(self.regressor) != bool(self.bodies):
            raise ConfigError("A regressor works on SMPL's surface: give --regressor and --bodies together.")


@dataclass
class FieldPerson:
    """A person in a photo.

    Attributes:
        image: the photo's path; box: (4,) x0, y0, x1, y1 in its pixels.
        joints: (14, 3) LSP joints in metres, Y up, +Z towards the camera, pelvis at the origin.
    """

    image: Path
    box: np.ndarray
    joints: np.ndarray


@dataclass
class FieldCaption:
    """Words of a pose: id, text, and rotations (24, 3, 3), Y up, radians elsewhere."""

    id: str
    text: str
    rotations: np.ndarray


# ---- loaders


def load_3dpw(folder, regress=None) -> list[FieldPerson]:
    """Everyone in 3DPW's test split with a valid camera and 2D joints; regress: see `regressors`."""
    folder = Path(folder)
    paths = sorted((folder / "sequenceFiles" / "test").glob("*.pkl"))
    if not paths:
        raise ConfigError(f"3DPW lacks its test sequences: there must be .pkl files in {folder}/sequenceFiles/test.")
    people = []
    for path in paths:
        data = read_pickle(path)
        try:
            people += _sequence(folder / "imageFiles" / str(data["sequence"]), data, regress)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(
                f"{path} is no 3DPW sequence ({type(error).__name__}: {error}); fetch it again."
            ) from None
    return people


def _sequence(images: Path, data: dict, regress) -> list[FieldPerson]:
    """People of one pkl: per actor poses (T, 72), jointPositions (T, 72), poses2d (T, 3, 18), campose_valid (T,)."""
    turns = TO_OURS @ np.asarray(data["cam_poses"], float)[:, :3, :3]  # world -> camera -> ours
    people = []
    for i, poses in enumerate(data["poses"]):
        seen = np.asarray(data["poses2d"][i], float)
        rows = np.nonzero(np.asarray(data["campose_valid"][i], bool) & (seen[:, 2] > 0).any(1))[0]
        if regress:
            betas = np.asarray(data["betas"][i], np.float32)[:10]
            joints = regress(np.asarray(poses)[rows], betas, data["genders"][i])
        else:
            joints = np.asarray(data["jointPositions"][i], float).reshape(len(poses), 24, 3)[rows]
            joints = joints[:, OWN] - joints[:, :1]
        for row, place in zip(rows, joints, strict=True):
            x, y, sure = seen[row]
            box = np.array([x[sure > 0].min(), y[sure > 0].min(), x[sure > 0].max(), y[sure > 0].max()])
            image = _there(images / f"image_{row:05d}.jpg", "3DPW's pictures are imageFiles/SEQUENCE/image_00000.jpg")
            people.append(FieldPerson(image, box, place @ turns[row].T))
    return people


def load_h36m(folder) -> list[FieldPerson]:
    """Human3.6M's protocol 2 (S9 and S11, the frontal camera) as SPIN writes it: S (N, 24, 4) in metres in the camera's
    frame, joints then confidence; center (N, 2) and scale (N,), the box's side over 200 pixels; imgname (N,)."""
    folder = Path(folder)
    path = _there(folder / "h36m_valid_protocol2.npz", "Human3.6M's annotations are made by SPIN's preprocessing")
    try:
        with np.load(path, allow_pickle=False) as data:
            names, centre, scale, joints = (data[key] for key in ("imgname", "center", "scale", "S"))
        half = 100 * scale.reshape(-1, 1)
        boxes = np.concatenate([centre - half, centre + half], 1)
        joints = (joints[:, S_JOINTS, :3] - joints[:, [S_PELVIS], :3]) @ TO_OURS
    except Exception as error:  # damaged archives raise nearly anything
        raise ConfigError(f"{path} lacks imgname, center, scale or S as arrays ({type(error).__name__}).") from None
    where = "Human3.6M's pictures are images/S9_ACTION.CAMERA_FRAME.jpg"
    return [
        FieldPerson(_there(folder / str(name), where), *rest) for name, *rest in zip(names, boxes, joints, strict=True)
    ]


def load_posescript(folder, amass_folder, kind: str = "human") -> list[FieldCaption]:
    """PoseScript's test split with the first caption of each pose: kind "human" (H2) or "auto" (A)."""
    folder, amass_folder = Path(folder), Path(amass_folder)
    told, places, test = (
        _json(folder, f)
        for f in (f"posescript_{kind}*.json", "ids_2_dataset_sequence_and_frame_index*.json", "test_ids*.json")
    )
    test = [str(i) for i in test if str(i) in told]
    if not test:
        raise ConfigError(
            f"No id of {folder}/test_ids*.json is in posescript_{kind}*.json; fetch files of one release."
        )
    by_file = {}
    for i in test:
        if i not in places:
            raise ConfigError(f"Pose {i} is not in {folder}/ids_2_dataset_sequence_and_frame_index*.json.")
        _, sequence, frame = places[i]
        by_file.setdefault(sequence, []).append((i, int(frame)))
    rotations = {}
    for sequence, some in by_file.items():  # each motion is read once and let go
        path = _there(amass_folder / sequence, "AMASS's motions are SUBSET/SUBJECT/NAME_poses.npz")
        poses = amass.load(path).poses
        for i, frame in some:
            if not 0 <= frame < len(poses):
                raise ConfigError(f"PoseScript's pose {i} is frame {frame} of {path}, which has {len(poses)} frames.")
            rotations[i] = Pose.from_axis_angle(poses[frame]).rotations
    first = lambda text: text if isinstance(text, str) else text[0]  # noqa: E731
    return [FieldCaption(i, first(told[i]), rotations[i]) for i in test]


def read_pickle(path: Path) -> dict:
    """The dict of arrays, lists and strings in a pickle; whatever else it asks for is refused and not run."""
    try:
        with open(path, "rb") as file:
            data = _Unpickler(file, encoding="latin1").load()
    except BodyError:
        raise ConfigError(f"{path} asks to run code, so it is not read; fetch 3DPW's own file again.") from None
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise ConfigError(f"{path} is no readable pickle ({type(error).__name__}); fetch it again.") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds no dict, as 3DPW's sequences do; fetch it again.")
    return data


def _there(path: Path, hint: str) -> Path:
    if not path.is_file():
        raise ConfigError(f"There is no {path}; {hint}.")
    return path


def _json(folder: Path, pattern: str):
    """The json file of a pattern; of several releases the last by name."""
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise ConfigError(f"PoseScript lacks {pattern}: it must be in {folder}.")
    try:
        return json.loads(paths[-1].read_text())
    except ValueError:
        raise ConfigError(f"{paths[-1]} is no json; fetch it again.") from None


# ---- joints and errors


def regressors(regressor, bodies):
    """f(poses (N, 72), betas (10,), gender) -> LSP joints (N, 14, 3) about the pelvis, by the user's own files."""
    path = _there(Path(regressor), "it is J_regressor_h36m.npy of SPIN's or HMR's data, 17 rows over 6890 vertices")
    try:
        matrix = np.load(path, allow_pickle=False).astype(float)
    except (ValueError, OSError):
        raise ConfigError(f"{path} is no readable array of numbers; fetch it again.") from None
    models = {}
    for kind in ("neutral", "male", "female"):
        found = [p for p in (Path(bodies) / f"SMPL_{kind.upper()}{end}" for end in (".npz", ".pkl")) if p.is_file()]
        if not found:
            raise ConfigError(f"SMPL lacks SMPL_{kind.upper()}.pkl: it must be in {bodies}.")
        models[kind[0]] = BodyModel.load(found[0])
        if matrix.shape != (17, len(models[kind[0]].skin_weights)):
            raise ConfigError(f"{path} has shape {matrix.shape}, which does not fit {found[0]}.")
    left = (matrix @ models["n"].rest()[0])[1, 0] > 0  # two orders of the legs are in use
    rows = LEFT_FIRST if left else RIGHT_FIRST

    def regress(poses, betas, gender: str) -> np.ndarray:
        rotations = (
            np.stack([Pose.from_axis_angle(p).rotations for p in poses]) if len(poses) else np.zeros((0, 24, 3, 3))
        )
        joints = matrix @ models[gender[:1]].vertices(rotations, betas)
        return joints[:, rows] - joints[:, :1]

    return regress


def crop(person: FieldPerson):
    """The square about the person's box, 1.2 times as large, as the papers cut it; black outside the photo."""
    photo = load_photo(person.image)
    centre, half = (person.box[:2] + person.box[2:]) / 2, 0.6 * (person.box[2:] - person.box[:2]).max()
    return photo.crop([round(v) for v in (*(centre - half), *(centre + half))])


def off_centre(found, box) -> float:
    """Pixels between the middle of a box (4,) found in the crop and that of the crop of a box (4,)."""
    half = 0.6 * (box[2:] - box[:2]).max()
    return float(np.hypot(*(np.reshape(found, (2, 2)).mean(0) - half)))


def photo_figures(policy, people: list[FieldPerson], regress=None) -> dict:
    """MPJPE and PA-MPJPE in mm of the likeliest pose of each person. Who is not found is given the rest pose."""
    ours, missed = [], 0
    for person in people:
        try:
            found = policy.image_to_pose(crop(person))
            pose = min(found, key=lambda one: off_centre(one.box, person.box)).samples[0].pose
        except PhotoError:
            missed, pose = missed + 1, Pose.from_axis_angle(np.zeros(72))
        if regress:
            ours.append(regress(pose.axis_angle.reshape(1, 72), np.zeros(10, np.float32), "n")[0])
        else:
            ours.append(policy.body.joints([pose])[0][OWN])
    ours, truth = np.array(ours, float), np.array([person.joints for person in people], float)
    return {
        "people": len(people), "not_found": missed,
        "mpjpe": mm(mpjpe(ours, truth)), "pa_mpjpe": mm(pa_errors(ours, truth)),
        "joints": "regressed" if regress else "own",
    }  # fmt: skip


def mpjpe(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) mean joint distance in metres of joints (N, 14, 3), pelvis on pelvis (both are about it)."""
    return np.linalg.norm(joints - truth, axis=-1).mean(1)


def word_figures(policy, judge: Matcher, told: list[FieldCaption], seed: int = 0) -> dict:
    """Recall @5/10/20 of the judge, per cent, for poses drawn from the words and the set's own; Frechet distance."""
    short = [" ".join(caption.text.split()[:MAX_WORDS]) for caption in told]
    drawn = [policy.text_to_pose(t, seed=seed + i, reply=False)[0].pose.rotations for i, t in enumerate(short)]
    real = judge.embed_poses(torch.from_numpy(np.stack([caption.rotations for caption in told])))
    mine, texts = judge.embed_poses(torch.from_numpy(np.stack(drawn))), judge.embed_texts(short)
    out = {"captions": len(told), "shortened": sum(len(c.text.split()) > MAX_WORDS for c in told)}
    for protocol, pool in PROTOCOLS.items():
        if len(told) >= (pool or 1):
            out[protocol] = {
                name: {f"R@{k}": recall(texts, poses, k, pool, seed) for k in KS}
                for name, poses in (("drawn", mine), ("set's own", real))
            }
    if len(told) > 1:
        out["fid"] = round(frechet(mine.numpy(), real.numpy(), np.ones((1, len(told)), int)).item(), 4)
    return out


# ---- the command


def run(config: FieldConfig) -> dict:
    """Evaluate on what is given and write the report; returns it."""
    regress = regressors(config.regressor, config.bodies) if config.regressor else None
    some = lambda rows: rows[:: max(1, -(-len(rows) // config.num_people))] if config.num_people else rows  # noqa: E731
    photos, words = {}, {}
    if config.threedpw:
        photos["3DPW"] = some(load_3dpw(config.threedpw, regress))
    if config.h36m:
        photos["Human3.6M"] = some(load_h36m(config.h36m))
    if config.posescript:
        for name, kind in (("PoseScript-H2", "human"), ("PoseScript-A", "auto")):
            words[name] = some(load_posescript(config.posescript, config.amass, kind))
    empty = [name for name, rows in (photos | words).items() if not rows]
    if empty:
        raise ConfigError(f"{', '.join(empty)} holds nobody to measure; check that the download is complete.")
    policy = PosePolicy.from_pretrained(config.policy)
    report = {"policy": Path(config.policy).name, "seed": config.seed}
    report["photos"] = {name: photo_figures(policy, people, regress) for name, people in photos.items()}
    judge = Matcher.load(FOLDER / "judge.safetensors")
    report["words"] = {name: word_figures(policy, judge, told, config.seed) for name, told in words.items()}
    path = Path(config.report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    path.with_suffix(".md").write_text(table(report))
    print(table(report))
    return report


def table(report: dict) -> str:
    """The report as markdown, the papers' figures beside ours and marked as theirs."""
    lines = [f"Policy `{report['policy']}`, seed {report['seed']}."]
    for name, f in report["photos"].items():
        joints = (
            "14 LSP joints, regressed from surfaces"
            if f["joints"] == "regressed"
            else "14 of the body's own joints, as no regressor was given; the papers regress theirs"
        )
        lines += ["", f"{name}: {f['people']} people, {f['not_found']} not found (given the rest pose); {joints}."]
        lines += ["", "| MPJPE / PA-MPJPE, mm | |", "|---|---|", f"| ours | {f['mpjpe']} / {f['pa_mpjpe']} |"]
        lines += [f"| {who} (theirs, reported) | {value} |" for who, value in THEIRS[name].items()]
    for name, f in report["words"].items():
        lines += [
            "",
            f"{name}: {f['captions']} captions of the test split, {f['shortened']} cut to {MAX_WORDS} words; ",
        ]
        lines[-1] += (
            f"one pose drawn of each. Frechet distance to the set's poses: {f.get('fid', '-')}. Our judge ranks; "
        )
        lines[-1] += "theirs is another retriever."
        lines += ["", "| recall @5/10/20, % | words -> pose | pose -> words |", "|---|---|---|"]
        for protocol in PROTOCOLS:
            label = protocol.replace("_", " ")
            for kind, at in f.get(protocol, {}).items():
                both = (" / ".join(f"{at[f'R@{k}'][w]}" for k in KS) for w in ("text_to_pose", "pose_to_text"))
                lines.append(f"| ours, {label}, {kind} poses | " + " | ".join(both) + " |")
            if protocol not in f:
                lines.append(f"| ours, {label} | too few captions | too few captions |")
            lines.append(f"| Pose-RFT (theirs, reported), {label} | {THEIRS[protocol]} | - |")
    return "\n".join(lines) + "\n"
