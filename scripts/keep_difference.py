"""Write of a policy what another does not hold, too: a small folder that names the other as its base.

    python scripts/keep_difference.py POLICY BASE OUT

So two policies of which one was trained on from the other lie beside each other in little more than the space of one.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file


def main(policy: Path, base: Path, out: Path) -> None:
    mine, other = (load_file(folder / "heads.safetensors") for folder in (policy, base))
    config = json.loads((policy / "config.json").read_text())
    if (policy / "named_poses.json").read_bytes() != (base / "named_poses.json").read_bytes():
        raise SystemExit(f"{policy} knows other named poses than {base}; it cannot be based on it.")
    out.mkdir(parents=True)
    shutil.copytree(policy / "adapter", out / "adapter")
    save_file(
        {name: v for name, v in mine.items() if name not in other or not v.equal(other[name])},
        out / "heads.safetensors",
    )
    (out / "config.json").write_text(json.dumps(config | {"base": os.path.relpath(base, out)}, indent=1))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
