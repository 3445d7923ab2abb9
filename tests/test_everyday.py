"""The exam's checks on hand-made poses: each must pass what it shows and fail what it does not."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import roma
import torch

from finetune.everyday import EVERYDAY, Body, examine, passed
from posegen.skeleton import INDEX, PARENTS, mirror, rest_joints

# Directions are (out, up, forward): out is away from the middle on each side; arms in the chest's frame, legs in the
# pelvis's. A limb is (direction of its upper bone, direction of its lower bone), or for an arm reach(wrist, elbow).
REST = rest_joints().astype(float) - rest_joints()[0]
HANG = ((0.12, -1, 0), (0.08, -1, 0.06))
OVERHEAD = ((0.1, 1, 0), (0, 1, 0))
SIDEWAYS = ((1, 0, 0), (1, 0, 0))
FORWARD = ((-0.1, -0.03, 1), (-0.1, -0.03, 1))
STAND = ((0.04, -1, 0), (0, -1, 0))
SIT = ((0.1, 0, 1), (0, -1, 0))
STRAIGHT = ((0.05, 0, 1), (0, 0, 1))
KNEEL = ((0.05, -1, 0.05), (0, -0.1, -1))


def reach(wrist, elbow=(0.5, -1, -0.3)):
    """An arm whose wrist is at a point of the unbent body, (out, up, forward) from the pelvis, elbow bent that way."""
    shoulder = REST[INDEX["left_shoulder"]]
    upper, lower = np.linalg.norm(REST[18] - REST[16]), np.linalg.norm(REST[20] - REST[18])
    line = np.array(wrist) - shoulder
    d = np.clip(np.linalg.norm(line), abs(upper - lower) + 0.01, upper + lower - 0.001)
    line = line / np.linalg.norm(line)
    along = (upper**2 - lower**2 + d**2) / (2 * d)
    off = np.array(elbow, float) - np.dot(elbow, line) * line
    first = along * line + np.sqrt(upper**2 - along**2) * off / np.linalg.norm(off)
    return tuple(first), tuple(d * line - first)


def euler(forward=0, left=0, turn=0) -> np.ndarray:
    """Rotation by degrees: lean forward, then lean left, then turn left."""
    x, z, y = (
        roma.rotvec_to_rotmat(torch.tensor(v, dtype=torch.float64).deg2rad()).numpy()
        for v in ((forward, 0.0, 0.0), (0.0, 0.0, -left), (0.0, turn, 0.0))
    )
    return y @ z @ x


def swing(start, end) -> np.ndarray:
    """The shortest rotation that takes one direction to another."""
    start, end = (torch.tensor(np.asarray(v, float)) for v in (start, end))
    start, end = start / start.norm(), end / end.norm() + 1e-6
    axis = torch.linalg.cross(start, end)
    return roma.rotvec_to_rotmat(axis / axis.norm() * torch.atan2(axis.norm(), start @ end)).numpy()


def seen(pitch, limb):
    """A limb given in an upright person's directions, for a trunk that leans forward by `pitch` degrees."""
    return tuple(tuple(euler(pitch).T @ np.array(direction, float)) for direction in limb)


def figure(root=(), spine=(), head=(), arms=HANG, legs=STAND, left_arm=None, right_arm=None, left_leg=None,
           right_leg=None, toes=None) -> np.ndarray:  # fmt: skip
    """A pose (24, 3, 3): root, spine (in all) and head in Euler degrees, limbs by directions; toes: down in degrees."""
    local, axes = np.tile(np.eye(3), (24, 1, 1)), np.tile(np.eye(3), (24, 1, 1))
    local[0] = euler(*root)
    for joint in ("spine1", "spine2", "spine3"):
        local[INDEX[joint]] = euler(*np.array(spine, float) / 3)
    for joint in ("neck", "head"):
        local[INDEX[joint]] = euler(*np.array(head, float) / 2)
    for name, sign, arm, leg in (
        ("left", 1, left_arm or arms, left_leg or legs),
        ("right", -1, right_arm or arms, right_leg or legs),
    ):
        for chain, limb in ((("shoulder", "elbow", "wrist"), arm), (("hip", "knee", "ankle"), leg)):
            turned = np.eye(3)
            for near, far, direction in zip(chain, chain[1:], limb, strict=False):
                i, j = INDEX[f"{name}_{near}"], INDEX[f"{name}_{far}"]
                local[i] = swing(REST[j] - REST[i], turned.T @ (np.array(direction, float) * [sign, 1, 1]))
                turned = turned @ local[i]
        if toes is not None:
            local[INDEX[f"{name}_ankle"]] = euler(toes)
    for j in range(24):
        axes[j] = local[j] if j == 0 else axes[PARENTS[j]] @ local[j]
    if toes is None:  # flat feet
        for name in ("left_ankle", "right_ankle"):
            local[INDEX[name]] = axes[PARENTS[INDEX[name]]].T
    return local


