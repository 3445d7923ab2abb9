"""The command line: python -m posegen text|image|describe|edit|render|export|doctor."""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the weights lie on disk; no hub is asked
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # stderr is for one sentence
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
# A second thread gains nothing at this model's size, and on busy cores the two wait for each other ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

MAX_SAMPLES = 64
FORMATS = (
    "glb",
    "bvh",
    "obj",
    "npz",
    "cutout.png",
    "openpose.png",
    "openpose.json",
)  # export.FORMATS, which is slow to import


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """One sentence instead of the usage text, which --help prints."""
        self.exit(2, f"{message[:1].upper()}{message[1:]}; see `{self.prog} --help`.\n")


def parser() -> argparse.ArgumentParser:
    files = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    files.add_argument("--policy", metavar="DIR", help="a trained policy's folder instead of the embedded one")
    files.add_argument("--body", metavar="FILE", help="your own neutral SMPL, SMPL-H or SMPL-X file")
    sampling = argparse.ArgumentParser(add_help=False)
    sampling.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    samples = number(int, 1, MAX_SAMPLES)
    sampling.add_argument("--samples", type=samples, default=1, metavar="N", help="poses to draw (1)")
    seed = number(int, 0, 2**31 - 1)
    sampling.add_argument("--seed", type=seed, default=0, metavar="N", help="same seed, same poses (0)")
    more = "files of each pose besides npz, glb and png, with commas between: " + ", ".join(FORMATS)
    sampling.add_argument("--formats", type=formats, default=(), metavar="LIST", help=more)

    main = Parser(prog="python -m posegen", description=__doc__, parents=[files])
    commands = main.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(name, run, help, parents=()):
        sub = commands.add_parser(name, help=help, description=help, parents=[files, *parents])
        sub.set_defaults(run=run)
        return sub

    def temperature(sub, default: float):
        help = f"0 is the likeliest pose, 1 the learnt spread ({default:g})"
        sub.add_argument("--temperature", type=number(float, 0, 5), default=default, metavar="T", help=help)

    text = command("text", run_text, "poses from a description in English", [sampling])
    text.add_argument("prompt")
    temperature(text, 1.0)
    image = command("image", run_image, "the pose of every person in a photo", [sampling])
    image.add_argument("photo", type=Path)
    temperature(image, 0.0)
    describe = command("describe", run_describe, "say in English what a pose file shows")
    describe.add_argument("file", type=Path)
    edit = command("edit", run_edit, "change a pose file (npz or BVH) in words, one instruction after the other")
    edit.add_argument("file", type=Path)
    edit.add_argument("instructions", nargs="+", metavar="INSTRUCTION", help='e.g. "raise the left arm" "a bit more"')
    edit.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the pose after each")
    render = command("render", run_render, "a picture of a pose file")
    render.add_argument("file", type=Path)
    render.add_argument("--out", type=Path, required=True, metavar="PNG")
    render.add_argument("--turntable", type=Path, metavar="GIF", help="also an animation that goes once around")
    render.add_argument("--azimuth", type=number(float, -360, 360), default=25.0, help="camera around, degrees (25)")
    render.add_argument("--elevation", type=number(float, -90, 90), default=8.0, help="camera above, degrees (8)")
    render.add_argument("--size", type=number(int, 64, 2048), default=768, help="pixels a side (768)")
    export = command("export", run_export, "a pose file in other formats, beside it unless --out says where")
    export.add_argument("file", type=Path)
    export.add_argument("--formats", type=formats, required=True, metavar="LIST", help=", ".join(FORMATS))
    export.add_argument("--out", type=Path, metavar="DIR", help="folder for the files")
    command("doctor", run_doctor, "say what is missing on this machine and how to mend it")
    return main


def number(kind, low, high):
    """An argparse type: a number of `kind` between low and high."""

    def read(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    read.__name__ = "number"
    return read


def formats(text):
    """An argparse type: some of FORMATS with commas between."""
    asked = [name.strip() for name in text.split(",")]
    for name in asked:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"{name or 'nothing'} is none of {', '.join(FORMATS)}")
    return asked


def load_policy(args):
    from . import PosePolicy

    return PosePolicy.from_pretrained(getattr(args, "policy", None), getattr(args, "body", None))


