"""Photo -> people: the picture guards, BlazePose on real photos, and the features."""

import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posegen import photo, weights
from posegen.photo import PhotoError, find_people, landmark_features, load_photo, mirror_landmarks

DATA = Path(os.environ.get("POSE_DATA", Path(__file__).parents[1] / "../shared/data"))
BLAZEPOSE = next(row["present"] for row in weights.status() if row["name"] == "blazepose")
needs_blazepose = pytest.mark.skipif(not BLAZEPOSE, reason="no BlazePose yet; run `python -m posegen.weights`")


def picture(width=120, height=80):
    """RGB with a red left half and a blue right half."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 2] = 255
    return Image.fromarray(pixels)


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def real(name):
    file = DATA / "photos" / name
    if not file.is_file():
        pytest.skip("the sample photos are not here; set POSE_DATA")
    return load_photo(file)


def is_red_then_blue(image):
    values = np.asarray(image, int)
    assert image.mode == "RGB"
    left, right = values[:, : image.width // 2 - 4].mean((0, 1)), values[:, image.width // 2 + 4 :].mean((0, 1))
    return left[0] > 180 > 90 > left[2] and right[2] > 180 > 90 > right[0]


# --- loading


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "P", "RGBA"])
def test_modes_become_rgb(mode):
    kind = "JPEG" if mode == "CMYK" else "TIFF" if mode == "P" else "PNG"
    assert is_red_then_blue(load_photo(encoded(picture().convert(mode), kind)))


def test_grey_and_16_bit():
    ramp = np.tile(np.linspace(0, 255, 100), (60, 1))
    for image in (
        Image.fromarray(ramp.astype(np.uint8)),
        Image.fromarray((ramp * 257).astype(np.uint16)),
        Image.fromarray((ramp * 257).astype(np.int32)),
        Image.fromarray((ramp / 255).astype(np.float32)),
    ):
        kind = "TIFF" if image.mode in ("F", "I") else "PNG"
        loaded = load_photo(encoded(image, kind))
        assert loaded.mode == "RGB" and np.abs(np.asarray(loaded)[..., 1] - ramp).max() < 2


def test_alpha_is_laid_on_white():
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    assert load_photo(encoded(clear, "PNG")).getpixel((5, 5)) == (255, 255, 255)
    grey = Image.new("LA", (64, 64), (0, 128))
    assert 120 < load_photo(encoded(grey, "PNG")).getpixel((5, 5))[0] < 135


def test_exif_rotation_is_applied():
    turned = picture().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me clockwise to view me"
    loaded = load_photo(encoded(turned, "JPEG", exif=exif, quality=95))
    assert loaded.size == (120, 80) and is_red_then_blue(loaded)


def test_animation_gives_its_first_frame():
    frames = [picture(), Image.new("RGB", (120, 80), "lime")]
    loaded = load_photo(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert is_red_then_blue(loaded)


def test_huge_photo_is_reduced():
    blank = Image.new("RGB", (8660, 5774), "navy")  # 50 megapixels
    loaded = load_photo(encoded(blank, "JPEG"))
    assert max(loaded.size) == photo.MAX_SIDE and abs(loaded.width / loaded.height - 1.5) < 0.01


def test_a_callers_picture_is_left_alone():
    mine = Image.new("RGB", (3000, 100))
    assert load_photo(mine).width == photo.MAX_SIDE and mine.size == (3000, 100)


def test_far_too_large_is_refused():
    """Refused by its header: a bomb of 100 or 400 megapixels of nothing is never decoded."""
    for side in (10_000, 20_000):
        bomb = encoded(Image.new("1", (side, side)), "PNG")
        with warnings.catch_warnings(), pytest.raises(PhotoError, match="megapixels"):
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            load_photo(bomb)
    with pytest.raises(PhotoError, match="MiB"):
        load_photo(b"\xff\xd8" + bytes(photo.MAX_FILE_BYTES))


def test_damaged_and_foreign_files(tmp_path):
    whole = encoded(Image.effect_noise((300, 300), 60).convert("RGB"), "JPEG")
    with pytest.raises(PhotoError, match="cut short"):
        load_photo(whole[: len(whole) // 2])
    png = bytearray(encoded(Image.effect_noise((300, 300), 60), "PNG"))
    png[2000:2100] = bytes(100)
    with pytest.raises(PhotoError, match="damaged|cut short"):
        load_photo(bytes(png))
    text = tmp_path / "holiday.jpg"
    text.write_text("Dear diary")
    with pytest.raises(PhotoError, match="holiday.jpg is not a picture"):
        load_photo(text)
    with pytest.raises(PhotoError, match="no photo file missing.png"):
        load_photo(tmp_path / "missing.png")
    with pytest.raises(PhotoError, match="not a picture"):
        load_photo(b"")
    with pytest.raises(PhotoError, match="not a picture"):
        load_photo(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n")


def test_one_pixel_is_refused():
    with pytest.raises(PhotoError, match="1 x 1 pixels"):
        load_photo(Image.new("RGB", (1, 1)))


# --- people


@needs_blazepose
def test_nobody():
    for empty in (Image.new("RGB", (300, 200), "grey"), Image.effect_noise((400, 300), 60).convert("RGB")):
        assert find_people(empty) == []


@needs_blazepose
@pytest.mark.parametrize("name, at_least", [("golf_arms_raised", 1), ("lunge_barbell", 1), ("tennis_four_standing", 4)])
def test_real_photos(name, at_least):
    image = real(f"{name}.jpg")
    people = find_people(image)
    assert len(people) >= at_least
    assert [p.size for p in people] == sorted((p.size for p in people), reverse=True)
    for p in people:
        assert 0 <= p.box[0] < p.box[2] <= image.width and 0 <= p.box[1] < p.box[3] <= image.height
        assert p.landmarks_2d.shape == (33, 2) and p.landmarks_world.shape == (33, 3) and p.visibility.shape == (33,)
    again = find_people(image)
    assert all(np.array_equal(a.landmarks_2d, b.landmarks_2d) for a, b in zip(people, again, strict=True))


@needs_blazepose
def test_world_frame_is_y_up_towards_the_camera():
    """The golfer faces us with both arms up: hands above the head, left hand at our right, nose before the ears."""
    golfer = find_people(real("golf_arms_raised.jpg"))[0].landmarks_world
    hips = golfer[23:25].mean(0)
    assert np.abs(hips).max() < 0.02
    assert golfer[0, 1] > 0.4 and golfer[15:17, 1].min() > golfer[11:13, 1].max() and golfer[27:29, 1].max() < -0.5
    assert golfer[15, 0] > 0.1 > -0.1 > golfer[16, 0]
    assert golfer[0, 2] > golfer[7:9, 2].mean()


@needs_blazepose
def test_small_person_is_found_through_tiles():
    """The lunge at a sixth of a large frame: one plain call misses it, the tiles find it, and nobody else."""
    small = real("lunge_barbell.jpg").resize((240, 360))
    large = Image.new("RGB", (1600, 1200), (120, 140, 130))
    large.paste(small, (1000, 600))
    (person,) = find_people(large)
    x, y = (person.box[0] + person.box[2]) / 2, (person.box[1] + person.box[3]) / 2
    assert abs(x - (1000 + 240 * 0.62)) < 25 and abs(y - (600 + 360 * 0.71)) < 25


@needs_blazepose
def test_mirrored_photo_gives_mirrored_people():
    image = real("lunge_barbell.jpg")
    one = find_people(image)[0]
    two = find_people(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))[0]
    pixels, world, seen = mirror_landmarks(two.landmarks_2d, two.landmarks_world, two.visibility, image.size)
    assert np.linalg.norm(pixels - one.landmarks_2d, axis=1).mean() < 0.02 * one.size
    assert np.linalg.norm(world - one.landmarks_world, axis=1).mean() < 0.03


# --- features


def landmarks(rng, *shape):
    return rng.uniform(50, 400, (*shape, 33, 2)), rng.normal(0, 0.4, (*shape, 33, 3)), rng.random((*shape, 33))


def test_features_ignore_scale_and_place_but_say_them():
    rng = np.random.default_rng(0)
    pixels, world, seen = landmarks(rng)
    one = landmark_features(pixels, world, seen, (500, 400))
    assert one.shape == (201,) and one.dtype == np.float32
    two = landmark_features(pixels * 0.5 + 100, world + 3.0, seen, (500, 400))
    np.testing.assert_allclose(one[:198], two[:198], atol=1e-4)
    assert two[200] == pytest.approx(one[200] / 2, rel=1e-3) and two[198] != one[198]
    assert one[99 + 1] == pytest.approx(-(pixels[0, 1] - pixels[23:25, 1].mean()) / (one[200] * 500), rel=1e-3)


def test_features_are_vectorised():
    rng = np.random.default_rng(1)
    pixels, world, seen = landmarks(rng, 5)
    frames = rng.integers(300, 600, (5, 2))
    many = landmark_features(pixels, world, seen, frames)
    for i in range(5):
        np.testing.assert_allclose(many[i], landmark_features(pixels[i], world[i], seen[i], frames[i]), atol=1e-5)


def test_mirror_twice_is_nothing():
    rng = np.random.default_rng(2)
    given = landmarks(rng, 3)
    once = mirror_landmarks(*given, (640, 480))
    for a, b in zip(given, mirror_landmarks(*once, (640, 480)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert once[0][0, 12, 0] == pytest.approx(640 - given[0][0, 11, 0], abs=1e-3)
    assert {photo.LANDMARKS[i].replace("left", "right") for i in range(1, 33) if "left" in photo.LANDMARKS[i]} == {
        photo.LANDMARKS[photo.LANDMARK_MIRROR[i]] for i in range(1, 33) if "left" in photo.LANDMARKS[i]
    }
