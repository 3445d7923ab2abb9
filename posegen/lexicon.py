"""The wordings of statements: data for captions.py, one entry a statement (left and right share one).

A wording has one of three forms:
    "subject | predicate"   "{arm} | stretched forward"    -> "with the left arm stretched forward", "the left arm is ..."
    "> verb rest"           "> stretch {arm} forward"      -> "stretching the left arm forward", "stretch your left arm ..."
    "= predicate"           "= on all fours"               -> "the person is on all fours"
Marks: {arm}, {hand}, {foot}, ... the sided part with its determiner ("the left arm", "both arms"); {p} "the", "their",
"your", ...; {s} and {o} the side and the other side; [one|two] a word for one side or for both; a leading "1:" or "2:"
keeps a wording to one side or to both. The first wording is canonical.
"""

WORDS = {
    # ---- elbows
    "elbow_straight": (
        "{elbow} | straight", "{arm} | straight", "{elbow} | fully extended", "{arm} | extended", "{arm} | fully stretched out",
        "> straighten {arm}", "> keep {arm} straight", "> extend {elbow} fully", "{elbow} | not bent", "{arm} | kept long",
        "> lock {elbow}", "{elbow} | locked",
    ),
    "elbow_slightly_bent": (
        "{elbow} | slightly bent", "{arm} | a little bent", "{elbow} | softly bent", "> bend {elbow} slightly",
        "{arm} | slightly flexed", "{elbow} | bent a bit", "> bend {arm} a little", "{elbow} | loosely bent", "{arm} | almost straight",
    ),
    "elbow_right_angle": (
        "{elbow} | bent at [a right angle|right angles]", "{elbow} | bent about 90 degrees", "{arm} | bent in an L shape",
        "> bend {elbow} to 90 degrees", "{elbow} | at 90 degrees", "> bend {arm} at a right angle", "{arm} | bent 90 degrees",
        "{forearm} | square to the upper arm[|s]", "{elbow} | half bent", "> hold {elbow} at a right angle",
    ),
    "elbow_fully_bent": (
        "{elbow} | fully bent", "{elbow} | sharply bent", "{arm} | folded up tight", "{elbow} | completely bent",
        "> bend {elbow} all the way", "> fold {arm} up", "{elbow} | tightly flexed", "{arm} | bent as far as [it goes|they go]",
        "{forearm} | folded against the upper arm[|s]",
    ),
    # ---- heights and places of hands
    "hand_above_head": (
        "{hand} | above {p} head", "{arm} | raised overhead", "> reach up with {hand}", "{hand} | up in the air",
        "> raise {hand} above {p} head", "> lift {arm} over {p} head", "{hand} | higher than {p} head", "{hand} | high overhead",
        "> put {hand} up", "{hand} | raised high", "{arm} | up", "> raise {hand}", "> hold {hand} up high",
    ),
    "hand_above_shoulder": (
        "{hand} | above the shoulder[|s]", "{hand} | raised", "{hand} | lifted higher than the shoulder[|s]", "{arm} | raised",
        "> lift {hand} above the shoulder[|s]", "> raise {arm}", "{hand} | up", "> hold {hand} up", "{hand} | held above shoulder level",
        "> lift {hand}",
    ),
    "hand_shoulder_height": (
        "{hand} | at shoulder height", "{hand} | level with the shoulder[|s]", "{hand} | held at shoulder level",
        "> hold {hand} at shoulder height", "> raise {hand} to shoulder level", "{hand} | as high as the shoulder[|s]",
        "> bring {hand} up to the shoulder[|s]' height",
    ),
    "hand_waist_height": (
        "{hand} | at waist height", "{hand} | around waist level", "{hand} | near {p} waist", "> hold {hand} at waist level",
        "{hand} | level with the belly", "> keep {hand} at waist height", "{hand} | about as high as the navel",
    ),
    "hand_below_hips": (
        "{hand} | below the hips", "{hand} | down low", "{arm} | lowered", "> lower {hand} below the hips", "{hand} | down",
        "> keep {hand} down low", "> let {hand} drop below the hips", "{hand} | lower than {p} hips", "{hand} | at thigh height",
    ),
    "hand_in_front": (
        "{hand} | in front of the body", "{hand} | held out in front", "{arm} | reaching forward", "> reach forward with {hand}",
        "> hold {hand} out in front", "{hand} | in front", "{hand} | out front", "> bring {hand} forward", "> put {hand} in front of the body",
    ),
    "hand_behind": (
        "{hand} | behind the body", "{arm} | drawn back", "> reach behind with {hand}", "{hand} | held back behind",
        "> pull {hand} back", "{hand} | further back than the shoulder[|s]", "{arm} | behind the torso", "> draw {arm} back",
    ),
    "hand_out_to_side": (
        "{hand} | out to the side[|s]", "{hand} | away from the body to the side[|s]", "> hold {hand} out to the side[|s]",
        "{arm} | out to the side[|s]", "> move {hand} out sideways", "{hand} | far out at the side[|s]", "> reach out to the side[|s] with {hand}",
        "1: {hand} | out to the {s}", "1: > reach to the {s} with {hand}", "2: {arm} | apart",
    ),
    "hand_across": (
        "{hand} | across the body", "{arm} | crossing the chest", "> reach across the body with {hand}", "{hand} | past the middle of the body",
        "> cross {arm} over the body", "1: {hand} | over on the {o} side", "1: > reach over to the {o} with {hand}",
        "2: {p} hands | on opposite sides",
    ),
    # ---- directions of the whole arm
    "arm_sideways": (
        "{arm} | stretched out to the side[|s]", "{arm} | horizontal out sideways", "{arm} | straight out to the side[|s]",
        "> stretch {arm} out to the side[|s]", "> hold {arm} out sideways", "1: > point to the {s} with {hand}", "1: {arm} | pointing to the {s}",
        "> raise {arm} sideways to shoulder height", "{arm} | level with the floor, out sideways", "2: {p} arms | spread like wings",
        "2: {p} arms | out like a T", "2: > spread {p} arms wide", "2: {p} arms | spread horizontally", "2: {p} arms | wide open",
    ),
    "arm_forward": (
        "{arm} | stretched forward", "{arm} | straight out in front", "{arm} | pointing ahead", "> stretch {arm} forward",
        "> point straight ahead with {hand}", "> hold {arm} out in front", "{arm} | extended forward at shoulder height",
        "> reach out with {arm}", "2: {p} arms | stretched out like a zombie", "1: > reach forward with {arm}", "{arm} | horizontal to the front",
    ),
    "arm_down": (
        "{arm} | down at the side[|s]", "{arm} | by {p} side[|s]", "{arm} | along the body", "> keep {arm} by the side[|s]",
        "> leave {arm} down at the side[|s]", "{arm} | relaxed at the side[|s]", "{hand} | down by the thigh[|s]", "2: {p} arms | at {p} sides",
        "> rest {arm} along the body",
    ),
    "arm_straight_up": (
        "{arm} | straight up", "{arm} | vertical overhead", "{arm} | stretched up to the sky", "> stretch {arm} straight up",
        "> reach for the sky with {hand}", "> reach for the ceiling with {hand}", "{arm} | pointing at the ceiling", "> point up with {hand}",
        "{arm} | extended straight overhead", "> raise {arm} straight up",
    ),
    "arm_diagonally_up": (
        "{arm} | raised diagonally", "{arm} | stretched up and out", "{arm} | pointing up and out to the side[|s]",
        "> raise {arm} diagonally", "> stretch {arm} up and outwards", "2: {p} arms | up in a V", "2: {p} arms | making a V", "2: {p} arms | raised in a Y shape",
        "1: {arm} | up at a slant", "> reach up and out with {hand}", "{arm} | raised at 45 degrees",
    ),
    "arm_stretched_back": (
        "{arm} | stretched back", "{arm} | stretched out behind", "{arm} | reaching backwards", "> stretch {arm} back",
        "> reach backwards with {arm}", "> swing {arm} back", "{arm} | swung behind", "{arm} | extended behind the body",
        "2: {p} arms | back like a ski jumper",
    ),
    "elbow_raised": (
        "{elbow} | lifted to shoulder height", "{elbow} | raised", "{elbow} | up", "> lift {elbow} to shoulder level", "{elbow} | high",
        "> raise {elbow}", "{elbow} | as high as the shoulder[|s]", "{upper_arm} | lifted level", "> keep {elbow} high",
    ),
    # ---- what the hands touch
    "hand_on_head": (
        "{hand} | on {p} head", "{hand} | touching {p} head", "> put {hand} on {p} head", "> hold {p} head with {hand}", "{hand} | at {p} head",
        "> touch {p} head with {hand}", "{hand} | against {p} head", "> bring {hand} to {p} head", "1: > scratch {p} head with {hand}",
        "2: > clutch {p} head",
    ),
    "hand_behind_head": (
        "{hand} | behind {p} head", "{hand} | at the back of {p} head", "> put {hand} behind {p} head", "> hold the back of {p} head with {hand}",
        "{hand} | on the nape of {p} neck", "> place {hand} behind {p} neck", "2: {p} hands | clasped behind {p} head", "{hand} | tucked behind {p} head",
        "2: > lock {p} hands behind {p} head",
    ),
    "hand_at_face": (
        "{hand} | at {p} face", "{hand} | in front of {p} face", "{hand} | at {p} mouth", "> bring {hand} to {p} face", "> touch {p} face with {hand}",
        "{hand} | near {p} chin", "1: > rest {p} chin on {hand}", "2: > cover {p} face with both hands", "2: > hide {p} face in {p} hands",
        "> hold {hand} to {p} mouth", "1: {hand} | to {p} lips",
    ),
    "hand_on_chest": (
        "{hand} | on {p} chest", "{hand} | at {p} chest", "> put {hand} on {p} chest", "> hold {hand} to {p} chest", "1: {hand} | over {p} heart",
        "> bring {hand} to {p} breastbone", "{hand} | in front of {p} chest", "{hand} | against the breastbone", "1: > place {hand} on {p} heart",
    ),
    "hand_on_other_shoulder": (
        "{hand} | on the [{o}|opposite] shoulder[|s]", "1: > touch the {o} shoulder with {hand}", "1: {hand} | holding the {o} shoulder",
        "1: > lay {hand} on the {o} shoulder", "2: > hug {p} own shoulders", "2: {p} arms | wrapped around the shoulders",
        "1: > reach over to the {o} shoulder with {hand}", "{hand} | at the [{o}|opposite] shoulder[|s]", "2: > hug {self}",
    ),
    "hand_on_hip": (
        "{hand} | on {p} hip[|s]", "> put {hand} on {p} hip[|s]", "{hand} | resting on {p} hip[|s]", "> rest {hand} on {p} hip[|s]",
        "{hand} | planted on {p} hip[|s]", "2: {p} arms | akimbo", "{hand} | at {p} hip[|s], elbow[|s] out", "> place {hand} at {p} waist",
        "2: {p} hands | on {p} waist", "1: {arm} | akimbo",
    ),
    "hand_on_back": (
        "{hand} | behind {p} back", "{hand} | on {p} lower back", "> put {hand} behind {p} back", "> hold {hand} behind {p} back",
        "{hand} | in the small of {p} back", "> place {hand} on {p} lower back", "2: {p} hands | clasped behind {p} back", "{hand} | hidden behind {p} back",
    ),
    "hand_on_knee": (
        "{hand} | on {p} [{s} knee|knees]", "> rest {hand} on {p} knee[|s]", "{hand} | resting on the [{s} knee|knees]", "> put {hand} on the [{s} knee|knees]",
        "> touch the [{s} knee|knees] with {hand}", "> hold the [{s} knee|knees] with {hand}", "{hand} | at the knee[|s]", "2: {p} hands | braced on {p} knees",
    ),
    "hand_on_foot": (
        "{hand} | on {p} [{s} foot|feet]", "> touch {p} [{s} foot|feet] with {hand}", "> hold the [{s} ankle|ankles] with {hand}", "> grab {p} [{s} foot|feet] with {hand}",
        "{hand} | at the [{s} ankle|ankles]", "{hand} | holding the [{s} foot|feet]", "2: > touch {p} toes", "2: {p} hands | at {p} toes",
        "1: > touch the {s} toes with {hand}",
    ),
    "hand_on_ground": (
        "{hand} | on the ground", "{hand} | on the floor", "> touch the ground with {hand}", "> put {hand} on the floor", "{hand} | planted on the ground",
        "> place {hand} on the ground", "> reach down to the floor with {hand}", "{hand} | touching the floor",
    ),
    "hands_together": (
        "{p} hands | together", "{p} hands | close together", "> hold {p} hands together", "{p} hands | clasped", "> bring {p} hands together",
        "{p} hands | near each other", "> join {p} hands", "{p} hands | meeting", "> clasp {p} hands",
    ),
    "hands_wide_apart": (
        "{p} hands | wide apart", "{p} arms | spread wide", "> spread {p} arms wide", "{p} hands | far from each other", "> hold {p} hands far apart",
        "{p} hands | far apart", "> open {p} arms wide",
    ),
    "arms_crossed": (
        "{p} arms | crossed", "{p} arms | folded across {p} chest", "> cross {p} arms", "> fold {p} arms", "{p} forearms | crossed in front",
        "{p} arms | folded", "> cross {p} arms over {p} chest", "{p} arms | crossed in front of the body",
    ),
    "palms_together": (
        "{p} palms | together in front of {p} chest", "{p} hands | together as if praying", "> press {p} palms together", "{p} hands | in prayer position",
        "> pray", "> hold {p} hands together in front of {p} chest", "{p} hands | folded in prayer", "{p} palms | joined as in namaste",
        "> put {p} palms together like in prayer",
    ),
    # ---- knees
    "knee_straight": (
        "{leg} | straight", "{knee} | straight", "{leg} | extended", "{knee} | fully extended", "> straighten {leg}", "> keep {leg} straight",
        "{knee} | not bent", "{leg} | stretched", "> extend {knee}", "{knee} | locked", "> lock {knee}",
    ),
    "knee_slightly_bent": (
        "{knee} | slightly bent", "{leg} | a little bent", "{knee} | softly bent", "> bend {knee} slightly", "> flex {knee} a little",
        "{leg} | slightly flexed", "{knee} | bent a bit", "{knee} | soft", "> keep {knee} slightly bent",
    ),
    "knee_right_angle": (
        "{knee} | bent at [a right angle|right angles]", "{knee} | bent about 90 degrees", "> bend {knee} to 90 degrees", "{leg} | bent at a right angle",
        "{knee} | at 90 degrees", "{leg} | bent in an L shape", "> bend {leg} at a right angle", "{knee} | half bent",
    ),
    "knee_fully_bent": (
        "{knee} | fully bent", "{knee} | deeply bent", "{leg} | folded up", "{knee} | completely bent", "> bend {knee} all the way", "> fold {leg} up",
        "{knee} | sharply bent", "{leg} | tightly folded", "> bend {knee} deeply", "{calf} | folded against the thigh[|s]",
    ),
    # ---- places of legs and feet
    "thigh_horizontal": (
        "{thigh} | horizontal", "{thigh} | parallel to the ground", "{thigh} | level with the floor", "> hold {thigh} level", "{thigh} | parallel to the floor",
        "> keep {thigh} horizontal", "{thigh} | level",
    ),
    "knee_raised": (
        "{knee} | raised to hip height", "{knee} | lifted high", "> lift {knee}", "> raise {knee} to hip level", "{knee} | up", "{knee} | pulled up",
        "> bring {knee} up", "{knee} | as high as the hip[|s]", "> pull {knee} up high", "{knee} | raised",
    ),
    "foot_in_front": (
        "{foot} | in front", "{foot} | ahead of the other", "{leg} | forward", "> step forward with {foot}", "> put {foot} in front", "{leg} | in front of the other",
        "> place {foot} ahead of the other", "{foot} | forward", "> bring {leg} forward",
    ),
    "foot_lifted": (
        "{foot} | off the ground", "{foot} | lifted", "{foot} | in the air", "> lift {foot}", "> raise {foot} off the floor", "{foot} | raised",
        "> lift {leg}", "{leg} | lifted", "> pick {foot} up off the ground", "{foot} | not touching the ground",
    ),
    "leg_raised_high": (
        "{leg} | raised high", "{leg} | kicked up high", "> kick {leg} up high", "> raise {leg} to hip height", "{foot} | at hip height or higher",
        "> lift {leg} high in the air", "{leg} | stretched high", "> swing {leg} up high", "{leg} | high in the air",
    ),
    "leg_stretched_forward": (
        "{leg} | stretched forward", "{leg} | straight out in front", "> stretch {leg} out in front", "{leg} | extended forward", "> extend {leg} forward",
        "{foot} | far out in front", "> hold {leg} out in front", "{leg} | stretched ahead",
    ),
    "leg_stretched_back": (
        "{leg} | stretched back", "{leg} | stretched out behind", "> stretch {leg} back", "{leg} | extended backwards", "> extend {leg} behind",
        "{foot} | far behind", "{leg} | reaching back", "> reach back with {leg}", "> put {foot} far back",
    ),
    "leg_out_to_side": (
        "{leg} | out to the side[|s]", "{leg} | stretched sideways", "> stretch {leg} out to the side[|s]", "{foot} | far out to the side[|s]", "> move {leg} out sideways",
        "{leg} | extended to the side[|s]", "1: {leg} | out to the {s}", "> hold {leg} out to the side[|s]",
    ),
    "heel_at_buttocks": (
        "{heel} | at the buttocks", "{heel} | pulled up to the bottom", "> pull {heel} to the buttocks", "{heel} | close to {p} seat", "> bring {heel} to {p} bottom",
        "{foot} | tucked against the buttocks", "> tuck {foot} under {p} bottom", "{heel} | touching {p} bottom",
    ),
    "foot_on_other_leg": (
        "{foot} | against the {o} leg", "{foot} | resting on the {o} leg", "> rest {foot} on the {o} leg", "> put {foot} against the {o} knee",
        "{foot} | tucked against the {o} knee", "> press {foot} against the {o} leg", "{foot} | propped on the {o} leg", "> place {foot} on the {o} thigh",
    ),
    "feet_together": (
        "{p} feet | together", "{p} feet | close to each other", "> keep {p} feet together", "{p} feet | side by side", "> put {p} feet together",
        "{p} legs | together", "{p} ankles | close together", "> close {p} legs",
    ),
    "feet_apart": (
        "{p} feet | apart", "{p} legs | apart", "> stand with {p} feet apart", "{p} feet | more than shoulder width apart", "> keep {p} feet apart",
        "> put {p} feet apart", "{p} feet | spread", "{p} legs | spread",
    ),
    "legs_wide_apart": (
        "{p} legs | wide apart", "{p} legs | spread wide", "= in a wide stance", "> spread {p} legs wide", "{p} feet | far apart", "> open {p} legs wide",
        "{p} feet | wide apart", "= in a straddle",
    ),
    "legs_crossed": (
        "{p} legs | crossed", "{p} ankles | crossed", "> cross {p} legs", "{p} feet | crossed over", "> cross {p} ankles", "{p} feet | past each other",
        "{p} shins | crossed",
    ),
    # ---- torso
    "torso_upright": (
        "{p} torso | upright", "{p} back | straight", "{p} body | vertical", "> keep {p} back straight", "> hold {p} torso upright", "{p} upper body | upright",
        "{p} trunk | vertical", "= upright", "{p} spine | tall",
    ),
    "torso_leaning_forward": (
        "{p} torso | leaning forward", "> lean forward", "> bend forward", "{p} upper body | inclined forward", "= bent over a little", "{p} trunk | tipped forward",
        "{p} body | bent forward", "> lean {p} torso forward", "{p} chest | forward",
    ),
    "torso_bent_far_forward": (
        "{p} torso | bent far forward", "= bent over at the waist", "> bow deeply", "> bend over", "{p} upper body | bent down low", "> fold forward at the hips",
        "{p} torso | folded forward", "{p} back | close to horizontal", "> bend far forward",
    ),
    "torso_leaning_back": (
        "{p} torso | leaning back", "> lean back", "> lean backwards", "{p} upper body | tipped back", "{p} trunk | inclined backwards", "> lean {p} torso back",
        "{p} chest | leaning back",
    ),
    "torso_leaning_side": (
        "{p} torso | leaning to the {s}", "> lean to the {s}", "{p} body | tilted to the {s}", "> bend sideways to the {s}", "{p} upper body | leaning {s}",
        "> tilt {p} torso to the {s}", "{p} trunk | bent to the {s} side",
    ),
    "torso_twisted_side": (
        "{p} upper body | twisted to the {s}", "{p} shoulders | turned {s}", "> twist to the {s}", "> turn {p} upper body to the {s}", "{p} torso | rotated {s}",
        "{p} chest | facing {s}", "> rotate {p} torso to the {s}", "{p} torso | twisted {s}",
    ),
    "back_rounded": (
        "{p} back | rounded", "{p} spine | curved forward", "> round {p} back", "= hunched over", "> hunch {p} back", "{p} spine | rounded", "> slouch",
        "{p} back | hunched",
    ),
    "back_arched": (
        "{p} back | arched", "{p} spine | arched backwards", "> arch {p} back", "{p} chest | pushed out", "> bend {p} spine back", "{p} chest | open",
        "{p} back | bent backwards",
    ),
    # ---- head
    "head_turned_side": (
        "{p} head | turned {s}", "> look to the {s}", "> look {s}", "{p} face | turned to the {s}", "> turn {p} head {s}", "{p} head | facing {s}",
        "{p} eyes | to the {s}", "> look over {p} {s} shoulder", "{p} head | rotated to the {s}",
    ),
    "head_tilted_side": (
        "{p} head | tilted {s}", "{p} head | leaning to the {s}", "> tilt {p} head to the {s}", "{p} head | cocked to the {s}", "> lean {p} head {s}",
        "{p} {s} ear | towards the shoulder", "> bend {p} head to the {s} shoulder",
    ),
    "looking_up": (
        "{p} head | tilted up", "> look up", "> look at the sky", "{p} face | turned up", "{p} chin | up", "> lift {p} chin", "> gaze upwards", "> look up at the ceiling",
        "{p} head | thrown back",
    ),
    "looking_down": (
        "{p} head | bowed", "> look down", "> look at the floor", "{p} chin | down", "{p} face | turned down", "> lower {p} head", "> gaze at the ground", "{p} head | lowered",
        "> look down at {p} feet",
    ),
    # ---- postures
    "standing": ("> stand", "> stand up", "= on {p} feet", "= upright on {p} feet", "> stand there", "= in a standing position", "= up on {p} feet"),
    "standing_on_side_leg": (
        "> stand on the {s} leg", "> balance on the {s} foot", "> stand on one leg, the {s} one", "= on {p} {s} leg only", "> balance on one leg, the {s}",
        "> stand on {p} {s} foot", "> put all {p} weight on the {s} leg",
    ),
    "sitting": (
        "> sit on a chair", "> sit", "= seated", "> sit down", "> sit on a bench", "= in a sitting position", "> sit on a stool", "> sit as if on a chair", "= seated on a chair",
    ),
    "sitting_on_floor": (
        "> sit on the floor", "> sit on the ground", "= seated on the floor", "= on the floor, sitting", "> sit down on the ground", "= seated on the ground",
        "> sit on a mat",
    ),
    "sitting_cross_legged": (
        "> sit cross-legged", "> sit cross-legged on the floor", "= in a cross-legged seat", "> sit with crossed legs on the floor", "= in lotus position",
        "> sit Indian style", "> meditate on the floor", "> sit in lotus pose", "> sit tailor-fashion",
    ),
    "hugging_knees": (
        "> hug {p} knees", "> hug {p} knees to {p} chest", "= curled up, arms around {p} knees", "> hold {p} knees to {p} chest", "> clasp {p} shins",
        "= curled up in a ball", "> pull {p} knees to {p} chest",
    ),
    "kneeling": (
        "> kneel", "> kneel on both knees", "= on {p} knees", "> kneel down", "> kneel on the floor", "= down on both knees", "> kneel upright",
        "= in a kneeling position",
    ),
    "kneeling_on_side_knee": (
        "> kneel on the {s} knee", "= down on {p} {s} knee", "> kneel on one knee, the {s} one", "= on one knee, the {s}", "> genuflect on the {s} knee",
        "> kneel with the {s} knee on the floor", "= in a half kneel on the {s} knee", "> take a knee with the {s} leg", "> propose on the {s} knee",
    ),
    "sitting_on_heels": (
        "> sit on {p} heels", "> sit back on {p} heels", "> kneel on the floor, seat on {p} heels", "= in seiza", "> kneel and rest on the heels", "= on {p} knees, bottom on {p} heels",
        "> rest on {p} heels", "> kneel low",
    ),
    "squatting": (
        "> squat", "> crouch", "= in a squat", "> crouch down low", "> squat down", "= in a crouch", "> do a squat", "= crouched down", "> hunker down",
    ),
    "lunging_with_side_leg": (
        "> lunge forward with the {s} leg", "= in a lunge, {s} leg in front", "> do a lunge with the {s} leg forward", "> lunge with the {s} leg", "= in a {s} leg lunge",
        "> take a deep lunge step with the {s} foot", "= in a deep lunge on the {s} leg",
    ),
    "lying_on_back": (
        "> lie on {p} back", "> lie face up", "> lie down on {p} back", "= flat on {p} back", "> lie on the floor face up", "= supine", "> rest flat on {p} back",
        "> lie on {p} back on the ground",
    ),
    "lying_face_down": (
        "> lie face down", "> lie on {p} stomach", "= flat on {p} belly", "> lie prone", "= prone", "> lie on {p} belly", "> lie flat on {p} front", "> lie face down on the ground",
    ),
    "lying_on_side_side": (
        "> lie on the {s} side", "> lie on {p} {s} side", "= on {p} {s} side on the floor", "> lie sideways on the {s} hip", "> lie down on {p} {s} side",
        "> rest on {p} {s} side", "> sleep on the {s} side",
    ),
    "on_all_fours": (
        "= on all fours", "= on hands and knees", "> crawl", "> kneel on all fours", "> get on hands and knees", "> crawl like a baby", "= in a tabletop position",
        "= down on all fours",
    ),
    "plank": (
        "= in a plank", "= in a push-up position", "> hold a plank", "> do a push-up", "> do push-ups", "= in plank pose", "= in a press-up position", "> do a plank",
    ),
    "bridge": (
        "= in a bridge, belly up", "> do a bridge", "= on hands and feet, belly up", "= in a crab position", "> walk like a crab", "= in a reverse tabletop",
        "> arch up in a bridge", "> push the hips up on hands and feet",
    ),
    "downward_dog": (
        "= in downward dog", "= in a downward-facing dog", "> do a downward dog", "= bent over with hands and feet on the floor, hips high", "= in an upside-down V, hands on the floor",
        "> push the hips up in a downward dog", "> hold a downward-facing dog",
    ),
    "upside_down": (
        "= upside down", "> do a handstand", "= inverted", "= head down, feet up", "= in a handstand", "> stand on {p} hands", "= turned upside down", "= on {p} hands, legs in the air",
    ),
    "splits": (
        "> do the splits", "= in a split", "= in the splits", "> drop into a split", "> do a full split", "= down in the splits", "> split {p} legs to the floor",
    ),
}  # fmt: skip