FACE = reach((0.04, 0.6, 0.2), (1, -1, 0.5))
GUARD = reach((0.1, 0.5, 0.28))
WAIST = reach((0.22, 0.05, -0.02), (1, 0.2, -0.6))
EAR = reach((0.13, 0.58, 0.03), (1, -0.3, 0.2))
NAPE = reach((0.12, 0.6, -0.06), (1, 0.2, 0.4))
TOGETHER = reach((0.02, 0.3, 0.25))
LOTUS = ((0.8, -0.1, 0.75), (-1, -0.25, -0.15))
TUCK = ((0.05, 0.6, 0.8), (0, -0.9, -0.4))
QUAD = ((0.05, -1, -0.05), (0, 0.6, -0.8))

# name: (pose, prompts it must pass, prompts it must fail), each prompt by how it begins.
# fmt: off
POSES = {
    "attention": (figure(), ["standing to attention"], ["handstand", "hands up", "T-pose", "doing the splits"]),
    "arms up and out": (figure(arms=((0.6, 1, 0), (0.5, 1, 0))), ["hands up", "man having a big stretch"],
        ["standing to attention", "clapping", "boxer", "left arm straight up"]),
    "T": (figure(arms=SIDEWAYS), ["T-pose"], ["warrior 2", "zombie", "hands on hips", "hands up"]),
    "one arm up": (figure(left_arm=OVERHEAD, head=(-45,), toes=40), ["left arm straight up",
        "Woman changing a light bulb", "a man reaching", "tennis serve", "looking straight up", "hailing a taxi"],
        ["waving hello", "hands up", "actor taking"]),
    "ballet": (figure(arms=((0.7, 1, 0.1), (-0.7, 0.8, 0.1)), toes=45), ["ballerina", "samurai"], ["T-pose",
        "clapping"]),
    "zombie": (figure(arms=FORWARD), ["zombie"], ["T-pose", "giving a friend", "boxer", "pushing a heavy"]),
    "knee up": (figure(arms=FORWARD, right_leg=SIT), ["lift your right knee"], ["tree pose", "high kick", "warrior 2"]),
    "wave": (figure(right_arm=((0.9, 0, 0.2), (0.2, 1, 0))), ["waving hello", "waiter"], ["pointing at", "hands up"]),
    "point": (figure(left_arm=FORWARD), ["pointing at"], ["waving hello", "zombie", "T-pose"]),
    "hands on hips": (figure(arms=WAIST), ["hands on hips"], ["disco", "standing to attention", "She stands"]),
    "left hand on hip": (figure(left_arm=WAIST, legs=((0.3, -1, 0.2), (0.15, -1, -0.2))), ["She stands"],
        ["hands on hips", "disco", "right arm out"]),
    "arm out, hand on hip": (figure(left_arm=WAIST, right_arm=SIDEWAYS), ["right arm out"], ["She stands", "T-pose"]),
    "disco": (figure(left_arm=WAIST, right_arm=((0.5, 1, 0.2), (0.4, 1, 0.2))), ["disco"], ["right arm out",
        "soldier"]),
    "arms crossed": (figure(arms=reach((-0.12, 0.25, 0.16), (1, -0.6, 0.2))), ["standing with arms crossed"],
        ["hands on hips", "clapping", "strongman", "standing to attention"]),
    "hands behind back": (figure(arms=reach((0.04, 0.0, -0.16), (1, 0, -0.3)), legs=((0.3, -1, 0), (0.3, -1, 0))),
        ["stand with the feet wide"], ["standing with arms crossed", "hands on hips"]),
    "clap": (figure(arms=reach((0.03, 0.3, 0.3))), ["clapping"], ["praying on both knees", "boxer", "zombie"]),
    "hug": (figure(arms=((0.3, -0.3, 1), (-0.35, 0.1, 0.9))), ["giving a friend"], ["boxer", "T-pose", "clapping"]),
    "cradle": (figure(arms=((0.2, -1, 0.3), (-0.8, 0.15, 0.6)), head=(35,)), ["cradling"], ["typing", "boxer"]),
    "salute": (figure(right_arm=reach((0.13, 0.64, 0.13), (1, 0, 0.1))), ["soldier", "on a windy beach"], ["too scared",
        "hands over", "standing to attention"]),
    "facepalm": (figure(right_arm=FACE, head=(25,)), ["facepalm"], ["too scared", "strongman"]),
    "eyes covered": (figure(arms=FACE, head=(10,)), ["too scared"], ["hands over her ears", "looking straight up"]),
    "ears covered": (figure(arms=EAR), ["hands over her ears"], ["too scared", "talking on the phone", "brushing"]),
    "phone": (figure(right_arm=EAR), ["talking on the phone"], ["hands over her ears", "pointing at"]),
    "toothbrush": (figure(right_arm=reach((0.08, 0.5, 0.2))), ["brushing"], ["drinking a cup", "soldier", "hailing"]),
    "watch": (figure(left_arm=reach((0.0, 0.25, 0.28), (1, -0.5, 0)), head=(55,)), ["someone at a bus stop"],
        ["looking straight up", "head turned", "facepalm"]),
    "sneeze": (figure(right_arm=((-0.55, 0.3, 0.8), (-0.5, 0.6, -0.6)), head=(35, -15, -20)), ["sneezing"],
        ["someone at", "T-pose", "hands over"]),
    "shrug": (figure(arms=((0.3, -1, 0), (0.8, 0.3, 0.6))), ["shrugging"], ["hands on hips", "strongman", "clapping"]),
    "biceps": (figure(arms=((1, 0.1, 0), (-0.3, 1, 0))), ["strongman", "hands up"], ["T-pose", "shrugging"]),
    "shame": (figure(head=(60,)), ["hanging his head"], ["looking straight up", "actor taking"]),
    "head left": (figure(head=(0, 0, 60)), ["head turned"], ["twist round", "tilting the head"]),
    "head to the right": (figure(head=(0, -22, 0)), ["tilting the head"], ["head turned", "hanging his head"]),
    "twisted back": (figure(spine=(0, 0, -35), head=(0, 0, -50)), ["twist round"], ["head turned", "bending sideways"]),
    "side bend": (figure(spine=(0, 60, 0), right_arm=OVERHEAD), ["bending sideways"], ["actor taking", "T-pose"]),
    "bow": (figure(root=(50,), spine=(30,), legs=((0.04, -0.6, 0.8), (0, -0.6, 0.8))), ["actor taking"],
        ["standing and touching", "looking straight", "standing to attention"]),
    "toe touch": (figure(root=(80,), spine=(70,), arms=seen(150, ((-0.1, -1, 0), (-0.1, -1, 0))), legs=seen(80, STAND)),
        ["standing and touching", "picking a coin"], ["sitting on the floor with", "downward"]),
    "guard": (figure(arms=GUARD), ["boxer"], ["throwing a straight left", "strongman", "zombie"]),
    "left punch": (figure(left_arm=FORWARD, right_arm=GUARD, spine=(10,)), ["throwing a straight left"], ["boxer",
        "hands up"]),
    "archer": (figure(left_arm=SIDEWAYS, right_arm=reach((0.12, 0.5, 0.1), (1, 0.2, 0)), head=(0, 0, 70)), ["archer",
        "head turned"], ["T-pose", "boxer", "waving hello"]),
    "front kick": (figure(arms=GUARD, right_leg=STRAIGHT), ["karate", "footballer"], ["high kick", "arabesque"]),
    "high kick": (figure(root=(-25, 0, 0), arms=GUARD, right_leg=((0.2, 0.6, 1), (0.2, 0.6, 1)),
        left_leg=((0, -1, -0.45), (0, -1, -0.45))), ["high kick"], ["tree pose", "doing the splits"]),
    "lunge": (figure(right_arm=FORWARD, left_arm=((0.5, 0, -1), (0.5, 0.3, -1)), right_leg=SIT,
        left_leg=((0.1, -0.5, -1), (0, -0.5, -1))), ["a fencer"], ["warrior 2", "doing the splits"]),
    "warrior 2": (figure(arms=SIDEWAYS, left_leg=((1, -0.3, 0.2), (0, -1, 0)), right_leg=((0.8, -1, 0), (0.8, -1, 0))),
        ["warrior 2"], ["T-pose", "tree pose", "zombie"]),
    "tree": (figure(arms=TOGETHER, left_leg=((0.8, -0.4, 0.4), (-1, -0.5, -0.5))), ["tree pose", "clapping"],
        ["arabesque", "high kick", "praying"]),
    "quad stretch": (figure(right_leg=QUAD, right_arm=((0, -0.7, -0.5), (0, -1, -0.3))), ["stretching her thigh",
        "balance on your left leg"], ["tree pose", "arabesque"]),
    "leg out left": (figure(left_leg=((1, -1, 0), (1, -1, 0))), ["left leg lifted"], ["high kick", "arabesque"]),
    "arabesque": (figure(root=(40,), arms=FORWARD, left_leg=((0, -0.8, 0.65), (0, -0.8, 0.65)),
        right_leg=((0, -0.5, -1), (0, -0.5, -1))), ["arabesque"], ["flying", "high kick", "doing the splits"]),
    "splits": (figure(arms=SIDEWAYS, left_leg=STRAIGHT, right_leg=((0, 0, -1), (0, 0, -1))), ["doing the splits"],
        ["warrior 2", "sitting on the floor with"]),
    "dab": (figure(left_arm=((1, 0.4, 0), (1, 0.4, 0)), right_arm=((-0.4, 0.4, 0.8), (-1, 0.3, 0)), head=(35, 0, -15)),
        ["doing the dab"], ["T-pose", "archer"]),
    "squat": (figure(root=(25,), arms=((-0.1, -0.7, 1), (-0.15, 0, 1)), legs=((0.35, 0.35, 1), (0, -1, -0.2))),
        ["squatting all", "lifting a heavy"], ["typing", "kneeling up", "child's"]),
    "duck": (figure(root=(20,), spine=(30,), arms=((0, -0.6, 0.5), (-0.2, 1, 0.5)),
        legs=((0.2, -0.2, 1), (0.1, -1, -0.35))), ["ducking", "lifting a heavy"], ["handstand", "high kick"]),
    "typing": (figure(arms=((0.1, -1, 0.3), (-0.2, 0, 1)), legs=SIT), ["typing", "grandpa"], ["personn", "squatting"]),
    "legs crossed on a chair": (figure(left_leg=SIT, right_leg=((-0.2, 0.15, 1), (-0.6, -0.8, 0.2))),
        ["sitting in a chair"], ["personn", "typing", "slouched"]),
    "tea": (figure(legs=SIT, right_arm=reach((0.08, 0.48, 0.22))), ["drinking"], ["sitting lost", "typing"]),
    "thinker": (figure(root=(35,), spine=(25,), legs=seen(35, SIT), right_arm=((-0.1, -0.8, 0.5), (-0.45, 0.8, 0.3)),
        head=(25,)), ["sitting lost"], ["An exhausted", "typing", "soldier"]),
    "exhausted": (figure(root=(35,), spine=(30,), legs=seen(35, ((0.3, 0, 1), (0, -1, 0))), head=(30,),
        arms=((0.05, -1, 0.35), (-0.35, -0.3, 0.9))), ["An exhausted"], ["sitting lost", "typing"]),
    "slouched": (figure(root=(-35,), legs=((0.1, -0.6, 1), (0, -0.8, 0.7))), ["slouched"], ["typing", "personn"]),
    "lotus": (figure(legs=LOTUS, arms=((0.3, -1, 0.3), (0.2, -0.6, 0.8))), ["meditating", "personn"], ["typing",
        "child's", "doing the splits"]),
    "butterfly": (figure(legs=((1, -0.1, 0.8), (-1, -0.1, -0.1)), arms=((0, -1, 0.3), (-0.2, -0.8, 0.6))),
        ["butterfly"], ["doing the splits", "sat on the grass"]),
    "long sit, leaning back": (figure(root=(-30,), legs=((0.05, -0.5, 0.85), (0, -0.5, 0.85)),
        arms=((0.2, -1, -0.5), (0.1, -1, -0.5))), ["sat on the grass"], ["sitting on the floor with", "on her back"]),
    "seated fold": (figure(root=(50,), spine=(50,), legs=((0.05, 0.77, 0.64), (0, 0.77, 0.64)),
        arms=seen(100, ((-0.1, -0.15, 1), (-0.1, -0.1, 1)))), ["sitting on the floor with"], ["standing and",
        "child's"]),
    "model on the floor": (figure(root=(-15,), right_leg=STRAIGHT, left_leg=((0.1, 0.8, 0.6), (0, -1, 0)),
        left_arm=((0.1, -0.3, 1), (0, -0.1, 1)), right_arm=((0.2, -1, -0.5), (0.1, -1, -0.4))), ["the model is"],
        ["personn", "sat on the grass"]),
    "sobbing": (figure(root=(10,), spine=(60,), head=(30,), legs=TUCK, arms=((0.1, -0.4, 1), (-0.5, -0.6, 0.5))),
        ["sobbing"], ["meditating", "looking straight"]),
    "praying": (figure(arms=TOGETHER, legs=KNEEL, toes=40), ["praying"], ["down on one knee", "kneeling up", "boxer"]),
    "kneeling up": (figure(legs=KNEEL, toes=40), ["kneeling up"], ["praying", "squatting", "standing to"]),
    "on one knee": (figure(right_leg=KNEEL, left_leg=((0.1, 0, 1), (0, -1, 0)), arms=((-0.1, -0.6, 1), (-0.3, -0.5, 1)),
        toes=20), ["down on one knee", "He is down"], ["kneeling up", "praying"]),
    "all fours": (figure(root=(75,), spine=(35,), arms=((0, 0, 1), (0, 0, 1)), legs=((0, -0.26, 1), (0, -0.97, -0.26)),
        toes=40), ["crawling", "on all fours"], ["doing a press-up", "downward", "child's"]),
    "press-up": (figure(root=(70,), arms=((0.1, -0.34, 1), (0, -0.34, 1)), toes=-40), ["doing a press-up"], ["crawling",
        "downward", "face down", "handstand"]),
    "child's pose": (figure(root=(90,), spine=(30,), head=(10,), arms=((0.2, 1, 0.1), (0.1, 1, 0.1)),
        legs=((0.1, 0.85, 0.5), (0, -1, 0.1)), toes=50), ["child's"], ["crawling", "face down", "sobbing"]),
    "downward dog": (figure(root=(125,), arms=OVERHEAD, legs=((0.05, -0.1, 1), (0, -0.1, 1)), toes=-40), ["downward"],
        ["doing a press-up", "handstand", "standing and touching"]),
    "cobra": (figure(root=(80,), spine=(-50,), legs=((0.05, -1, 0), (0, -1, 0)),
        arms=seen(30, ((0.2, -0.8, -0.5), (0, -0.5, 0.9))), toes=50), ["cobra"], ["doing a press-up", "face down",
        "crawling"]),
    "on the elbows": (figure(root=(85,), spine=(-40,), arms=((0, -0.6, 0.9), (0, 0.8, 0.9)), toes=50),
        ["lying on his tummy"], ["doing a press-up", "face down", "on her back"]),
    "bridge": (figure(root=(-115,), legs=seen(-115, ((0.1, -0.1, 1), (0, -1, 0))),
        arms=((0.1, -1, -0.5), (0, -1, -0.5))), ["bridge"], ["shoulder stand", "on her back", "cobra"]),
    "on the back, arms out": (figure(root=(-88,), arms=SIDEWAYS, toes=0), ["knocked out"], ["face down", "T-pose",
        "on her back"]),
    "face down": (figure(root=(88,), toes=50), ["face down"], ["knocked out", "child's", "asleep"]),
    "legs up": (figure(root=(-88,), legs=STRAIGHT, toes=0), ["on her back"], ["knocked out", "shoulder stand",
        "sat on"]),
    "knees hugged": (figure(root=(-85,), legs=((0.05, 0.5, 0.8), (0, -0.9, 0.2)),
        arms=((0.1, -0.7, 0.7), (-0.4, -0.4, 1)), toes=0), ["lying on his back"], ["on her back", "face down",
        "sobbing"]),
    "curled up": (figure(root=(0, 88, 0), spine=(30,), legs=((0.05, 0.3, 1), (0, -0.8, -0.6)),
        arms=((0, -0.5, 1), (-0.2, 0.9, 0.3)), toes=0), ["asleep"], ["lying on his back", "side plank", "face down"]),
    "side plank": (figure(root=(0, 70, 0), left_arm=((1, -0.35, 0), (1, -0.35, 0)), right_arm=SIDEWAYS, toes=0),
        ["side plank"], ["asleep", "T-pose", "doing a press-up"]),
    "propped on a side": (figure(root=(0, 75, 0), spine=(0, -30, 0), left_arm=((0.8, 0.6, 0.2), (-0.9, 0.4, 0.1)),
        right_arm=((0.2, -1, 0.1), (0, -1, 0.1)), toes=0), ["lying on one side"], ["asleep", "side plank"]),
    "handstand": (figure(root=(180,), arms=OVERHEAD, toes=50), ["handstand"], ["headstand", "downward", "cobra"]),
    "headstand": (figure(root=(180,), arms=((0.4, 0.4, 0.8), (-0.3, 1, -0.4)), toes=50), ["headstand"], ["handstand",
        "bridge"]),
    "shoulder stand": (figure(root=(-165,), spine=(50,), head=(40,), arms=((0.1, -1, -0.6), (-0.1, -0.3, 1)), toes=40,
        legs=((0.05, -1, 0.05), (0, -1, 0.05))), ["shoulder stand"], ["headstand", "on her back"]),
    "one-handed freeze": (figure(root=(170,), left_arm=OVERHEAD, right_arm=((1, -0.3, 0), (1, 0, 0)),
        left_leg=((0.8, -0.7, 0.5), (0, -0.5, -1)), right_leg=((0.8, -1, 0), (0.3, -1, 0)), toes=30), ["breakdancer"],
        ["headstand", "bridge"]),
    "superman": (figure(root=(80,), left_arm=OVERHEAD, toes=50), ["flying"], ["handstand", "downward"]),
    "goalkeeper": (figure(root=(0, 65, 0), arms=OVERHEAD, left_leg=STAND, right_leg=((0.3, -0.6, 0.5), (0, -1, -0.3))),
        ["goalkeeper"], ["cobra"]),
    "falling": (figure(root=(-45,), arms=((1, 0.5, 0.3), (1, 0.4, 0.2)), legs=((0.2, -0.8, 0.5), (0, -1, 0.2))),
        ["falling"], ["flying", "bridge"]),
    "superhero": (figure(root=(65,), left_arm=seen(65, ((0, -1, 0.1), (0, -1, 0))),
        right_arm=((0.7, 0.1, -0.8), (0.7, 0.2, -0.8)), left_leg=seen(65, ((0.2, -0.1, 1), (0, -1, 0))),
        right_leg=seen(65, ((0.3, -1, 0.1), (0, -0.1, -1))), head=(-50,)), ["superhero"], ["crawling", "kneeling up",
        "tying"]),
    "sprinter": (figure(root=(85,), arms=((0.1, 0, 1), (0.05, 0, 1)),
        left_leg=seen(85, ((0.05, -0.5, 0.9), (0, -0.7, -0.7))), right_leg=seen(85, ((0.05, -1, 0.2), (0, -0.3, -1))),
        toes=-30), ["sprinter"], ["doing a press-up", "handstand"]),
    "cyclist": (figure(root=(45,), spine=(15,), arms=((0, -0.3, 1), (0, -0.2, 1)),
        left_leg=((0.05, 0.4, 1), (0, -1, 0.2)), right_leg=((0.05, -0.5, 1), (0, -1, 0.5))), ["cyclist"], ["typing",
        "a guy runing"]),
    "runner": (figure(root=(10,), left_arm=((0.1, -0.6, 0.8), (-0.1, 0.9, 0.5)),
        right_arm=((0.1, -0.6, -0.8), (0, -0.5, 0.8)), right_leg=((0, -0.6, 0.9), (0, -1, 0.0)),
        left_leg=((0, -1, -0.4), (0, -0.2, -1))), ["a guy runing"], ["cyclist", "warrior 2", "zombie"]),
    "old lady": (figure(root=(20,), spine=(30,), right_arm=((0, -0.5, 1), (0, -0.6, 1)),
        left_arm=reach((0.06, 0.1, -0.17), (1, 0, -0.4))), ["an old lady"], ["pointing at", "hands on hips"]),
    "trolley": (figure(root=(15,), arms=((0, -0.8, 0.6), (0, -0.15, 1))), ["pushing a heavy"], ["typing", "zombie"]),
    "pull-up": (figure(arms=((0.5, -0.8, 0.1), (0.05, 1, 0.15)), legs=((0.05, -1, 0.1), (0, -1, -0.5))),
        ["doing a pull-up"], ["hands on hips", "T-pose"]),
    "sit-up": (figure(root=(-35,), spine=(20,), arms=NAPE, legs=((0.1, 0.2, 1), (0, -1, 0))), ["halfway"], ["personn",
        "bridge"]),
    "skateboarder": (figure(root=(20,), arms=((1, -0.1, 0), (1, -0.1, 0.1)), legs=((0.4, -0.5, 0.8), (0.1, -1, -0.5))),
        ["skateboarder"], ["T-pose", "typing"]),
    "batter": (figure(root=(15,), left_arm=((-0.5, 0, 0.8), (-1, 0.4, -0.3)),
        right_arm=((0.7, -0.2, 0.3), (0.1, 1, 0.2)), legs=((0.3, -0.9, 0.35), (0.1, -1, -0.25))), ["baseball"],
        ["praying", "archer"]),
    "jump shot": (figure(arms=((0.1, 0.5, 0.8), (-0.2, 1, -0.1))), ["basketball", "samurai"], ["clapping", "T-pose"]),
    "ladder": (figure(left_leg=((0.1, 0, 1), (0, -1, 0)), arms=((0, 0.3, 0.6), (0, 0.8, 0.6))), ["climbing a ladder"],
        ["T-pose"]),
    "burglar": (figure(root=(15,), arms=((0.1, -0.8, 0.2), (-0.1, 0.4, 1)), left_leg=((0.05, -0.6, 0.8), (0, -1, -0.3)),
        right_leg=((0.05, -1, 0.15), (0, -0.9, -0.5))), ["I need a reference"], ["boxer", "zombie"]),
    "under the bed": (figure(root=(100,), head=(-60,), arms=((0.4, 0.1, 0.8), (0, 1, 0.3)),
        legs=((0, 0.17, 1), (0, -1, 0.2)), toes=40), ["looking under"], ["kneeling up", "standing and touching"]),
    "cowering": (figure(root=(35,), spine=(45,), head=(30,), arms=reach((0.1, 0.68, 0.0), (1, 0.2, 0.8)),
        legs=((0.1, 0.1, 1), (0, -1, -0.3))), ["cowering"], ["hands up", "strongman"]),
    "shoelaces": (figure(root=(60,), spine=(20,), legs=seen(60, ((0.05, 0.4, 1), (0, -1, -0.4))),
        left_arm=seen(80, ((-0.1, -1, 0), (-0.1, -1, 0))), right_arm=seen(80, ((-0.5, -1, 0.05), (-0.5, -1, 0.05)))),
        ["tying his"], ["standing and touching", "crawling"]),
    "hand on the other shoulder": (figure(right_arm=reach((-0.15, 0.4, 0.08), (0.6, -1, 0.6))), ["right hand touching"],
        ["standing with arms crossed", "on a windy", "strongman"]),
}
# fmt: on