def run_text(args) -> None:
    from .policy import check_prompt
    from .render import Renderer
    from .ui import results

    check_prompt(args.prompt)  # before the seconds that loading takes
    policy = load_policy(args)
    samples = policy.text_to_pose(args.prompt, args.samples, args.temperature, args.seed)
    renderer = Renderer(policy.body)
    with results.staged(args.out) as folder:
        entries = [results.write_sample(s, renderer, folder, f"{i:03d}", args.formats) for i, s in enumerate(samples)]
        asked = {"prompt": args.prompt, "temperature": args.temperature, "seed": args.seed}
        results.write_json(folder, {**asked, "samples": entries})
    print(f"{len(samples)} poses in {args.out}; {samples[0].text}")


def run_image(args) -> None:
    from .photo import load_photo
    from .render import Renderer
    from .ui import results

    photo = load_photo(args.photo)
    policy = load_policy(args)
    people = policy.image_to_pose(photo, args.samples, args.temperature, args.seed)
    renderer = Renderer(policy.body)
    with results.staged(args.out) as folder:
        entries, count = [], 0
        for person in people:
            samples = []
            for sample in person.samples:
                stem = f"{count:03d}"
                samples.append(results.write_sample(sample, renderer, folder, stem, args.formats, photo.size))
                count += 1
            entries.append({"box": [round(float(v), 1) for v in person.box], "samples": samples})
        results.draw_people(photo, people, renderer).save(folder / "overlay.png")
        asked = {"photo": args.photo.name, "size": list(photo.size), "temperature": args.temperature, "seed": args.seed}
        results.write_json(folder, {**asked, "overlay": "overlay.png", "people": entries})
    print(f"{len(people)} {'person' if len(people) == 1 else 'people'} in {args.out}")


def run_describe(args) -> None:
    from .pose import Pose

    pose = Pose.load(args.file)
    print(load_policy(args).describe(pose))


def run_edit(args) -> None:
    from .pose_file import load_pose
    from .render import Renderer
    from .ui import results

    pose, previous, samples = load_pose(args.file), "", []
    policy = load_policy(args)
    for instruction in args.instructions:
        (sample,) = policy.edit(pose, instruction, previous)
        pose, previous = sample.pose, instruction
        samples.append(sample)
    renderer = Renderer(policy.body)
    with results.staged(args.out) as folder:
        entries = [results.write_sample(s, renderer, folder, f"{i:03d}") for i, s in enumerate(samples)]
        asked = {"file": args.file.name, "instructions": args.instructions}
        results.write_json(folder, {**asked, "samples": entries})
    print(f"{len(samples)} poses in {args.out}; {samples[-1].text}")


def run_render(args) -> None:
    from .body import BodyModel
    from .pose import Pose
    from .render import Renderer, save_animation

    pose = Pose.load(args.file)
    renderer = Renderer(BodyModel.load(getattr(args, "body", None)))
    picture = renderer.still(pose, args.size, args.azimuth, args.elevation)
    frames = renderer.turntable(pose, elevation=args.elevation) if args.turntable else None
    args.out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(args.out)
    if frames:
        args.turntable.parent.mkdir(parents=True, exist_ok=True)
        save_animation(frames, args.turntable)


def run_export(args) -> None:
    from .body import BodyModel
    from .export import FORMATS as writers
    from .export import Figure
    from .pose import Pose, PoseError
    from .render import Renderer
    from .ui import results

    pose, out = Pose.load(args.file), args.out or args.file.parent
    if "npz" in args.formats and (out / f"{args.file.stem}.npz").resolve() == args.file.resolve():
        raise PoseError(f"npz would replace {args.file.name} itself, of which it keeps one frame; name another --out.")
    renderer = Renderer(BodyModel.load(getattr(args, "body", None)))
    shot = renderer.shot(pose, results.PICTURE_SIZE, results.AZIMUTH, results.ELEVATION)
    with results.staged(out) as folder:
        for suffix in args.formats:
            writers[suffix].write(Figure(pose, renderer, shot), folder / f"{args.file.stem}.{suffix}")


def run_doctor(args) -> int:
    from . import doctor

    return doctor.main()


def main(argv=None) -> int:
    """Run one command; exit code 0, or 2 with one sentence on stderr."""
    args = parser().parse_args(argv)
    try:
        return args.run(args) or 0
    except Exception as error:
        from .ui.results import sentence_of

        sentence = sentence_of(error)
        if not sentence:
            raise
        print(sentence, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
