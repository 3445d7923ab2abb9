"""Tables of the parametric pose families: ranges of leg poses, targets of hands, everyday names.

All are written for the left side; families.py draws poses from them and mirrors half of these.
"""

from dataclasses import dataclass

ANY = (0, 0)


@dataclass(frozen=True)
class Leg:
    """Ranges in degrees: thigh flexion forward, spread (in the horizontal), abduction (sideways), outward turn,
    knee bend, ankle (toes down > 0)."""

    flex: tuple = (-4, 6)
    spread: tuple = ANY
    abduct: tuple = (-1, 6)
    turn: tuple = (-5, 12)
    knee: tuple = (0, 14)
    ankle: tuple = (-6, 6)


@dataclass(frozen=True)
class Legs:
    """A family of leg poses. The thigh's flexion is against the vertical, or against the pelvis if `local`."""

    left: Leg
    right: Leg | None = None  # the same ranges, and alike within a pose, if None
    pitch: tuple = (-4, 6)  # pelvis forward lean, degrees
    roll: tuple = ANY  # pelvis lean to the left, degrees
    linked: bool = False  # one depth for all the numbers of a pose
    local: bool = False
    arms: tuple = ()  # ((share, left mode, right mode), ...) typical arms
    needs: tuple = ()  # statements (of the left version) that a pose must hold
    names: tuple = ()  # (everyday name, statements it asserts)
    weight: float = 1.0


# ---------------------------------------------------------------------------------------------------- legs

DOWN = ((1.0, "ground", "ground"),)
STRAIGHT = Leg(flex=(-4, 4), knee=(0, 12))
KNEEL = Leg(flex=(-8, 14), knee=(82, 110), ankle=(35, 65), abduct=(0, 10))