# Sets of statements that everyday words name at once: (statements, wordings). "*_x" is left and right x; {s}/{o} in
# statement names make a left and a right version.
IDIOMS = (
    (("*_arm_sideways",), ("{p} arms | like a T", "= in a T-pose", "{p} arms | spread like wings", "{p} arms | out like an airplane", "{p} arms | out like a scarecrow",
                           "> balance with {p} arms out as on a tightrope")),
    (("*_arm_sideways", "standing", "feet_together"), ("= like a cross", "> stand like a cross", "= in a perfect T-pose")),
    (("*_arm_straight_up",), ("> reach for the stars", "> stretch up tall", "> reach for the sky", "= hanging from a bar")),
    (("*_hand_above_head",), ("{p} hands | up", "> hold {p} hands in the air", "> cheer", "> celebrate", "{p} arms | up in victory", "> throw {p} arms up")),
    (("*_arm_diagonally_up",), ("{p} arms | in a V", "{p} body | like a Y", "> cheer with {p} arms in a V", "> celebrate a victory", "{p} arms | raised in triumph")),
    (("*_arm_diagonally_up", "feet_apart"), ("= like a star", "= spread like an X", "= like a starfish", "> do a star jump", "> do jumping jacks", "= in an X shape")),
    (("*_hand_above_head", "feet_apart"), ("> do a jumping jack", "> do jumping jacks")),
    (("*_hand_above_shoulder", "*_elbow_right_angle"), ("{p} hands | up as if robbed", "> surrender", "> put {p} hands up in surrender", "{p} hands | raised in surrender")),
    (("*_hand_above_shoulder", "*_elbow_right_angle", "*_elbow_raised"), ("{p} arms | like goalposts", "{p} arms | like a cactus", "> flex {p} arms like a bodybuilder")),
    (("*_elbow_fully_bent", "*_elbow_raised"), ("> flex {p} biceps", "> show off {p} muscles")),
    (("*_arm_forward",), ("{p} arms | out like a sleepwalker", "> walk like a zombie", "> sleepwalk", "{p} arms | out like a zombie")),
    (("*_elbow_fully_bent", "*_hand_shoulder_height"), ("{p} fists | up like a boxer", "> guard {p} face like a boxer", "= in a boxing stance", "= ready to box")),
    (("*_hand_on_hip",), ("{p} arms | akimbo", "{p} hands | on hips", "> stick {p} elbows out with hands on hips")),
    (("*_hand_on_hip", "feet_apart", "standing"), ("= like a superhero", "= in a power pose", "> stand like Superman, hands on hips")),
    (("{s}_hand_on_hip", "{o}_arm_down"), ("> pose with one hand on the hip, the {s} one", "{p} {s} hand | on the hip like a model")),
    (("standing", "torso_upright", "feet_together", "*_arm_down"), ("> stand at attention", "> stand like a soldier", "> stand to attention")),
    (("standing", "torso_upright", "*_arm_down"), ("> stand still with arms at the sides", "= in a neutral standing pose", "> stand relaxed")),
    (("standing", "*_hand_on_back"), ("> stand at ease", "> stand with {p} hands behind {p} back")),
    (("sitting", "{s}_hand_at_face"), ("> sit like the Thinker, {s} hand at the chin", "> sit thinking with the {s} hand at the chin")),
    (("{s}_hand_at_face",), ("> think with the {s} hand on the chin", "> drink with the {s} hand", "> eat with the {s} hand", "> yawn with the {s} hand at the mouth")),
    (("*_hand_at_face",), ("> cry into {p} hands", "> cover {p} face", "> look through binoculars", "> blow into {p} hands")),
    (("{s}_hand_on_head", "{s}_elbow_fully_bent", "{s}_elbow_raised"), ("> salute with the {s} hand", "> shade {p} eyes with the {s} hand")),
    (("{s}_hand_on_head", "{s}_elbow_fully_bent"), ("> talk on the phone with the {s} hand", "> scratch {p} head with the {s} hand")),
    (("*_hand_behind_head",), ("> relax with {p} hands behind {p} head", "{p} elbows | out, hands behind {p} head")),
    (("*_hand_behind_head", "lying_on_back"), ("> do sit-ups", "> do crunches", "> sunbathe with hands behind the head")),
    (("{s}_hand_above_shoulder", "{s}_hand_out_to_side"), ("> wave with the {s} hand", "> wave hello with {p} {s} hand", "> wave goodbye with the {s} arm")),
    (("{s}_hand_above_head", "{s}_elbow_slightly_bent"), ("> wave with the {s} hand held high", "> hail a taxi with the {s} arm")),
    (("{s}_arm_straight_up",), ("> ask a question with the {s} hand up", "> raise {p} {s} hand like a pupil", "> raise {p} {s} hand to vote", "{p} {s} arm | up like the Statue of Liberty")),
    (("{s}_arm_forward", "{s}_elbow_straight"), ("> punch with the {s} fist", "> point ahead with {p} {s} arm", "> throw a punch with the {s} arm", "> make a stop sign with the {s} hand")),
    (("{s}_arm_sideways", "{s}_elbow_straight"), ("> point to the {s}", "> show the way to the {s}")),
    (("standing_on_{o}_leg", "{s}_foot_on_other_leg"), ("= in tree pose on the {o} leg", "> stand like a flamingo on the {o} leg", "> balance in tree pose, {s} foot on the {o} leg",
                                                       "> stand like a stork on {p} {o} leg")),
    (("standing_on_{o}_leg", "{s}_foot_on_other_leg", "palms_together"), ("= in tree pose on the {o} leg with {p} hands in prayer",)),
    (("standing_on_{o}_leg", "{s}_leg_stretched_back", "torso_leaning_forward"), ("= in an arabesque on the {o} leg", "> balance like an airplane on the {o} leg",
                                                                               "> do a standing scale on the {o} leg", "= in warrior three on the {o} leg")),
    (("standing_on_{o}_leg", "{s}_leg_raised_high"), ("> kick high with the {s} leg", "> do a high kick with the {s} leg", "> do a karate kick with the {s} leg")),
    (("standing_on_{o}_leg", "{s}_leg_stretched_forward"), ("> kick forward with the {s} leg", "> kick a ball with the {s} foot")),
    (("standing_on_{o}_leg", "{s}_leg_out_to_side"), ("> kick sideways with the {s} leg", "> do a side kick with the {s} leg")),
    (("standing_on_{o}_leg", "{s}_heel_at_buttocks"), ("> stretch {p} {s} thigh", "> stand on the {o} leg and the {s} heel at the bottom")),
    (("standing_on_{o}_leg", "{s}_knee_raised"), ("> march with the {s} knee high", "> stand on the {o} leg with the {s} knee up", "> lift the {s} knee like a crane")),
    (("lunging_with_{s}_leg", "*_arm_sideways"), ("= in warrior two with the {s} leg in front", "= in a warrior pose, {s} leg in front")),
    (("lunging_with_{s}_leg", "*_hand_above_head"), ("= in warrior one with the {s} leg in front", "= in a crescent lunge on the {s} leg")),
    (("sitting_cross_legged", "torso_upright", "*_hand_on_knee"), ("> meditate", "> sit in lotus pose with hands on the knees", "= in a meditation pose", "> sit like a Buddha")),
    (("sitting_cross_legged", "palms_together"), ("> meditate with {p} hands in prayer", "> sit in lotus pose, palms together")),
    (("sitting_on_heels", "torso_bent_far_forward", "*_hand_on_ground"), ("= in child's pose", "> bow down on {p} knees", "> rest in child's pose", "> bow in prayer on the floor")),
    (("kneeling", "palms_together"), ("> pray on {p} knees", "> kneel in prayer", "> kneel and pray")),
    (("palms_together", "standing"), ("> pray", "> greet with a namaste", "> clap {p} hands", "> beg with joined hands")),
    (("torso_bent_far_forward", "*_hand_on_foot"), ("> touch {p} toes", "> bend down to touch {p} toes", "> do a toe touch")),
    (("torso_bent_far_forward", "*_hand_on_ground"), ("> bend over to touch the floor", "> reach down to the floor with both hands", "> pick something up from the floor")),
    (("torso_leaning_forward", "*_arm_down"), ("> bow politely", "> take a bow")),
    (("torso_leaning_forward", "*_hand_on_knee", "standing"), ("> catch {p} breath, hands on knees", "> lean on {p} knees")),
    (("sitting_on_floor", "*_knee_straight", "*_leg_stretched_forward"), ("> sit on the floor with {p} legs straight out", "> sit in an L shape", "> sit with {p} legs stretched out in front")),
    (("sitting_on_floor", "*_knee_straight", "legs_wide_apart"), ("> sit in a straddle", "> sit on the floor with legs spread")),
    (("sitting_on_floor", "*_hand_on_foot"), ("> sit and reach for {p} toes", "> do a seated forward bend")),
    (("sitting", "*_hand_on_knee"), ("> sit with hands on the knees", "> sit obediently, hands on knees")),
    (("sitting", "legs_crossed"), ("> sit with one leg over the other", "> sit with {p} legs crossed")),
    (("sitting", "torso_leaning_back"), ("> lean back in a chair", "> lounge in a chair")),
    (("squatting", "*_arm_forward"), ("> do a squat with {p} arms out in front", "> do squats")),
    (("{s}_hand_on_chest", "standing"), ("> swear an oath with the {s} hand on the heart", "> stand for the anthem, {s} hand on the heart")),
    (("*_hand_on_other_shoulder",), ("> hug {self}", "> shiver, hugging the shoulders")),
    (("lying_on_back", "*_arm_down"), ("> sleep on {p} back", "= in corpse pose", "> lie on {p} back with arms at the sides")),
    (("lying_on_back", "*_arm_sideways"), ("> lie on {p} back with arms spread", "> make a snow angel")),
    (("feet_apart", "*_arm_sideways"), ("= like the Vitruvian man", "= spread-eagled")),
    (("standing", "{s}_foot_in_front", "torso_upright"), ("> walk, {s} foot in front", "> take a step with the {s} foot")),
    (("{s}_knee_raised", "{o}_leg_stretched_back"), ("> run, {s} knee in front", "> sprint with the {s} knee up")),
    (("hands_together", "*_hand_above_head"), ("{p} hands | joined above {p} head", "> join {p} hands overhead")),
    # everyday words that name no side stand for the right one
    (("right_hand_above_shoulder", "right_hand_out_to_side"), ("> wave", "> wave hello", "> wave goodbye", "> say hello with a wave")),
    (("right_hand_at_face",), ("> think", "> drink from a cup", "> eat", "> cough into one hand", "> rest {p} chin on one hand")),
    (("right_hand_on_head", "right_elbow_fully_bent"), ("> salute", "> talk on the phone", "> scratch {p} head")),
    (("right_arm_straight_up",), ("> raise one hand to ask a question", "> raise one arm", "= like the Statue of Liberty")),
    (("right_arm_forward", "right_elbow_straight"), ("> point ahead", "> throw a punch", "> point at something", "> hold out one hand as if to say stop")),
    (("right_hand_on_chest",), ("> put one hand on {p} heart", "> swear an oath")),
    (("right_hand_on_hip",), ("{p} hand | on one hip", "> put one hand on {p} hip")),
    (("standing_on_right_leg",), ("> stand on one leg", "> balance on one foot", "> stand on one foot")),
    (("standing_on_right_leg", "left_foot_on_other_leg"), ("= in tree pose", "> stand like a flamingo", "> do the tree pose")),
    (("standing_on_right_leg", "left_leg_stretched_back", "torso_leaning_forward"), ("= in an arabesque", "> balance like an airplane")),
    (("standing_on_left_leg", "right_leg_raised_high"), ("> do a high kick", "> do a karate kick", "> kick high")),
    (("standing_on_left_leg", "right_foot_lifted", "right_foot_in_front"), ("> kick", "> kick a ball")),
    (("right_knee_raised", "standing_on_left_leg"), ("> march", "> lift one knee", "> march with high knees")),
    (("kneeling_on_right_knee",), ("> kneel on one knee", "> propose marriage", "= down on one knee", "> take a knee")),
    (("lunging_with_right_leg",), ("> do a lunge", "= in a lunge", "> lunge forward", "= in a warrior pose")),
    (("lying_on_right_side",), ("> lie on one side", "> sleep on one side")),
    (("standing", "right_foot_in_front"), ("> walk", "> take a step forward", "> stroll")),
    (("right_knee_raised", "left_leg_stretched_back"), ("> run", "> sprint", "> jog")),
    (("right_foot_lifted", "right_foot_in_front", "*_elbow_right_angle"), ("> run", "> jog", "> run a race")),
    (("*_knee_right_angle", "*_hand_above_head"), ("> jump with {p} arms up", "> jump for joy", "> leap into the air")),
    (("*_knee_slightly_bent", "torso_leaning_forward", "standing"), ("> ski", "> get ready to jump", "= in a ready stance", "> wait for the ball with bent knees")),
    (("left_arm_sideways", "right_elbow_fully_bent"), ("> shoot a bow", "> aim like an archer", "> draw a bow")),
    (("*_hand_out_to_side", "*_hand_in_front"), ("> open {p} arms for a hug", "> welcome someone with open arms", "{p} arms | open for a hug")),
    (("*_elbow_right_angle", "*_hand_out_to_side", "*_hand_waist_height"), ("> shrug", "> shrug {p} shoulders")),
    (("*_elbow_right_angle", "*_hand_in_front"), ("> carry a box", "> hold a tray", "> type on a keyboard", "> carry something in front", "> play the piano")),
    (("sitting", "*_hand_in_front"), ("> drive a car", "> sit at a desk and type", "> sit and hold a steering wheel")),
    (("sitting", "*_hand_in_front", "torso_leaning_forward"), ("> ride a motorbike", "> ride a bicycle", "> row a boat")),
    (("sitting", "looking_down", "*_hand_in_front"), ("> sit and read a book", "> read at a desk")),
    (("standing", "looking_down", "*_elbow_right_angle", "*_hand_in_front"), ("> read a book", "> look at a phone in {p} hands")),
    (("right_hand_above_shoulder", "right_hand_behind"), ("> throw a ball", "> get ready to throw", "> throw a javelin")),
    (("{s}_hand_above_shoulder", "{s}_hand_behind"), ("> throw a ball with the {s} hand", "> serve a ball with the {s} arm")),
    (("*_hand_above_head", "*_elbow_right_angle"), ("> shoot a basketball", "> do a pull-up", "> put something on a high shelf")),
    (("torso_leaning_forward", "*_hand_below_hips", "*_knee_slightly_bent"), ("> lift something heavy", "> pick something up", "> do a deadlift")),
    (("torso_leaning_{s}", "{o}_hand_above_head"), ("> stretch to the {s} side", "> do a side stretch to the {s}", "> bend to the {s} with the {o} arm overhead")),
    (("{s}_arm_straight_up", "{o}_hand_on_hip"), ("> fly like Superman, {s} fist up", "> dance disco with the {s} arm up")),
    (("{s}_hand_on_hip", "{o}_hand_out_to_side"), ("= like a teapot, {s} hand on the hip",)),
    (("torso_leaning_back", "*_knee_slightly_bent"), ("> do the limbo", "> dodge something by leaning back")),
    (("head_turned_{s}", "torso_twisted_{s}"), ("> look back over {p} {s} shoulder", "> turn around to the {s}", "> look behind over the {s} shoulder")),
    (("looking_down", "back_rounded"), ("> slump sadly", "> hang {p} head", "= sad, head hanging", "> look dejected")),
    (("torso_upright", "*_hand_on_hip", "standing"), ("> stand proudly, hands on hips", "> stand confidently with arms akimbo")),
    (("arms_crossed", "standing"), ("> stand with folded arms", "> stand waiting with crossed arms", "> stand defiantly, arms crossed")),
    (("kneeling", "*_hand_above_head"), ("> plead to heaven on {p} knees", "> celebrate on {p} knees")),
    (("squatting", "*_hand_on_knee"), ("> squat like a sumo wrestler", "> squat with hands on the knees")),
    (("squatting", "*_hand_on_ground"), ("> crouch like a frog", "= in a frog position", "> crouch with hands on the floor")),
    (("squatting", "*_hand_above_head"), ("= in chair pose", "> do an overhead squat")),
    (("squatting", "*_elbow_right_angle", "*_elbow_raised"), ("= in goddess pose",)),
    (("squatting", "palms_together"), ("= in a yoga squat", "> squat in prayer")),
    (("kneeling_on_{s}_knee", "*_hand_on_ground"), ("= at the starting blocks on the {s} knee", "> get ready to sprint, {s} knee down")),
    (("feet_apart", "torso_leaning_{s}", "{o}_hand_above_head"), ("= in triangle pose to the {s}",)),
    (("standing_on_{o}_leg", "{s}_hand_on_foot", "{s}_heel_at_buttocks"), ("= in dancer's pose on the {o} leg", "> hold the {s} foot behind and stand on the {o} leg")),
    (("standing_on_{o}_leg", "{s}_foot_on_other_leg", "*_hand_above_head"), ("> do a pirouette on the {o} leg", "= in tree pose on the {o} leg, arms up")),
    (("standing_on_{o}_leg", "*_arm_sideways"), ("> balance on the {o} leg with arms out", "> walk a tightrope on the {o} leg")),
    (("lying_on_{s}_side", "{s}_hand_on_head"), ("> lie on the {s} side, head on the hand", "> sleep on the {s} side with a hand under the head")),
    (("lying_face_down", "*_hand_on_head"), ("> lie face down with hands on the head", "> take cover on the ground")),
    (("lying_on_back", "*_knee_straight"), ("> lie flat on {p} back with straight legs", "> lie stretched out on {p} back")),
    (("lying_on_back", "*_knee_right_angle"), ("> lie on {p} back with {p} knees bent", "> do a sit-up")),
    (("standing", "*_hand_at_face"), ("> call out with hands at the mouth", "> shout through {p} hands", "> take a photo")),
    (("standing", "*_arm_stretched_back"), ("> stand like a ski jumper", "> stretch {p} arms behind")),
    (("hands_together", "*_hand_in_front", "standing"), ("> hold a golf club", "> swing a bat", "> hold a sword in both hands")),
    (("hands_together", "*_hand_below_hips", "standing"), ("> stand with hands clasped in front", "> play golf")),
    (("standing", "torso_upright", "*_hand_below_hips"), ("> stand normally", "> stand naturally", "> just stand there", "> stand idle")),
    (("upside_down", "*_elbow_straight"), ("= in a handstand", "> do a handstand", "> stand on {p} hands")),
)  # fmt: skip

