// Calls functions of the labs by name, in a WebAssembly module of interactives/module.cpp. Plain JavaScript without a
// host: the pages run it in a worker, tools/prerender.cjs and the tests run it in Node.
"use strict";

/**
 * What arguments and results are made of. The wire knows no implicit conversion, so a figure says what it sends:
 * f64(0.5), i64(3), i32(1) for enumerators and booleans; vectors f64s([...]), f32s([...]), i64s([...]); matrices
 * matrix([[...], ...]), indices([[...], ...]); images tensor([n, c, h, w], [...]); a struct is the list of its members,
 * and a list of structs is i64(count) followed by each.
 */
function wireFormat() {
  const types = [
    {size: 4, array: Float32Array, set: "setFloat32"}, {size: 8, array: Float64Array, set: "setFloat64"},
    {size: 4, array: Int32Array, set: "setInt32"}, {size: 8, array: BigInt64Array, set: "setBigInt64"},
  ];
  const value = (type, shape, data) => ({type, shape, data});
  const grid = (type, rows, columns) =>
    value(type, [rows.length, columns ?? (rows[0]?.length ?? 0)], rows.flatMap(row => [...row]));
  const make = {
    f64: x => value(1, [], [x]), i64: x => value(3, [], [x]), i32: x => value(2, [], [Number(x)]),
    f32s: list => value(0, [list.length], [...list]), f64s: list => value(1, [list.length], [...list]),
    i64s: list => value(3, [list.length], [...list]),
    matrix: (rows, columns) => grid(0, rows, columns), indices: (rows, columns) => grid(3, rows, columns),
    tensor: (shape, list) => value(0, shape, [...list]),
  };

  /** The body of a request. */
  function encode(name, args) {
    const values = args.flat(Infinity);
    if (values.length > 255) throw new Error(`${name}: ${values.length} values are more than fit into one message`); // counts are one byte
    const size = 2 + name.length + values.reduce((sum, v) => sum + 2 + 8 * v.shape.length + types[v.type].size * v.data.length, 0);
    const bytes = new Uint8Array(size), view = new DataView(bytes.buffer);
    let at = 0;
    bytes[at++] = name.length;
    for (const letter of name) bytes[at++] = letter.charCodeAt(0);
    bytes[at++] = values.length;
    for (const {type, shape, data} of values) {
      bytes[at++] = type;
      bytes[at++] = shape.length;
      for (const length of shape) { view.setBigInt64(at, BigInt(length), true); at += 8; }
      const {size: width, set} = types[type];
      for (const x of data) { view[set](at, type === 3 ? BigInt(x) : x, true); at += width; }
    }
    return bytes;
  }

  /** A scalar becomes a number, a vector an array, a matrix an array of rows, an image {shape, data}. */
  function plain(shape, data) {
    if (shape.length === 0) return data[0];
    if (shape.length === 1) return data;
    if (shape.length > 2) return {shape, data};
    return Array.from({length: shape[0]}, (_, r) => data.slice(r * shape[1], (r + 1) * shape[1]));
  }

  /** The values of a reply's body, in the order of the result's members. */
  function decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    const outcome = bytes[at++], count = bytes[at++], results = [];
    for (let v = 0; v < count; ++v) {
      const {size: width, array} = types[bytes[at++]], shape = new Array(bytes[at++]);
      for (let d = 0; d < shape.length; ++d) { shape[d] = Number(view.getBigInt64(at, true)); at += 8; }
      const length = shape.reduce((a, b) => a * b, 1);
      const data = Array.from(new array(bytes.slice(at, at + length * width).buffer), Number);
      at += length * width;
      results.push(plain(shape, data));
    }
    return {outcome, results};
  }

  return {make, encode, decode, headerSize: 16};
}

/** One instance of a module at a time; a new one after every throw, which leaves the old one's stack as it was. */
class Engine {
  constructor(module) {
    this.module = module;
    this.format = wireFormat();
  }

  start() {
    let exports;
    const text = at => {
      const bytes = new Uint8Array(exports.memory.buffer);
      let end = at;
      while (bytes[end] !== 0) ++end;
      return new TextDecoder().decode(bytes.slice(at, end));
    };
    const thrown = (notAttempted, what) => { throw Object.assign(new Error(text(what)), {notAttempted: notAttempted !== 0}); };
    // Nothing is written anywhere; who prints is told that all of it has gone out.
    const write = (_, vectors, count, written) => {
      const view = new DataView(exports.memory.buffer);
      let sum = 0;
      for (let i = 0; i < count; ++i) sum += view.getUint32(vectors + 8 * i + 4, true);
      view.setUint32(written, sum, true);
      return 0;
    };
    const system = new Proxy({}, {get: (_, name) => (name === "fd_write" ? write : () => 8)});
    exports = new WebAssembly.Instance(this.module, {env: {thrown}, wasi_snapshot_preview1: system}).exports;
    exports._initialize();
    this.exports = exports;
    this.text = text;
  }

  /** The results of a function: an array, one for each member of what it returns. @throws Error with the function's own words */
  call(name, args) {
    if (!this.exports) this.start();
    try {
      const request = this.format.encode(name, args);
      const at = this.exports.reserve(request.length);
      new Uint8Array(this.exports.memory.buffer, at, request.length).set(request);
      const frame = this.exports.answer(), memory = this.exports.memory.buffer;
      const size = Number(new DataView(memory).getBigUint64(frame + 8, true));
      return this.format.decode(new Uint8Array(memory, frame + this.format.headerSize, size)).results;
    } catch (error) {
      this.exports = null;
      throw error;
    }
  }

  /** {function: exercise} */
  functions() {
    if (!this.exports) this.start();
    return Object.fromEntries(this.text(this.exports.functions()).trim().split("\n").map(line => line.split(" ")));
  }
}

if (typeof module !== "undefined") module.exports = {wireFormat, Engine};
