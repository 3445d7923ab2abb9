"""The page: one file a tab. Importing this package loads neither Gradio nor the policy."""

import os
import tempfile
from contextlib import suppress
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


def build(policy, root: Path):
    """The page as gr.Blocks; answers' files go to folders under `root`."""
    import gradio as gr

    from ..render import Renderer
    from .photo import PhotoTab
    from .words import WordsTab

    renderer = Renderer(policy.body)
    # Files of answers that nobody looks at any more: looked for every ten minutes, deleted after an hour.
    with gr.Blocks(title="Pose-RFT", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(INTRO, elem_id="title")
        with gr.Tab("Words to poses"):
            WordsTab(policy, renderer, root)
        with gr.Tab("Photo to poses"):
            PhotoTab(policy, renderer, root)
        gr.Markdown(FOOTER, elem_id="footer")
    return page.queue(max_size=24)


def launch(policy, root: Path, **options) -> str:
    """Open the page with all its files under `root`; gives its address. Options are those of gr.Blocks.launch."""
    from ..photo import MAX_FILE_BYTES
    from .theme import CSS, theme

    os.environ["GRADIO_TEMP_DIR"] = str(root / "cache")
    answers = root / "answers"
    answers.mkdir()
    look = {"theme": theme(), "css": CSS, "footer_links": ["api"], "ssr_mode": False}
    return build(policy, answers).launch(max_file_size=MAX_FILE_BYTES, **look, **options)[1]


def serve(policy, host: str = "127.0.0.1", port: int | None = None, share: bool = False) -> None:
    """Serve the page until interrupted. All its files live in one temporary folder that is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="posegen-") as root:
        launch(policy, Path(root), server_name=host, server_port=port, share=share)
