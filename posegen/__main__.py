"""The command line: python -m posegen text|image|describe|render|doctor."""

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
    render = command("render", run_render, "a picture of a pose file")
    render.add_argument("file", type=Path)
    render.add_argument("--out", type=Path, required=True, metavar="PNG")
    render.add_argument("--turntable", type=Path, metavar="GIF", help="also an animation that goes once around")
    render.add_argument("--azimuth", type=number(float, -360, 360), default=25.0, help="camera around, degrees (25)")
    render.add_argument("--elevation", type=number(float, -90, 90), default=8.0, help="camera above, degrees (8)")
    render.add_argument("--size", type=number(int, 64, 2048), default=768, help="pixels a side (768)")
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
        entries = [results.write_sample(s, renderer, folder, f"{i:03d}") for i, s in enumerate(samples)]
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
                samples.append(results.write_sample(sample, renderer, folder, f"{count:03d}"))
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