# statement key -> keys that need not be said beside it (same side where sided)
IMPLIES = {
    "arm_straight_up": "hand_above_head hand_above_shoulder elbow_raised elbow_straight elbow_slightly_bent",
    "arm_diagonally_up": "hand_above_head hand_above_shoulder hand_out_to_side elbow_raised elbow_straight elbow_slightly_bent",
    "arm_sideways": "hand_out_to_side hand_shoulder_height elbow_raised elbow_straight elbow_slightly_bent hands_wide_apart hand_above_shoulder",
    "arm_forward": "hand_in_front hand_shoulder_height elbow_raised elbow_straight elbow_slightly_bent hand_above_shoulder",
    "arm_down": "hand_behind hand_below_hips hand_waist_height elbow_straight elbow_slightly_bent",
    "arm_stretched_back": "hand_behind hand_below_hips elbow_straight elbow_slightly_bent",
    "hand_above_head": "hand_above_shoulder elbow_raised",
    "hand_on_head": "hand_above_head hand_above_shoulder elbow_raised elbow_fully_bent hand_shoulder_height",
    "hand_behind_head": "hand_on_head hand_above_head hand_above_shoulder elbow_raised elbow_fully_bent hand_behind",
    "hand_at_face": "hand_on_head hand_above_head hand_above_shoulder elbow_fully_bent hand_shoulder_height hand_in_front",
    "hand_on_chest": "hand_in_front hand_shoulder_height elbow_fully_bent hand_across",
    "hand_on_other_shoulder": "hand_across hand_on_chest hand_shoulder_height elbow_fully_bent hand_in_front",
    "hand_on_hip": "hand_waist_height elbow_right_angle elbow_fully_bent hand_behind hand_below_hips",
    "hand_on_back": "hand_behind hand_waist_height elbow_right_angle hand_across",
    "hand_on_foot": "hand_below_hips hand_on_ground",
    "hand_on_ground": "hand_below_hips",
    "hand_on_knee": "hand_below_hips",
    "arms_crossed": "hand_across hand_on_chest elbow_fully_bent elbow_right_angle hands_together hand_in_front hand_on_other_shoulder palms_together",
    "palms_together": "hands_together elbow_fully_bent elbow_right_angle hand_on_chest hand_in_front hand_shoulder_height",
    "hands_wide_apart": "hand_out_to_side",
    "leg_raised_high": "thigh_horizontal knee_raised foot_lifted foot_in_front leg_stretched_forward knee_straight knee_slightly_bent",
    "leg_stretched_forward": "foot_in_front knee_straight knee_slightly_bent thigh_horizontal",
    "leg_stretched_back": "knee_straight knee_slightly_bent",
    "leg_out_to_side": "knee_straight knee_slightly_bent",
    "knee_raised": "foot_lifted thigh_horizontal",
    "foot_on_other_leg": "foot_lifted knee_fully_bent knee_right_angle legs_crossed knee_raised",
    "heel_at_buttocks": "knee_fully_bent",
    "legs_wide_apart": "feet_apart leg_out_to_side",
    "torso_bent_far_forward": "torso_leaning_forward hand_in_front arm_forward back_rounded",
    "standing_on_side_leg": "standing other:foot_lifted knee_straight knee_slightly_bent",
    "sitting": "thigh_horizontal knee_right_angle hand_on_knee_height foot_in_front",
    "sitting_cross_legged": "sitting_on_floor knee_fully_bent thigh_horizontal knee_right_angle legs_crossed heel_at_buttocks",
    "sitting_on_floor": "thigh_horizontal foot_in_front hand_on_ground",
    "hugging_knees": "sitting_on_floor knee_fully_bent knee_right_angle heel_at_buttocks feet_together hands_together hand_in_front hand_on_foot hand_on_knee hand_on_ground",
    "kneeling": "knee_right_angle knee_fully_bent",
    "kneeling_on_side_knee": "knee_right_angle other:knee_right_angle other:foot_in_front other:thigh_horizontal",
    "sitting_on_heels": "kneeling knee_fully_bent heel_at_buttocks thigh_horizontal",
    "squatting": "knee_fully_bent knee_right_angle thigh_horizontal heel_at_buttocks",
    "lunging_with_side_leg": "foot_in_front legs_wide_apart knee_right_angle thigh_horizontal other:leg_stretched_back",
    "lying_on_back": "hand_on_ground",
    "lying_face_down": "hand_on_ground",
    "lying_on_side_side": "hand_on_ground",
    "on_all_fours": "hand_on_ground knee_right_angle torso_leaning_forward torso_bent_far_forward kneeling hand_in_front",
    "plank": "hand_on_ground knee_straight knee_slightly_bent leg_stretched_back torso_leaning_forward torso_bent_far_forward hand_in_front elbow_straight lying_face_down",
    "bridge": "hand_on_ground knee_right_angle arm_stretched_back hand_behind lying_on_back",
    "downward_dog": "hand_on_ground knee_straight leg_stretched_back torso_bent_far_forward elbow_straight upside_down",
    "upside_down": "hand_on_ground",
    "splits": "legs_wide_apart feet_apart leg_out_to_side leg_stretched_forward leg_stretched_back foot_in_front knee_straight knee_slightly_bent",
}  # fmt: skip

