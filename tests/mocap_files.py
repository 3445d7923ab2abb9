"""Small motion files of our own, as text, so that the loaders' tests need no data."""

import numpy as np

# joint -> (parent, offset in cm)
DAZ_SPINE = {
    "hip": ("", "0 0 0"), "abdomen": ("hip", "0 20 0"), "chest": ("abdomen", "0 12 0"), "neck": ("chest", "0 22 -2"),
    "head": ("neck", "0 7 1"),
}  # fmt: skip
DAZ_SIDE = {
    "Collar": ("chest", "2 19 -4"), "Shldr": ("Collar", "9 -2 1"), "ForeArm": ("Shldr", "28 -2 1"),
    "Hand": ("ForeArm", "22 1 7"), "Mid1": ("Hand", "8 1 3"), "Thigh": ("hip", "9 3 -1"), "Shin": ("Thigh", "0 -37 1"),
    "Foot": ("Shin", "1 -45 -5"),
}  # fmt: skip
# bone -> (parent, direction)
CMU_SPINE = {
    "lowerback": ("root", "0 1 0"), "upperback": ("lowerback", "0 1 0.1"), "thorax": ("upperback", "0 1 0"),
    "lowerneck": ("thorax", "0 1 0"), "upperneck": ("lowerneck", "0 1 0.2"), "head": ("upperneck", "0 1 0"),
}  # fmt: skip
CMU_SIDE = {
    "hipjoint": ("root", "0.7 -0.7 0.3"), "femur": ("hipjoint", "0.34 -0.94 0"), "tibia": ("femur", "0.34 -0.94 0"),
    "foot": ("tibia", "0.1 -0.3 1"), "clavicle": ("thorax", "0.9 0.3 0"), "humerus": ("clavicle", "1 0 0.1"),
    "radius": ("humerus", "1 0.1 0"), "wrist": ("radius", "1 0 0"), "hand": ("wrist", "1 0 0.1"),
}  # fmt: skip


def bvh_text(frames: int = 40) -> str:
    """A BVH of the Daz rig: a T-pose, then motion."""
    joints = _with_sides(DAZ_SPINE, DAZ_SIDE)

    def block(name):
        parent, offset = joints[name]
        children = [child for child, (above, _) in joints.items() if above == name]
        channels = "3 Zrotation Xrotation Yrotation"
        if not parent:
            channels = "6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
        inside = "\n".join(map(block, children)) or "End Site\n{\nOFFSET 0 1 0\n}"
        return f"{'JOINT' if parent else 'ROOT'} {name}\n{{\nOFFSET {offset}\nCHANNELS {channels}\n{inside}\n}}"

    values = _motion(frames, 3 + 3 * len(joints))
    values[:, :3] = [10, 90, -20]
    values[0, 3:] = 0
    rows = "\n".join(" ".join(f"{x:.5f}" for x in row) for row in values)
    return f"HIERARCHY\n{block('hip')}\nMOTION\nFrames: {frames}\nFrame Time: 0.016667\n{rows}\n"


def asf_amc_texts(frames: int = 40) -> tuple[str, str]:
    """A skeleton and a motion of CMU's rig; every bone's frame is tilted, as theirs are."""
    joints = _with_sides(CMU_SPINE, CMU_SIDE)
    asf = [":units\nlength 0.45\n:root\norder TX TY TZ RX RY RZ\naxis XYZ\n:bonedata"]
    for i, (name, (_, direction)) in enumerate(joints.items()):
        asf.append(f"begin\nname {name}\ndirection {direction}\nlength {3 + i % 5}")
        asf.append(f"axis {5 * i} 0 20 XYZ\ndof rx ry rz\nend")
    asf += [":hierarchy\nbegin", *(f"{parent} {name}" for name, (parent, _) in joints.items()), "end"]
    amc = [":FULLY-SPECIFIED\n:DEGREES"]
    for i, row in enumerate(_motion(frames, 3 + 3 * len(joints)).reshape(frames, -1, 3)):
        turns = [" ".join(f"{x:.5f}" for x in xyz) for xyz in row]
        amc += [str(i + 1), f"root 16.15 23.2 -8.4 {turns[0]}"]
        amc += [f"{name} {turn}" for name, turn in zip(joints, turns[1:], strict=True)]
    return "\n".join(asf) + "\n", "\n".join(amc) + "\n"


def _with_sides(spine: dict, side: dict) -> dict:
    """The joints of a whole skeleton; the right side mirrors the left."""
    joints = dict(spine)
    for mark, sign in (("l", 1), ("r", -1)):
        for name, (parent, offset) in side.items():
            x, yz = offset.split(" ", 1)
            joints[mark + name] = (mark + parent if parent in side else parent, f"{sign * float(x)} {yz}")
    return joints


def _motion(frames: int, columns: int) -> np.ndarray:
    """Smooth motion of every column, degrees, (frames, columns)."""
    phase, speed = np.random.default_rng(0).uniform(0, 6, (2, columns))
    return 35 * np.sin(phase + speed * np.linspace(0, 2, frames)[:, None])
