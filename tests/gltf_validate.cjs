// Prints what Khronos' glTF validator says of a file, as JSON: NODE_PATH=... node gltf_validate.cjs FILE
const { readFileSync } = require("fs");
const validator = require("gltf-validator");

validator.validateBytes(new Uint8Array(readFileSync(process.argv[2]))).then((report) => console.log(JSON.stringify(report)));