# How much a statement tells of a pose, by group, with exceptions by key; the telling ones are said first.
TELLING = {"posture": 6.0, "hands": 4.0, "arms": 1.2, "legs": 1.5, "torso": 2.2, "head": 1.8}
TELLING_KEYS = {
    "standing": 2.5, "hands_wide_apart": 1.5, "hands_together": 2.5, "hand_on_ground": 3.5, "arm_straight_up": 4.5, "arm_sideways": 4.5,
    "arm_forward": 4.2, "arm_diagonally_up": 4.2, "arm_stretched_back": 4.0, "arm_down": 1.8, "hand_above_head": 3.8, "hand_above_shoulder": 2.8,
    "hand_behind": 2.4, "elbow_raised": 1.0, "hand_in_front": 1.6, "hand_out_to_side": 2.2, "hand_across": 2.0, "hand_waist_height": 0.8,
    "hand_below_hips": 0.7, "hand_shoulder_height": 1.4, "elbow_straight": 0.9, "elbow_slightly_bent": 0.5, "knee_slightly_bent": 0.5,
    "knee_straight": 0.9, "thigh_horizontal": 1.4, "knee_raised": 3.6, "foot_lifted": 2.8, "leg_raised_high": 4.8, "leg_stretched_forward": 3.8,
    "leg_stretched_back": 3.8, "leg_out_to_side": 3.4, "heel_at_buttocks": 3.2, "foot_on_other_leg": 4.4, "legs_wide_apart": 3.0, "legs_crossed": 3.0,
    "feet_apart": 2.0, "feet_together": 1.3, "torso_upright": 0.4, "torso_bent_far_forward": 4.4, "looking_down": 1.4, "back_arched": 1.2, "back_rounded": 1.4,
    "head_tilted_side": 1.3,
}  # fmt: skip
