"""The command line: python -m finetune data|sft|hygrpo|evaluate|field."""

import argparse
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

USAGE = """python -m finetune COMMAND
  data --source DIR --out FILE.npz          convert BVH, ASF/AMC and AMASS files to one pose file
  sft --config FILE [--key value ...]       stage 1, supervised; goes on where it stopped
  hygrpo --config FILE [--key value ...]    stage 2, reinforcement; goes on where it stopped
  evaluate --policy DIR --report FILE.json  measure a policy: words, variety, photos [--key value ...]
  field --policy DIR --threedpw DIR ...     measure it on 3DPW, Human3.6M, PoseScript (docs/FIELD.md)"""


def main(arguments: list[str]) -> int:
    command, rest = (arguments[0] if arguments else ""), arguments[1:]
    if command not in ("data", "sft", "hygrpo", "evaluate", "field"):
        print(USAGE, file=sys.stderr if command not in ("-h", "--help") else sys.stdout)
        return 0 if command in ("-h", "--help") else 2
    try:
        return globals()[f"run_{command}"](rest) or 0
    except (ValueError, FileNotFoundError, FloatingPointError) as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 130


def run_data(rest):
    from finetune.data.convert import convert_folder

    parser = argparse.ArgumentParser(prog="python -m finetune data")
    parser.add_argument("--source", required=True, help="folder with .bvh, .amc (+ .asf) and .npz files")
    parser.add_argument("--out", required=True, help="pose file to write")
    arguments = parser.parse_args(rest)
    report = convert_folder(arguments.source, arguments.out, lambda i, n, name: print(f"[{i}/{n}] {name}", flush=True))
    print(f"{report['poses']} poses of {report['clips']} clips in {arguments.out}")
    for _, why in report["skipped"]:
        print(f"Skipped: {why}", file=sys.stderr)


def run_sft(rest):
    from finetune import config, sft

    sft.run(config.load(config.SFTConfig, *config_file(rest)))


def run_hygrpo(rest):
    from finetune import config, trainer

    trainer.run(config.load(config.HyGRPOConfig, *config_file(rest)))


def config_file(rest):
    """The file named by --config, or None, and the other arguments."""
    return (rest[1], rest[2:]) if rest[:1] == ["--config"] and len(rest) > 1 else (None, rest)


def run_evaluate(rest):
    from finetune import config, evaluate

    evaluate.run(config.load(evaluate.EvaluateConfig, None, rest))


def run_field(rest):
    from finetune import config, field

    field.run(config.load(field.FieldConfig, None, rest))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
