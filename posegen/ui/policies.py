"""The policies that the page can show: the one it serves, the shipped ones, and those that training runs made."""

from collections import OrderedDict
from pathlib import Path

from ..policy import PolicyError, PosePolicy, find_folder

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "runs"
SHIPPED = {"assets/policy": "the shipped default", "assets/stage1": "before reinforcement"}
KEPT = 2  # policies in memory beside the one that the page serves


class Policies:
    """Policy folders by name, loaded when they are first asked for.

    Args:
        served: the policy that the page serves.
        path: what it was loaded from; the embedded default if None.
        runs: folder whose NAME/policy folders are listed.
    """

    def __init__(self, served: PosePolicy, path=None, runs: Path = RUNS):
        self.served, self.runs = served, runs
        self.own = find_folder(path).resolve()
        self._loaded = OrderedDict()  # (name, when written) -> policy, the one used last at the end

    def folders(self) -> dict[str, Path]:
        """name -> folder: the shipped ones, the page's own, then those of runs, the newest first."""
        found = {name: ROOT / name for name in SHIPPED}
        if self.own not in found.values():
            found[self.own.name] = self.own
        made = [config.parent for config in self.runs.glob("*/policy/config.json")]
        made.sort(key=lambda folder: -written(folder))
        found |= {f"runs/{folder.parent.name}": folder for folder in made if folder.resolve() != self.own}
        return {name: folder for name, folder in found.items() if folder.is_dir()}

    def choices(self) -> list[tuple[str, str]]:
        """(label, name) of each, for a gr.Dropdown."""
        marks = SHIPPED | {name: "this page's" for name, folder in self.folders().items() if folder == self.own}
        marks["assets/policy"] = SHIPPED["assets/policy"]
        return [(f"{name} ({marks[name]})" if name in marks else name, name) for name in self.folders()]

    def folder(self, name: str) -> Path:
        """The folder of a name.

        Raises:
            PolicyError: it is not in the list; no other folder can be reached through a name.
        """
        folders = self.folders()
        if name not in folders:
            raise PolicyError(f"There is no policy {name!r} any more; refresh the list and choose another.")
        return folders[name]

    def name_of(self, folder) -> str:
        """The name of a folder. Raises PolicyError if it is not listed."""
        names = [name for name, listed in self.folders().items() if listed.resolve() == Path(folder).resolve()]
        if not names:
            raise PolicyError(f"The policy {Path(folder).name} that this began from is not there any more.")
        return names[0]

    def load(self, name: str) -> PosePolicy:
        """The policy of a name, on the page's body. Raises PolicyError if it is not listed or cannot be used."""
        folder = self.folder(name)
        if folder.resolve() == self.own:
            return self.served
        key = name, written(folder)
        if key not in self._loaded:
            while len(self._loaded) >= KEPT:  # before loading, so that there are never more
                self._loaded.popitem(last=False)
            self._loaded[key] = PosePolicy.from_pretrained(folder)
            self._loaded[key].body = self.served.body
        self._loaded.move_to_end(key)
        return self._loaded[key]


def written(folder: Path) -> int:
    """When a policy folder was last written, nanoseconds; its config.json is written last."""
    return (folder / "config.json").stat().st_mtime_ns