TEXTS = [prompt.text for prompt in EVERYDAY]
SIDED = [i for i, text in enumerate(TEXTS) if re.search(r"\b(left|right)\b", text)]


def prompt_index(start: str) -> int:
    (index,) = (i for i, text in enumerate(TEXTS) if text.startswith(start))
    return index


@pytest.fixture(scope="module")
def marks():
    return dict(zip(POSES, passed(np.stack([pose for pose, *_ in POSES.values()])), strict=True))


def test_prompts_are_many_and_different():
    assert len(EVERYDAY) == len(set(TEXTS)) == 120
    assert len(SIDED) >= 25
    assert max(len(text.split()) for text in TEXTS) <= 40


@pytest.mark.parametrize("name", POSES)
def test_a_pose_passes_what_it_shows_and_fails_what_it_does_not(name, marks):
    _, shown, not_shown = POSES[name]
    assert [s for s in shown if not marks[name][prompt_index(s)]] == []
    assert [s for s in not_shown if marks[name][prompt_index(s)]] == []


def test_every_prompt_can_be_shown_and_is_shown_by_few(marks):
    meant = {prompt_index(s) for _, shown, _ in POSES.values() for s in shown}
    assert [TEXTS[i] for i in range(120) if i not in meant] == []
    share = np.stack(list(marks.values())).mean(0)
    assert share.max() < 0.15 and share.mean() < 0.04