LEGS = {
    "stand": Legs(Leg(flex=(0, 9), knee=(0, 16)), linked=True, weight=2.0, needs=("standing",),
                  names=(("standing still", ("standing",)), ("standing upright", ("standing", "torso_upright")))),
    "together": Legs(Leg(flex=(-2, 4), abduct=(-4, -1), knee=(0, 8)), needs=("feet_together", "standing"),
                     names=(("standing with the feet together", ("standing", "feet_together")),)),
    "apart": Legs(Leg(flex=(0, 10), abduct=(14, 28), turn=(0, 25), knee=(0, 18)), needs=("feet_apart", "standing"),
                  names=(("standing with legs apart", ("standing", "feet_apart")),
                         ("standing in a straddle", ("feet_apart",)))),
    "wide": Legs(Leg(flex=(0, 12), abduct=(26, 40), turn=(5, 30), knee=(0, 20)), needs=("legs_wide_apart",),
                 names=(("standing with the legs spread wide", ("legs_wide_apart",)), ("in a straddle stance",
                     ("legs_wide_apart",)))),
    "crossed": Legs(Leg(flex=(6, 18), abduct=(-15, -9), knee=(0, 25)), Leg(flex=(-8, 2), abduct=(-14, -8), knee=(0,
        12)),
                    needs=("legs_crossed", "standing"),
                    names=(("standing with crossed legs", ("standing", "legs_crossed")),)),
    "contrapposto": Legs(Leg(flex=(8, 25), abduct=(4, 16), turn=(5, 35), knee=(22, 48)), Leg(flex=(-6, 2), knee=(0,
        10)),
                         needs=("standing",), names=(("standing with the weight on the right leg", ("standing",)),
                                                     ("leaning casually on one leg", ("standing",)))),
    "crouch": Legs(Leg(flex=(28, 52), spread=(0, 15), abduct=(2, 14), knee=(45, 78), ankle=(-25, -12)), pitch=(8, 32),
                   linked=True, names=(("standing with bent knees", ("*_knee_slightly_bent",)),
                                ("ready to jump", ("*_knee_slightly_bent", "torso_leaning_forward")),
                                ("skiing", ("*_knee_slightly_bent", "torso_leaning_forward")))),
    "sit": Legs(Leg(flex=(72, 98), spread=(-4, 22), abduct=(0, 3), knee=(65, 105)), pitch=(-12, 22), weight=2.5,
                arms=((0.25, "knee", "knee"), (0.1, "chin", "knee")), needs=("sitting",),
                names=(("sitting on a chair", ("sitting",)), ("seated on a bench", ("sitting",)),
                       ("sitting down", ("sitting",)), ("sitting at a desk", ("sitting",)))),
    "sit_leg_over": Legs(Leg(flex=(98, 110), spread=(-26, -10), turn=(-18, 10), knee=(70, 98)),
                         Leg(flex=(78, 90), spread=(-6, 4), knee=(80, 95)), pitch=(-10, 8), needs=("sitting",),
                         arms=((0.3, "knee", "clasp"),),
                         names=(("sitting with one leg over the other", ("sitting",)),
                                ("sitting on a chair with crossed legs", ("sitting", "legs_crossed")))),
    "sit_long": Legs(Leg(flex=(86, 98), spread=(0, 18), knee=(0, 22), ankle=(0, 25)), pitch=(-24, 8), linked=True,
                     arms=((0.2, "ground_back", "ground_back"), (0.12, "foot", "foot"), (0.12, "knee", "knee")),
                     needs=("sitting_on_floor",),
                     names=(("sitting on the floor with legs stretched out", ("sitting_on_floor",)),
                            ("sitting on the ground with straight legs",
                             ("sitting_on_floor", "left_knee_straight", "right_knee_straight")))),
    "sit_straddle": Legs(Leg(flex=(86, 96), spread=(28, 50), turn=(-5, 15), knee=(0, 18)), pitch=(-14, 22),
                         arms=((0.2, "foot", "foot"), (0.2, "knee", "knee")), needs=("sitting_on_floor",),
                         names=(("sitting on the floor with the legs spread", ("sitting_on_floor", "legs_wide_apart")),
                                ("sitting in a straddle", ("sitting_on_floor",)))),
    "sit_cross": Legs(Leg(flex=(84, 98), spread=(38, 58), turn=(74, 92), knee=(98, 118)),
                      Leg(flex=(84, 98), spread=(38, 58), turn=(74, 92), knee=(124, 145)), pitch=(-8, 10), weight=1.5,
                      arms=((0.35, "knee", "knee"), (0.15, "pray", "pray")), needs=("sitting_cross_legged",),
                      names=(("sitting cross-legged", ("sitting_cross_legged",)), ("in lotus pose",
                          ("sitting_cross_legged",)),
                             ("meditating on the floor", ("sitting_cross_legged",)))),
    "sit_knees_up": Legs(Leg(flex=(134, 152), spread=(0, 8), knee=(79, 114)), pitch=(-22, -2), linked=True, weight=1.5,
                         arms=((0.7, "shin", "shin"), (0.12, "ground_back", "ground_back")),
                             needs=("sitting_on_floor",),
                         names=(("hugging the knees", ("hugging_knees",)),
                                ("sitting on the floor with bent knees", ("sitting_on_floor",)),
                                ("curled up on the floor, arms around the knees", ("hugging_knees",)))),
    "sit_one_knee_up": Legs(Leg(flex=(136, 150), spread=(0, 10), knee=(82, 112)),
                            Leg(flex=(87, 95), spread=(0, 15), knee=(0, 12)), pitch=(-22, 0),
                                needs=("sitting_on_floor",),
                            arms=((0.3, "knee", "ground_back"), (0.2, "shin", "shin_other")),
                            names=(("sitting on the ground with the left knee up", ("sitting_on_floor",)),)),
    "boat": Legs(Leg(flex=(118, 142), knee=(0, 25)), pitch=(-48, -28), arms=((0.5, "fwd", "fwd"),),
        needs=("sitting_on_floor",),
                 names=(("in boat pose", ("sitting_on_floor", "torso_leaning_back")), ("doing a v-sit",
                     ("sitting_on_floor",)))),
    "kneel": Legs(KNEEL, linked=True, needs=("kneeling",), weight=1.5,
                  names=(("kneeling on both knees", ("kneeling",)), ("on the knees", ("kneeling",)))),
    "kneel_heels": Legs(Leg(flex=(46, 60), spread=(0, 16), knee=(143, 153), ankle=(45, 72)), pitch=(-6, 14),
        linked=True,
                        arms=((0.35, "lap", "lap"), (0.15, "pray", "pray")), needs=("sitting_on_heels",), weight=1.2,
                        names=(("sitting on the heels", ("sitting_on_heels",)),
                               ("kneeling back on the heels", ("sitting_on_heels",)))),
    "child": Legs(Leg(flex=(50, 62), spread=(2, 20), knee=(144, 153), ankle=(45, 72)), pitch=(56, 76), linked=True,
                  arms=((0.8, "ground_far", "ground_far"),), needs=("sitting_on_heels", "torso_bent_far_forward"),
                  names=(("in child's pose", ("sitting_on_heels", "torso_bent_far_forward")),
                         ("bowing on the knees", ("sitting_on_heels", "torso_bent_far_forward")))),
    "kneel_one": Legs(Leg(flex=(-14, 14), knee=(80, 105), ankle=(15, 40)), Leg(flex=(74, 100), knee=(72, 100)),
        pitch=(-5, 14),
                      arms=((0.15, "bent", "knee"), (0.1, "ground", "knee")), needs=("kneeling_on_left_knee",),
                          weight=1.5,
                      names=(("kneeling on one knee", ("kneeling_on_left_knee",)),
                             ("proposing marriage on one knee", ("kneeling_on_left_knee",)),
                             ("down on the left knee", ("kneeling_on_left_knee",)))),
    "squat": Legs(Leg(flex=(52, 110), spread=(2, 30), turn=(0, 20), knee=(80, 142), ankle=(-34, -20)), pitch=(8, 42),
                  linked=True, needs=("squatting",), weight=2.0,
                  arms=((0.2, "fwd", "fwd"), (0.1, "pray", "pray"), (0.1, "knee", "knee")),
                  names=(("doing a squat", ("squatting",)), ("crouching down low", ("squatting",)))),
    "sumo": Legs(Leg(flex=(66, 104), spread=(32, 52), turn=(5, 20), knee=(80, 124), ankle=(-20, -5)), pitch=(4, 26),
        linked=True,
                 arms=((0.3, "knee", "knee"), (0.15, "clasp", "clasp")), needs=("squatting",),
                 names=(("in a wide squat", ("squatting",)), ("squatting like a sumo wrestler", ("squatting",)),
                        ("in a frog pose", ("squatting",)))),
    "lunge": Legs(Leg(flex=(50, 92), knee=(56, 98), ankle=(-15, 5)), Leg(flex=(-28, -46), knee=(4, 40), ankle=(-25, 0)),
                  pitch=(-4, 20), linked=True, needs=("lunging_with_left_leg",), weight=2.0,
                  names=(("lunging forward with the left leg", ("lunging_with_left_leg",)),
                         ("doing a lunge", ("lunging_with_left_leg",)),
                         ("in a warrior pose", ("lunging_with_left_leg",)))),
    "side_lunge": Legs(Leg(flex=(40, 68), abduct=(12, 26), turn=(5, 25), knee=(68, 100), ankle=(-20, -5)),
                       Leg(flex=(0, 12), abduct=(36, 52), knee=(0, 12)), pitch=(5, 30),
                           needs=("right_leg_out_to_side",),
                       names=(("in a side lunge with the right leg stretched out", ("right_leg_out_to_side",)),)),
    "kick_front": Legs(Leg(flex=(55, 112), abduct=(-8, 10), knee=(0, 32), ankle=(0, 35)), Leg(flex=(-8, 4), knee=(4,
        24)),
                       pitch=(-20, 4), needs=("standing_on_right_leg",), weight=1.5,
                       arms=((0.25, "guard", "guard"), (0.1, "side", "side")),
                       names=(("kicking with the left leg", ("left_foot_lifted",)),
                              ("kicking a ball with the left foot", ("left_foot_lifted",)),
                              ("doing a high kick with the left leg", ("left_leg_raised_high",)))),
    "kick_side": Legs(Leg(flex=(0, 28), abduct=(48, 88), knee=(0, 25), ankle=(-5, 25)), Leg(knee=(4, 18)), roll=(-24,
        0),
                      needs=("standing_on_right_leg", "left_leg_out_to_side"), arms=((0.2, "guard", "guard"),),
                      names=(("kicking sideways with the left leg", ("left_leg_out_to_side", "standing_on_right_leg")),
                             ("lifting the left leg out to the side", ("left_leg_out_to_side",
                                 "standing_on_right_leg")))),
    "knee_up": Legs(Leg(flex=(74, 112), abduct=(-4, 10), knee=(68, 125)), Leg(flex=(-4, 5), knee=(0, 12)),
                    needs=("standing_on_right_leg", "left_knee_raised"), weight=1.5,
                    arms=((0.15, "runb", "runf"), (0.1, "shin", "shin_other")),
                    names=(("lifting the left knee", ("left_knee_raised",)), ("marching", ("left_knee_raised",)),
                           ("standing on one leg", ("standing_on_right_leg",)))),
    "tree": Legs(Leg(flex=(26, 52), spread=(48, 82), abduct=(4, 26), turn=(8, 42), knee=(110, 148)), Leg(flex=(-3, 3),
        knee=(0, 6)),
                 arms=((0.35, "pray", "pray"), (0.2, "clasp_up", "clasp_up")), needs=("left_foot_on_other_leg",
                     "standing_on_right_leg"),
                 names=(("in tree pose", ("left_foot_on_other_leg", "standing_on_right_leg")),
                        ("balancing on the right leg like a flamingo", ("standing_on_right_leg",)))),
    "quad": Legs(Leg(flex=(-15, 15), knee=(130, 150), ankle=(10, 40)), STRAIGHT, needs=("left_heel_at_buttocks",
        "standing_on_right_leg"),
                 arms=((0.5, "foot", "hang"), (0.2, "foot", "fwdup")), pitch=(-3, 12),
                 names=(("stretching the left thigh", ("left_heel_at_buttocks",)),
                        ("pulling the left heel to the buttocks", ("left_heel_at_buttocks",)))),
    "foot_back": Legs(Leg(flex=(-10, 20), knee=(60, 112), ankle=(0, 35)), Leg(knee=(0, 16)),
        needs=("left_foot_lifted",),
                      names=(("lifting the left foot behind", ("left_foot_lifted",)), ("hopping on the right leg",
                          ("standing_on_right_leg",)))),
    "arabesque": Legs(Leg(flex=(-88, -38), abduct=(-2, 10), knee=(0, 18), ankle=(10, 40)), Leg(flex=(-4, 4), knee=(0,
        12)),
                      pitch=(32, 80), needs=("standing_on_right_leg", "left_leg_stretched_back"), weight=1.5,
                      arms=((0.3, "side", "side"), (0.15, "up", "up"), (0.15, "fwdup", "side")),
                      names=(("in an arabesque", ("standing_on_right_leg", "left_leg_stretched_back")),
                             ("balancing with the left leg stretched back", ("standing_on_right_leg",
                                 "left_leg_stretched_back")),
                             ("balancing like an airplane", ("standing_on_right_leg", "left_leg_stretched_back")))),
    "stride": Legs(Leg(flex=(18, 38), knee=(0, 20), ankle=(-15, 0)), Leg(flex=(-28, -10), knee=(4, 40), ankle=(0, 25)),
                   pitch=(-2, 10), arms=((0.35, "runb", "runf"), (0.25, "hang", "hang"), (0.15, "swing_back",
                       "swing_front")),
                   needs=("left_foot_in_front",), weight=1.5,
                   names=(("walking", ("standing", "left_foot_in_front")), ("taking a big step",
                       ("left_foot_in_front",)),
                          ("strolling along", ("left_foot_in_front",)),
                          ("stepping forward with the left foot", ("left_foot_in_front",)))),
    "run": Legs(Leg(flex=(42, 85), knee=(55, 110)), Leg(flex=(-32, -6), knee=(8, 60), ankle=(5, 35)), pitch=(3, 20),
                arms=((0.75, "runb", "runf"),), weight=1.5, names=(("running", ("left_foot_lifted",
                    "left_foot_in_front")), ("sprinting", ("left_knee_raised",)),
                       ("jogging", ("left_foot_lifted", "left_foot_in_front")))),
    "run_heel": Legs(Leg(flex=(10, 40), knee=(10, 30)), Leg(flex=(-32, 0), knee=(65, 112), ankle=(5, 35)), pitch=(3,
        18),
                     arms=((0.75, "runb", "runf"),), names=(("running with the right foot kicked up behind",
                         ("right_foot_lifted",)),)),
    "bow": Legs(Leg(flex=(-6, 6), abduct=(-2, 16), knee=(0, 22)), pitch=(28, 95), weight=1.5,
                arms=((0.2, "ground", "ground"), (0.12, "foot", "foot"), (0.15, "knee", "knee"), (0.1, "dangle",
                    "dangle")),
                needs=("torso_leaning_forward",),
                names=(("bending over", ("torso_leaning_forward",)), ("bowing", ("torso_leaning_forward",)),
                       ("bending down to pick something up", ("torso_bent_far_forward",)),
                       ("bent over at the waist", ("torso_bent_far_forward",)))),
    "fours": Legs(Leg(flex=(-10, 14), abduct=(0, 8), knee=(78, 98), ankle=(20, 50)), pitch=(72, 96), arms=DOWN,
                  needs=("on_all_fours",), weight=1.2,
                  names=(("on all fours", ("on_all_fours",)), ("crawling like a baby", ("on_all_fours",)),
                         ("on hands and knees", ("on_all_fours",)))),
    "plank": Legs(Leg(flex=(-8, 8), abduct=(0, 6), knee=(0, 8), ankle=(-35, -10)), pitch=(66, 88), local=True,
        arms=DOWN,
                  needs=("plank",), weight=1.2,
                  names=(("doing a plank", ("plank",)), ("doing push-ups", ("plank",)), ("in a push-up position",
                      ("plank",)))),
    "down_dog": Legs(Leg(flex=(-42, -20), abduct=(0, 8), knee=(0, 16), ankle=(-30, -5)), pitch=(112, 136),
                     arms=((1.0, "ground_far", "ground_far"),), needs=("downward_dog",),
                     names=(("in downward dog", ("downward_dog",)), ("doing a downward-facing dog",
                         ("downward_dog",)))),
    "table": Legs(Leg(flex=(80, 102), abduct=(0, 8), knee=(72, 98)), pitch=(-66, -44), arms=((1.0, "ground_under",
        "ground_under"),),
                  needs=("bridge",), names=(("doing a bridge", ("bridge",)), ("walking like a crab", ("bridge",)))),
    "lie_up": Legs(Leg(flex=(-4, 8), abduct=(0, 18), knee=(0, 16), ankle=(5, 30)), pitch=(-96, -84), local=True,
        weight=1.3,
                   needs=("lying_on_back",),
                   names=(("lying on the back", ("lying_on_back",)), ("sleeping on the back", ("lying_on_back",)),
                          ("lying face up", ("lying_on_back",)))),
    "lie_up_bent": Legs(Leg(flex=(38, 68), spread=(0, 8), knee=(72, 112)), pitch=(-96, -82), local=True,
        needs=("lying_on_back",),
                        names=(("lying on the back with bent knees", ("lying_on_back",)), ("doing sit-ups",
                            ("lying_on_back",)))),
    "lie_up_legs": Legs(Leg(flex=(55, 98), knee=(0, 25)), pitch=(-96, -82), local=True, needs=("lying_on_back",),
                        names=(("lying on the back with the legs in the air", ("lying_on_back",)),)),
    "lie_down": Legs(Leg(flex=(-10, 6), abduct=(0, 18), knee=(0, 16), ankle=(25, 55)), pitch=(84, 95), local=True,
        weight=1.3,
                     needs=("lying_face_down",),
                     names=(("lying on the stomach", ("lying_face_down",)), ("lying face down", ("lying_face_down",)))),
    "lie_down_feet": Legs(Leg(flex=(-6, 6), knee=(55, 105)), pitch=(80, 94), local=True, needs=("lying_face_down",),
                          names=(("lying on the stomach with the feet up", ("lying_face_down",)),)),
    "lie_side": Legs(Leg(flex=(2, 80), abduct=(-2, 4), knee=(5, 105)), roll=(78, 96), local=True, linked=True,
        weight=1.3,
                     needs=("lying_on_left_side",),
                     names=(("lying on the left side", ("lying_on_left_side",)), ("sleeping on the side",
                         ("lying_on_left_side",)))),
    "split_side": Legs(Leg(flex=(0, 14), abduct=(58, 82), knee=(0, 10)), pitch=(-2, 14), needs=("splits",),
                       names=(("doing the splits", ("splits",)), ("in a side split", ("splits",)))),
    "split_front": Legs(Leg(flex=(58, 84), knee=(0, 12), ankle=(10, 40)), Leg(flex=(-76, -52), knee=(0, 22), ankle=(10,
        40)),
                        pitch=(4, 22), needs=("splits",), names=(("doing the splits", ("splits",)),
                                                                 ("in a front split with the left leg forward",
                                                                     ("splits",)))),
    "jump": Legs(Leg(flex=(18, 80), abduct=(0, 16), knee=(36, 110), ankle=(15, 40)), linked=True,
                 arms=((0.3, "up", "up"), (0.2, "diag_up", "diag_up")), names=(("jumping", ("*_knee_right_angle",
                     "*_hand_above_shoulder")),
                        ("in mid-air, knees tucked", ("*_knee_right_angle",)))),
    "star": Legs(Leg(flex=(-2, 6), abduct=(18, 36), knee=(0, 10), ankle=(5, 30)), needs=("feet_apart",), weight=0.8,
                 arms=((0.6, "diag_up", "diag_up"), (0.2, "up", "up"), (0.15, "side", "side")),
                 names=(("doing jumping jacks", ("feet_apart", "*_hand_above_shoulder")),
                        ("in a star jump", ("feet_apart", "*_arm_diagonally_up")))),
    "handstand": Legs(Leg(flex=(-8, 12), abduct=(0, 8), knee=(0, 10), ankle=(15, 45)), pitch=(168, 192), local=True,
        weight=0.8,
                      arms=((1.0, "overhead", "overhead"),), needs=("upside_down",),
                      names=(("doing a handstand", ("upside_down",)), ("upside down on the hands", ("upside_down",)))),
    "handstand_split": Legs(Leg(flex=(20, 62), knee=(0, 50)), Leg(flex=(-32, 0), knee=(0, 60)), pitch=(166, 194),
        local=True,
                            weight=0.6, arms=((1.0, "overhead", "overhead"),), needs=("upside_down",),
                            names=(("doing a handstand with the legs apart", ("upside_down",)),)),
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- arms


@dataclass(frozen=True)
class Arm:
    """Where the hand goes, for the left arm: ranges in metres (x outwards, y up, z forward) from an anchor.

    Anchors: a joint of ANCHORS, "world" (world axes, from the shoulder) or "ground" (the same, but the height is
    above the lowest joint of the legs). `pole` is where the elbow points, in the chest's frame.
    `shared`: both arms take the same numbers, so that the hands meet.
    """

    anchor: str
    x: tuple
    y: tuple
    z: tuple
    pole: str = "low"
    wrist: bool = False  # the wrist, not the hand, goes to the target
    shared: bool = False
    aim: tuple | None = None  # where the fingers point, in the anchor's frame; along the forearm if None


POLES = {  # ranges of the elbow's direction (outwards, up, forward)
    "low": ((0.3, 0.8), (-1.0, -0.4), (-0.8, -0.1)), "out": ((0.8, 1.0), (-0.4, 0.3), (-0.3, 0.0)),
    "down": ((0.0, 0.3), (-1.0, -0.8), (-0.2, 0.1)), "side": ((0.6, 1.0), (-0.7, -0.2), (-0.2, 0.2)),
    "back": ((0.2, 0.6), (-0.4, 0.1), (-1.0, -0.6)), "wing": ((0.9, 1.0), (0.1, 0.5), (-0.2, 0.1)),
}  # fmt: skip

ARMS = {
    "hang": Arm("shoulder", (0.02, 0.2), (-0.6, -0.53), (-0.1, 0.15)),
    "relaxed": Arm("shoulder", (0.05, 0.2), (-0.54, -0.42), (0.02, 0.28)),
    "dangle": Arm("world", (-0.05, 0.12), (-0.6, -0.5), (-0.1, 0.15)),
    "up": Arm("shoulder", (-0.12, 0.16), (0.52, 0.6), (-0.12, 0.14), "out"),
    "overhead": Arm("shoulder", (-0.04, 0.1), (0.595, 0.62), (-0.04, 0.08), "out"),
    "diag_up": Arm("shoulder", (0.28, 0.48), (0.28, 0.46), (-0.12, 0.14), "out"),
    "diag_down": Arm("shoulder", (0.26, 0.46), (-0.5, -0.32), (-0.14, 0.14)),
    "side": Arm("shoulder", (0.54, 0.61), (-0.1, 0.12), (-0.14, 0.16)),
    "fwd": Arm("shoulder", (-0.14, 0.12), (-0.14, 0.14), (0.53, 0.61)),
    "fwdup": Arm("shoulder", (-0.12, 0.2), (0.24, 0.44), (0.34, 0.48)),
    "fwddown": Arm("shoulder", (-0.12, 0.12), (-0.46, -0.2), (0.3, 0.48)),
    "backward": Arm("shoulder", (0.0, 0.2), (-0.5, -0.3), (-0.5, -0.32), "back"),
    "hip": Arm("pelvis", (0.14, 0.19), (0.03, 0.12), (-0.05, 0.05), "out", wrist=True, aim=(-0.3, -0.35, 0.9)),
    "back": Arm("pelvis", (-0.04, 0.08), (0.02, 0.18), (-0.2, -0.14), "back"),
    "chest": Arm("spine3", (-0.05, 0.1), (0.0, 0.13), (0.18, 0.25)),
    "cross": Arm("shoulder", (-0.42, -0.32), (-0.18, -0.1), (0.2, 0.28)),
    "cross_under": Arm("shoulder", (-0.42, -0.32), (-0.3, -0.22), (0.19, 0.27)),
    "other_shoulder": Arm("other_shoulder", (0.0, 0.05), (0.02, 0.09), (0.12, 0.16)),
    "other_shoulder_under": Arm("other_shoulder", (0.0, 0.05), (-0.07, -0.01), (0.11, 0.15)),
    "head": Arm("head", (0.02, 0.13), (0.1, 0.2), (-0.08, 0.08), "out"),
    "head_back": Arm("head", (0.0, 0.09), (0.0, 0.1), (-0.17, -0.11), "wing"),
    "face": Arm("head", (0.0, 0.1), (-0.04, 0.06), (0.15, 0.2)),
    "chin": Arm("head", (-0.02, 0.06), (-0.09, -0.03), (0.13, 0.18), "down"),
    "ear": Arm("head", (0.11, 0.15), (0.0, 0.08), (0.0, 0.07)),
    "salute": Arm("head", (0.06, 0.11), (0.08, 0.13), (0.1, 0.14), "side"),
    "wave": Arm("shoulder", (0.14, 0.38), (0.2, 0.42), (-0.04, 0.22), "side"),
    "surrender": Arm("shoulder", (0.1, 0.28), (0.24, 0.38), (0.02, 0.16), "side"),
    "goalpost": Arm("shoulder", (0.22, 0.32), (0.28, 0.37), (-0.03, 0.1), "wing"),
    "flex": Arm("shoulder", (0.08, 0.2), (0.08, 0.24), (-0.02, 0.12), "wing"),
    "knee": Arm("knee", (-0.04, 0.05), (0.0, 0.12), (0.06, 0.11), "out"),
    "foot": Arm("ankle", (0.0, 0.07), (-0.04, 0.05), (0.02, 0.1), "out"),
    "shin": Arm("shin", (-0.05, 0.04), (-0.24, -0.1), (0.08, 0.13), "out"),
    "shin_other": Arm("other_shin", (0.0, 0.08), (-0.22, -0.1), (0.08, 0.13), "out"),
    "lap": Arm("knee", (-0.05, 0.04), (0.1, 0.24), (0.08, 0.12), "out"),
    "ground": Arm("ground", (-0.03, 0.14), (0.04, 0.08), (-0.08, 0.12), "back", wrist=True, aim=(0.1, 0.0, 1.0)),
    "ground_far": Arm("ground", (-0.06, 0.14), (0.03, 0.07), (0.25, 0.5), "out"),
    "ground_back": Arm("ground", (0.02, 0.2), (0.03, 0.07), (-0.35, -0.05), "back", wrist=True, aim=(0.3, 0.0, 1.0)),
    "ground_under": Arm("ground", (0.02, 0.15), (0.04, 0.08), (-0.08, 0.12), "back", wrist=True, aim=(0.3, 0.0, -1.0)),
    "guard": Arm("shoulder", (-0.14, -0.02), (-0.1, 0.06), (0.2, 0.32), "down"),
    "bent": Arm("shoulder", (-0.06, 0.12), (-0.28, -0.14), (0.24, 0.42)),
    "hold": Arm("shoulder", (-0.06, 0.1), (-0.32, -0.2), (0.3, 0.38), "down"),
    "runf": Arm("shoulder", (-0.14, 0.02), (-0.18, -0.02), (0.26, 0.38), "down"),
    "runb": Arm("shoulder", (0.04, 0.14), (-0.34, -0.24), (-0.12, 0.08), "back"),
    "swing_front": Arm("shoulder", (-0.05, 0.1), (-0.56, -0.46), (0.15, 0.35)),
    "swing_back": Arm("shoulder", (0.02, 0.15), (-0.58, -0.48), (-0.3, -0.12), "back"),
    "punch": Arm("shoulder", (-0.16, 0.0), (-0.06, 0.08), (0.54, 0.61)),
    "across_fwd": Arm("shoulder", (-0.38, -0.24), (-0.2, 0.1), (0.3, 0.42)),
    "pray": Arm("spine3", (0.055, 0.07), (-0.14, 0.1), (0.19, 0.3), "out", wrist=True, shared=True, aim=(0.0, 1.0,
        0.4)),
    "clasp": Arm("pelvis", (0.045, 0.06), (-0.02, 0.12), (0.2, 0.3), shared=True),
    "clasp_up": Arm("spine3", (0.045, 0.055), (0.62, 0.72), (-0.04, 0.1), "out", shared=True),
}  # fmt: skip

# arms alike on both sides: mode -> names, with the statements each one asserts ("*_x": left and right x)
BOTH = {
    "hang": (("with the arms at the sides", ("*_arm_down",)),), "relaxed": (),
    "up": (("raising both arms overhead", ("*_hand_above_head",)), ("reaching for the sky", ("*_arm_straight_up",))),
    "diag_up": (("cheering with both arms up", ("*_hand_above_shoulder",)), ("with the arms up in a V",
        ("*_arm_diagonally_up",))),
    "diag_down": (), "fwddown": (), "backward": (("with both arms stretched back", ("*_arm_stretched_back",)),),
    "side": (("with arms spread like wings", ("*_arm_sideways",)), ("in a T-pose", ("*_arm_sideways",))),
    "fwd": (("reaching forward like a zombie", ("*_arm_forward",)), ("sleepwalking", ("*_arm_forward",))),
    "fwdup": (("reaching up and forward with both arms", ("*_hand_above_shoulder", "*_hand_in_front")),),
    "hip": (("with arms akimbo", ("*_hand_on_hip",)), ("with hands on hips", ("*_hand_on_hip",))),
    "back": (("with hands behind the back", ("*_hand_on_back",)),), "chest": (("with both hands on the chest",
        ("*_hand_on_chest",)),),
    "cross": (("with folded arms", ("arms_crossed",)), ("with crossed arms", ("arms_crossed",))),
    "head": (("holding the head", ("*_hand_on_head",)), ("with both hands on the head", ("*_hand_on_head",))),
    "head_back": (("with hands behind the head", ("*_hand_behind_head",)), ("doing a crunch", ("*_hand_behind_head",
        "lying_on_back"))),
    "face": (("covering the face with the hands", ("*_hand_at_face",)), ("crying into the hands", ("*_hand_at_face",)),
             ("looking through binoculars", ("*_hand_at_face",)), ("playing the harmonica", ("*_hand_at_face",))),
    "ear": (("covering the ears", ("*_hand_on_head",)),),
    "surrender": (("with hands up in surrender", ("*_hand_above_shoulder",)), ("being robbed with hands up",
        ("*_hand_above_shoulder",))),
    "goalpost": (("with cactus arms", ("*_elbow_raised", "*_hand_above_shoulder")),),
    "flex": (("flexing the biceps", ("*_elbow_raised",)), ("showing off muscles", ("*_elbow_raised",))),
    "knee": (("with hands on the knees", ("*_hand_on_knee",)),), "foot": (("touching the toes", ("*_hand_on_foot",)),),
    "ground": (("touching the ground with both hands", ("*_hand_on_ground",)),),
    "guard": (("with fists up like a boxer", ("*_hand_shoulder_height",)), ("in a fighting stance",
        ("*_hand_shoulder_height",))),
    "bent": (), "hold": (("carrying a box", ("*_elbow_right_angle",)), ("typing on a keyboard",
        ("*_elbow_right_angle",))),
    "wave": (("waving with both hands", ("*_hand_above_shoulder",)),),
    "pray": (("praying", ("palms_together",)), ("with palms together", ("palms_together",)), ("clapping",
        ("palms_together",))),
    "clasp": (("with hands clasped in front", ("hands_together",)), ("swinging a golf club", ("hands_together",))),
    "clasp_up": (("with hands joined overhead", ("*_hand_above_head", "hands_together")),),
    "other_shoulder": (("hugging the shoulders", ("*_hand_on_other_shoulder",)), ("shivering with cold",
        ("*_hand_on_other_shoulder",))),
}  # fmt: skip
# one arm (the left): mode -> names
ONE = {
    "wave": (("waving with the left hand", ("left_hand_above_shoulder",)), ("waving hello",
        ("left_hand_above_shoulder",)),
             ("hailing a taxi", ("left_hand_above_shoulder",))),
    "up": (("raising the left hand", ("left_hand_above_head",)), ("asking a question with the left hand up",
        ("left_hand_above_head",)),
           ("reaching for a high shelf", ("left_hand_above_head",))),
    "diag_up": (("pointing up to the left", ("left_arm_diagonally_up",)),),
    "side": (("pointing to the left", ("left_arm_sideways",)), ("with the left arm out to the side",
        ("left_arm_sideways",))),
    "fwd": (("pointing forward with the left hand", ("left_arm_forward",)), ("reaching out with the left arm",
        ("left_arm_forward",)),
            ("shaking hands", ("left_hand_in_front",))),
    "fwdup": (("pointing up ahead with the left hand", ("left_hand_above_shoulder", "left_hand_in_front")),),
    "punch": (("punching with the left fist", ("left_arm_forward",)), ("throwing a punch", ("left_arm_forward",))),
    "face": (("eating", ("left_hand_at_face",)), ("drinking from a cup", ("left_hand_at_face",)), ("yawning",
        ("left_hand_at_face",))),
    "chin": (("thinking with a hand on the chin", ("left_hand_at_face",)),),
    "ear": (("talking on the phone", ("left_hand_on_head",)),),
    "head": (("scratching the head", ("left_hand_on_head",)), ("with the left hand on the head",
        ("left_hand_on_head",))),
    "head_back": (("with the left hand behind the head", ("left_hand_behind_head",)),),
    "salute": (("saluting", ("left_hand_on_head",)), ("shading the eyes", ("left_hand_on_head",))),
    "hip": (("with the left hand on the hip", ("left_hand_on_hip",)),),
    "knee": (("resting the left hand on the knee", ("left_hand_on_knee",)),),
    "back": (("with the left hand on the back", ("left_hand_on_back",)),),
    "chest": (("with the left hand on the heart", ("left_hand_on_chest",)), ("swearing an oath",
        ("left_hand_on_chest",))),
    "foot": (("grabbing the left foot", ("left_hand_on_foot",)),),
    "ground": (("touching the ground with the left hand", ("left_hand_on_ground",)),),
    "other_shoulder": (("with the left hand on the right shoulder", ("left_hand_on_other_shoulder",)),),
    "across_fwd": (("reaching across with the left arm", ("left_hand_across",)),),
    "flex": (("flexing the left biceps", ("left_elbow_raised",)),), "backward": (("reaching back with the left arm",
        ("left_arm_stretched_back",)),),
    "diag_down": (), "goalpost": (), "surrender": (("swearing an oath with the left hand up",
        ("left_hand_above_shoulder",)),),
}  # fmt: skip
PARTNERS = {"cross": "cross_under", "other_shoulder": "other_shoulder_under"}  # the right arm of a crossed pair
REST = ("hang", "hang", "hang", "relaxed", "relaxed", "bent", "hip", "guard", "chest", "diag_down", "back")

# anchor -> (joint, joint in whose frame the offset is), for the left arm
ANCHORS = {
    "shoulder": (16, 9), "pelvis": (0, 0), "spine3": (9, 9), "head": (15, 15), "knee": (4, 1), "shin": (4, 4),
    "ankle": (7, 7), "other_shoulder": (17, 9), "other_shin": (5, 5),
}  # fmt: skip
