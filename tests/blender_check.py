"""What Blender makes of a GLB and a BVH; run by test_export_blender.py inside Blender:

blender -b --factory-startup --python-exit-code 1 -P tests/blender_check.py -- POSE.glb POSE.bvh REPORT.json
"""

import json
import sys
from math import radians

import bpy
import numpy as np
from io_anim_bvh import import_bvh
from mathutils import Quaternion

# Debian 12 pairs Blender 3.4 with a NumPy and a Python that lack a name and a file mode which its importers use.
np.bool = bool
import_bvh.open = lambda path, mode: open(path, mode.replace("U", ""))  # noqa: SIM115 (the importer closes it)

glb, bvh, report = sys.argv[sys.argv.index("--") + 1 :]


def fresh_scene():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def only(kind):
    (thing,) = [thing for thing in bpy.data.objects if thing.type == kind]
    return thing


def heads(armature):
    """World positions of the posed bones' heads, by name."""
    bpy.context.view_layer.update()
    return {bone.name: list(armature.matrix_world @ bone.head) for bone in armature.pose.bones}


def surface(mesh):
    """World positions of the mesh's vertices as Blender shows them."""
    bpy.context.view_layer.update()
    shown = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return [list(mesh.matrix_world @ vertex.co) for vertex in shown.to_mesh().vertices]


def turn(armature, name, degrees=90):
    """Turn a bone further about its own X axis."""
    bone = armature.pose.bones[name]
    bone.rotation_mode = "QUATERNION"
    bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((1, 0, 0), radians(degrees))


fresh_scene()
bpy.ops.import_scene.gltf(filepath=glb)
armature = only("ARMATURE")
(mesh,) = [thing for thing in bpy.data.objects if thing.find_armature() == armature]
said = {"version": bpy.app.version_string, "glb": {"heads": heads(armature), "surface": surface(mesh)}}
said["glb"]["shape_keys"] = [key.name for key in mesh.data.shape_keys.key_blocks]
turn(armature, "left_elbow")
said["glb"]["surface_after_turn"] = surface(mesh)

fresh_scene()
bpy.ops.import_anim.bvh(filepath=bvh, global_scale=0.01)
bpy.context.scene.frame_set(1)
said["bvh"] = {"heads": heads(only("ARMATURE"))}

with open(report, "w") as file:
    json.dump(said, file)
