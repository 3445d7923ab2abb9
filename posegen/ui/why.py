"""Why a pose was given: what was read in the prompt, the rewards, and what the words leave open at each joint."""

import html

import numpy as np

from ..skeleton import JOINTS, MOVING, PARENTS

#: What people call a reward; others go by their own name.
REWARDS = {
    "statements": "Shows what was read, plain to see",
    "semantic": "Fits the words as a whole",
    "plausible": "A body can do it",
}
BACK = {"pelvis": "whole body", "spine1": "lower back", "spine2": "middle back", "spine3": "upper back"}
OPEN = 30.0  # degrees of spread from which on a joint has the last colour
#: sRGB from sure to open; it darkens all the way, so that it also reads in grey.
SCALE = ((0.88, 0.92, 0.97), (0.97, 0.72, 0.33), (0.60, 0.11, 0.10))


def why_html(sample) -> str:
    """All that is known of one sample's why; empty for photos."""
    if sample.camera is not None:
        return ""
    return statements_html(sample) + rewards_html(sample.rewards) + spread_html(sample.spread)


def statements_html(sample) -> str:
    """What was read out of the prompt, each with whether this pose shows it."""
    if not sample.statements:
        return (
            "<h3>Understood</h3><p>Nothing in this prompt was read as being about a pose, so this is a free guess. "
            "Say in English where the arms, legs, torso or head are.</p>"
        )
    items = "".join(
        f'<li class="{"yes" if s.holds else "no"}" title="read with probability {s.probability:.2f}">'
        f'<span aria-hidden="true">{"✓" if s.holds else "✗"}</span>'
        f'<span class="unseen">{"shown:" if s.holds else "not shown:"}</span> {html.escape(s.phrase)}</li>'
        for s in sample.statements
    )
    name = f"<p>As a pose with a name: <b>{html.escape(sample.name)}</b></p>" if sample.name else ""
    return f"<h3>Understood, and whether this pose shows it</h3>{name}<ul>{items}</ul>"


def rewards_html(rewards: dict[str, float]) -> str:
    """Every reward as a bar with its number; empty where nobody judged."""
    if not rewards:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(label := REWARDS.get(name, name))}</th>'
        f'<td><meter min="0" max="1" value="{value:.3f}" aria-label="{html.escape(label)}"></meter></td>'
        f"<td>{value:.2f}</td></tr>"
        for name, value in rewards.items()
    )
    return f"<h3>Rewards, from 0 to 1</h3><table>{rows}</table>"


def spread_html(spread: np.ndarray | None) -> str:
    """The joints that the words leave most open and those that they fix, in degrees; left and right together."""
    if spread is None:
        return ""
    pairs = {}
    for j in MOVING:
        pairs.setdefault(joint_name(j).removeprefix("left ").removeprefix("right "), []).append(float(spread[j]))
    ranked = sorted(((max(values), name) for name, values in pairs.items()), reverse=True)
    told = [f"{name}{'s' if len(pairs[name]) > 1 else ''} ±{value:.0f}°" for value, name in ranked]
    return f"<h3>What the words leave open</h3><p>Most: {', '.join(told[:3])}. Least: {', '.join(told[:-4:-1])}.</p>"


def joint_name(joint: int) -> str:
    """A joint as people say it: "left elbow", "lower back"."""
    return BACK.get(JOINTS[joint], JOINTS[joint].replace("_", " "))


def spread_colors(spread: np.ndarray) -> np.ndarray:
    """(24, 3) sRGB for the spread (24,) in degrees; feet and hands, which are never posed, as what they hang on."""
    shown = [spread[j] if j in MOVING else spread[PARENTS[j]] for j in range(24)]
    steps = np.linspace(0, OPEN, len(SCALE))
    return np.stack([np.interp(shown, steps, channel) for channel in zip(*SCALE, strict=True)], 1).astype(np.float32)


def legend_html() -> str:
    """The colours of `spread_colors` in words and numbers."""
    stops = ", ".join(f"rgb({', '.join(str(round(255 * v)) for v in color)})" for color in SCALE)
    return (
        '<div class="legend"><span>fixed by your words, 0°</span>'
        f'<span class="bar" style="background: linear-gradient(to right, {stops})"></span>'
        f"<span>left open, {OPEN:.0f}° and more</span></div>"
        "<p>How far a joint's rotation varies (root mean square) among the poses that fit your words.</p>"
    )