@pytest.mark.parametrize("degrees", [90, 200])
def test_turning_the_person_changes_no_mark(degrees, marks):
    turned = np.stack([pose for pose, *_ in POSES.values()])
    turned[:, 0] = euler(0, 0, degrees) @ turned[:, 0]
    np.testing.assert_array_equal(passed(turned), np.stack(list(marks.values())))


def test_mirroring_changes_only_prompts_that_name_a_side(marks):
    axis_angle = roma.rotmat_to_rotvec(torch.tensor(np.stack([pose for pose, *_ in POSES.values()])))
    mirrored = passed(roma.rotvec_to_rotmat(mirror(axis_angle)))
    same = mirrored == np.stack(list(marks.values()))
    sideless = [i for i in range(120) if i not in SIDED]
    assert [TEXTS[i] for i in sideless if not same[:, i].all()] == []
    for row, (_, shown, _) in zip(mirrored, POSES.values(), strict=True):
        assert [s for s in shown if prompt_index(s) in SIDED and row[prompt_index(s)]] == []


def test_examine_marks_every_sample_and_says_what_was_understood():
    asked = []

    class Policy:
        def text_to_pose(self, prompt, num_samples, temperature, seed, reply):
            assert not reply  # nobody reads it
            asked.append((prompt, num_samples, temperature, seed))
            said = [SimpleNamespace(phrase="both arms out", probability=0.9)]
            names = ("T", "squat")[:num_samples]
            return [SimpleNamespace(pose=SimpleNamespace(rotations=POSES[n][0]), statements=said) for n in names]

    answers = examine(Policy(), num_samples=2, temperature=0.3, seed=4)
    assert asked == [(text, 2, 0.3, 4) for text in TEXTS]
    assert [a.text for a in answers] == TEXTS
    assert answers[prompt_index("T-pose")].passed == [True, False]
    assert answers[prompt_index("squatting all")].passed == [False, True]
    assert answers[0].understood == [("both arms out", 0.9)]


def test_check_is_one_column_of_passed(marks):
    poses = np.stack([pose for pose, *_ in POSES.values()])
    for i in (0, 57, 119):
        np.testing.assert_array_equal(EVERYDAY[i].check(Body(poses)), [row[i] for row in marks.values()])
