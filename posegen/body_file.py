"""Read an SMPL, SMPL-H or SMPL-X file, .npz or .pkl, without running any code that it may carry."""

import codecs
import copyreg
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np

from .skeleton import PARENTS

MAX_FILE_BYTES = 2**30  # SMPL-X with all its 400 shape directions is 0.8 GiB
KEYS = ("v_template", "f", "J_regressor", "weights", "kintree_table", "shapedirs", "posedirs")
HANDS = ("hands_meanl", "hands_meanr")  # the relaxed hand of SMPL-H and SMPL-X
JOINT_COUNTS = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"}


class BodyError(ValueError):
    """A body file that cannot be used; the message says why and what to do."""


def read_body(path: Path) -> dict[str, np.ndarray]:
    """The checked arrays of a body file under SMPL's own names (`KEYS`, and `HANDS` where present).

    Raises:
        BodyError: the file is missing, a folder, too large, damaged, of another kind, or asks to run code.
    """
    if path.is_dir():
        raise BodyError(f"{path.name} is a folder; give the body file inside it, such as SMPL_NEUTRAL.pkl.")
    if not path.is_file():
        raise BodyError(f"There is no body file {path.name}; check the path or leave it out for the embedded body.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BodyError(
            f"{path.name} is larger than {MAX_FILE_BYTES >> 30} GiB, so it is no SMPL body; check the path."
        )
    read = {".npz": _read_npz, ".pkl": _read_pkl}.get(path.suffix.lower())
    if read is None:
        raise BodyError(f"{path.name} is neither .npz nor .pkl; give an SMPL, SMPL-H or SMPL-X neutral file.")
    try:
        data = read(path)
        _check(data)
    except BodyError as error:
        raise BodyError(f"{path.name} cannot be used as a body: {error}") from None
    except Exception as error:  # damaged files raise nearly anything
        raise BodyError(
            f"{path.name} is not a readable {path.suffix} of number arrays ({type(error).__name__}); "
            "download it again or give another SMPL, SMPL-H or SMPL-X neutral file."
        ) from None
    return data


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > 4 * MAX_FILE_BYTES:
            raise BodyError("it unpacks to more than 4 GiB; give an SMPL, SMPL-H or SMPL-X neutral file.")
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in KEYS + HANDS if key in file}


def _read_pkl(path: Path) -> dict[str, np.ndarray]:
    data = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    return {key: _plain(data[key]) for key in KEYS + HANDS if key in data}


class _Stub:
    """Stands in for a foreign class while unpickling: keeps the state and runs nothing."""

    def __init__(self, *args):
        pass

    def __setstate__(self, state):
        self.state = state


class _Csc(_Stub):
    def array(self):
        import scipy.sparse

        s = self.state
        return scipy.sparse.csc_matrix((s["data"], s["indices"], s["indptr"]), s["_shape"]).toarray()


class _Csr(_Stub):
    def array(self):
        import scipy.sparse

        s = self.state
        return scipy.sparse.csr_matrix((s["data"], s["indices"], s["indptr"]), s["_shape"]).toarray()


class _Chumpy(_Stub):
    def array(self):
        return _plain(self.state["x"])


class _ChumpySelect(_Stub):
    def array(self):
        return _plain(self.state["a"]).ravel()[_plain(self.state["idxs"])].reshape(self.state["preferred_shape"])


def _plain(value):
    return value.array() if isinstance(value, _Stub) else value


_KNOWN = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("copyreg", "_reconstructor"): copyreg._reconstructor,
    ("builtins", "object"): object,
    ("_codecs", "encode"): codecs.encode,  # how protocol 2 writes bytes
    ("chumpy.ch", "Ch"): _Chumpy,
    ("chumpy.reordering", "Select"): _ChumpySelect,
}
_KNOWN |= {("copy_reg", "_reconstructor"): copyreg._reconstructor, ("__builtin__", "object"): object}  # Python 2
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _KNOWN[_module, "_reconstruct"] = np.zeros(0).__reduce__()[0]
    _KNOWN[_module, "scalar"] = np.float64(0).__reduce__()[0]
for _name, _stub in (("csc", _Csc), ("csr", _Csr)):  # SciPy before and after 1.8
    _KNOWN[f"scipy.sparse.{_name}", f"{_name}_matrix"] = _KNOWN[f"scipy.sparse._{_name}", f"{_name}_matrix"] = _stub


class _Unpickler(pickle.Unpickler):
    """Knows numpy, scipy sparse and chumpy arrays; refuses every other class or function."""

    def find_class(self, module, name):
        if (module, name) not in _KNOWN:
            raise BodyError(f"it asks for {module}.{name}, which no body needs; save its arrays as .npz instead.")
        return _KNOWN[module, name]


def _check(data: dict[str, np.ndarray]) -> None:
    missing = [key for key in KEYS if key not in data]
    if missing:
        raise BodyError(f"it lacks {', '.join(missing)}; give an SMPL, SMPL-H or SMPL-X neutral file.")
    bad = [key for key in data if not isinstance(data[key], np.ndarray) or data[key].dtype.kind not in "fiu"]
    if bad:
        raise BodyError(f"its {', '.join(bad)} are not arrays of numbers; save it again with plain numpy arrays.")
    count, joints = len(data["v_template"]), len(data["J_regressor"])
    if joints not in JOINT_COUNTS:
        raise BodyError(f"it has {joints} joints; SMPL has 24, SMPL-H 52 and SMPL-X 55, so give one of those.")
    shapes = {
        "v_template": (count, 3), "f": (len(data["f"]), 3), "J_regressor": (joints, count), "weights": (count, joints),
        "kintree_table": (2, joints), "posedirs": (count, 3, 9 * (joints - 1)),
        "shapedirs": (count, 3, data["shapedirs"].shape[-1]),
    }  # fmt: skip
    wrong = [key for key, shape in shapes.items() if data[key].shape != shape]
    if wrong or data["f"].min() < 0 or data["f"].max() >= count:
        raise BodyError(f"the sizes of its {', '.join(wrong) or 'f'} do not fit the rest; download the file again.")
    if not all(np.isfinite(data[key]).all() for key in data):
        raise BodyError("it holds NaN or infinite numbers; download the file again.")
    parents = data["kintree_table"][0].astype(np.int64)[1:]
    if (parents < 0).any() or (parents >= np.arange(1, joints)).any() or tuple(parents[:21]) != PARENTS[1:22]:
        raise BodyError("its joints are not in SMPL's order; give an SMPL, SMPL-H or SMPL-X neutral file.")
