"""The page: one file a tab. Importing this package loads neither Gradio nor the policy."""

import os
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

INTRO = """# Pose-RFT
Describe a pose, or drop a photo of people, and get 3D bodies that you can turn, compare and download."""
FOOTER = (
    "A sentence encoder reads your English, a pose head turns what it understood into poses, and a 135M-parameter "
    "language model in 4 bits writes the answer. They know limbs, directions, bends, postures and thousands of named "
    "poses. GLB opens in Blender (skeleton and skin weights inside); NPZ holds SMPL parameters (poses, betas, trans)."
)


def preload() -> None:
    """Import what the page will need; in a thread beside the loading of the weights it saves three seconds of start."""
    with suppress(ImportError):  # whoever needs what is missing says so
        import gradio  # noqa: F401
        import mediapipe.tasks.python.vision  # noqa: F401


def build(policy, root: Path, path=None, tune=False, judge=None):
    """The page as gr.Blocks; answers' files go to folders under `root`.

    Args:
        path: where the policy was loaded from; the embedded default if None.
        tune: whether it has the tab that trains.
        judge: rewards that rank and explain poses, see PosePolicy.text_to_pose; the page does without.
    """
    import gradio as gr

    from ..render import Renderer
    from .api import add_api
    from .compare import CompareTab
    from .edit import EditTab
    from .photo import PhotoTab
    from .policies import Policies
    from .words import WordsTab

    renderer, policies = Renderer(policy.body), Policies(policy, path)
    # Files of answers that nobody looks at any more: looked for every ten minutes, deleted after an hour.
    with gr.Blocks(title="Pose-RFT", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(INTRO, elem_id="title")
        with gr.Tab("Words"):
            WordsTab(policy, renderer, root, judge)
        with gr.Tab("Photo"):
            PhotoTab(policy, renderer, root)
        with gr.Tab("Edit"):
            EditTab(policy, renderer, root)
        with gr.Tab("Compare") as tab:
            CompareTab(policies, renderer, root, tab)
        if tune:
            from .training import Training
            from .tune import TuneTab

            with gr.Tab("Fine-tune") as tab:
                TuneTab(policies, Training(), renderer, root, tab)
        gr.Markdown(FOOTER, elem_id="footer")
        add_api(page, policy, renderer)
    return page.queue(max_size=24)


def launch(policy, root: Path, path=None, judge=None, **options) -> str:
    """Open the page with all its files under `root`; gives its address. Options are those of gr.Blocks.launch."""
    from ..photo import MAX_FILE_BYTES
    from .compare import CSS as COMPARE_CSS
    from .edit import CSS as EDIT_CSS
    from .photo import CSS as PHOTO_CSS
    from .theme import CSS, theme
    from .training import allowed
    from .zero_gpu import use_zero_gpu

    os.environ["GRADIO_TEMP_DIR"] = str(root / "cache")
    answers = root / "answers"
    answers.mkdir()
    css = CSS + PHOTO_CSS + EDIT_CSS + COMPARE_CSS
    look = {"theme": theme(), "css": css, "footer_links": ["api"], "ssr_mode": False}
    page = build(policy, answers, path, allowed(options.get("server_name"), options.get("share", False)), judge)
    use_zero_gpu(policy, path)  # after the first answers: a GPU is lent only once the page is open
    return page.launch(max_file_size=MAX_FILE_BYTES, mcp_server=has_mcp(), **look, **options)[1]


def has_mcp() -> bool:
    """Whether the API can be served to language models as tools; the page does without."""
    found = find_spec("mcp") is not None
    if not found:
        print('MCP tools are off; `pip install "gradio[mcp]"` turns them on.', flush=True)
    return found


def serve(policy, host: str = "127.0.0.1", port: int | None = None, share=False, path=None, judge=None) -> None:
    """Serve the page until interrupted. All its files live in one temporary folder that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="posegen-") as root:
        launch(policy, Path(root), path, judge, server_name=host, server_port=port, share=share)
