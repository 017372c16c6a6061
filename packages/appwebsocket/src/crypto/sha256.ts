/** The 64 round constants: fractional parts of the cube roots of the first primes (FIPS 180-4 §4.2.2). */
function roundTables(): { readonly initial: Int32Array; readonly constants: Int32Array } {
  const initial = new Int32Array(8);
  const constants = new Int32Array(64);
  let found = 0;
  for (let n = 2; found < 64; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    if (found < 8) initial[found] = (Math.sqrt(n) % 1) * 2 ** 32;
    constants[found++] = (Math.cbrt(n) % 1) * 2 ** 32;
  }
  return { initial, constants };
}

const TABLES = /* @__PURE__ */ roundTables();

const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

/** Message, one bit, zeros, length in bits as 64 bits: a multiple of 64 bytes (FIPS 180-4 §5.1.1). */
function padded(data: Uint8Array): DataView {
  const view = new DataView(new ArrayBuffer(((data.length + 8) >> 6) * 64 + 64));
  new Uint8Array(view.buffer).set(data);
  view.setUint8(data.length, 0x80);
  view.setUint32(view.byteLength - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(view.byteLength - 4, data.length << 3);
  return view;
}

/** Synchronous SHA-256, for browsers. */
export function sha256(data: Uint8Array): Uint8Array {
  const hash = TABLES.initial.slice();
  const message = padded(data);
  const w = new Int32Array(64);
  for (let block = 0; block < message.byteLength; block += 64) compress(hash, w, message, block);
  const out = new DataView(new ArrayBuffer(32));
  hash.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
}

function compress(hash: Int32Array, w: Int32Array, message: DataView, block: number): void {
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    if (i < 16) w[i] = message.getInt32(block + 4 * i);
    else {
      const x = w[i - 15] as number;
      const y = w[i - 2] as number;
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16] as number) + s0 + (w[i - 7] as number) + s1;
    }
    const t1 =
      h +
      (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
      ((e & f) ^ (~e & g)) +
      (TABLES.constants[i] as number) +
      (w[i] as number);
    const t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i] = (hash[i] as number) + word));
}
