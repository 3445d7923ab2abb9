"""Colours and css of the page: readable light and dark, from 390 pixels up. No font or script comes from outside."""

CSS = """
.gradio-container { max-width: 1320px !important; margin: 0 auto !important; }
#title h1 { font-size: 1.7rem; margin: 0.3rem 0 0.1rem; }
#title p { color: var(--body-text-color-subdued); margin: 0; }
#title, #footer { padding: 0 2px; }
#footer p { color: var(--body-text-color-subdued); font-size: 0.85rem; }

.notice { padding: 0 !important; border: none !important; }
.notice p { margin: 0; padding: 0.65rem 0.9rem; border-radius: 8px; border-left: 4px solid #d97706;
            background: #fff7e6; color: #5f3b00; font-size: 0.98rem; }
.dark .notice p { background: #3a2a0c; color: #ffe2ad; }

.poses .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important;
                    overflow: visible !important; padding: 0; }
.poses .grid-container { grid-template-rows: none !important; padding: 0 !important; }
.poses { padding: 8px !important; }
.poses .thumbnail-item.selected { outline: 3px solid var(--color-accent); outline-offset: -1px; }
.understood { padding: 2px 0; }
.understood h3 { margin: 0 0 0.35rem; font-size: 0.9rem; font-weight: 600; color: var(--block-title-text-color); }
.understood ul { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 6px; }
.understood li { margin: 0; padding: 3px 10px; border-radius: 999px; font-size: 0.9rem; line-height: 1.4; }
.understood .yes { background: #e2f4e8; color: #14532d; }
.understood .no { background: #fde8e8; color: #7f1d1d; }
.dark .understood .yes { background: #12351f; color: #b6f0c8; }
.dark .understood .no { background: #431517; color: #ffc9c9; }
.understood:not(:has(h3)):not(:has(.legend)) { display: none; }
.understood p { margin: 0; color: var(--body-text-color-subdued); font-size: 0.9rem; }
.understood h3:not(:first-child) { margin-top: 0.8rem; }
.understood table, .understood tr { border: none !important; }
.understood table { width: 100%; border-collapse: collapse; font-size: 0.9rem; color: var(--body-text-color); }
.understood th { font-weight: 400; text-align: left; padding: 2px 8px 2px 0; border: none; }
.understood td { padding: 2px 0 2px 8px; border: none; text-align: right; font-variant-numeric: tabular-nums; }
.understood meter { width: 100%; min-width: 64px; max-width: 140px; height: 0.8rem; vertical-align: middle; }
.legend { display: flex; align-items: center; gap: 10px; flex-wrap: wrap; font-size: 0.9rem; margin-bottom: 4px;
          color: var(--body-text-color); }
.legend .bar { flex: 1 1 120px; max-width: 260px; height: 14px; border-radius: 7px;
               border: 1px solid var(--border-color-primary); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.poses .caption-label { max-width: calc(100% - 12px); font-size: 0.78rem; }
.tools { align-items: center; }
.buttons button { white-space: nowrap; padding-left: 8px; padding-right: 8px; font-size: 1rem; }

button:focus-visible, a:focus-visible, summary:focus-visible, input:focus-visible, textarea:focus-visible,
canvas:focus-visible {
  outline: 3px solid var(--color-accent) !important; outline-offset: 2px !important;
}

.downloads { gap: 8px; }

@media (max-width: 640px) {
  .tab-container > button { padding: 0 6px !important; font-size: 0.9rem !important; }  /* all five side by side */
  #overlay, #overlay .image-container, #photo { height: auto !important; }
  .gradio-container main { padding: 8px !important; }
  .poses .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }
  /* On a phone the poses follow the button; examples and settings come after them. */
  .two { flex-direction: column; }
  .two > .ask { display: contents !important; }
  .two > .ask > * { order: 0; }
  .two > .shown { order: 1; width: 100%; }
  .two > .ask > .settings, .two > .ask > .examples { order: 2; }
  #title h1 { font-size: 1.35rem; }
}
"""


def theme():
    """The Gradio theme: system fonts, one blue."""
    import gradio as gr

    sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
    base = gr.themes.Default(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        font=sans,
        font_mono=mono,
        radius_size=gr.themes.sizes.radius_lg,
    )
    # The default grey for hints is too pale to read on white.
    return base.set(body_text_color_subdued="*neutral_500", block_info_text_color="*neutral_500")
