import { readFileSync } from 'node:fs';

/** The share of a WAV file's power (16 bit) near a frequency: about 1 for a pure tone, near 0 for silence or another one. */
export function toneShare(file: string, hz: number): number {
  const { samples, rate } = readWav(file);
  // The first and last tenth hold the start and the end of the call.
  const middle = samples.subarray(Math.floor(samples.length / 10), Math.floor((samples.length * 9) / 10));
  const block = Math.floor(rate / 10);
  let total = 0;
  let near = 0;
  for (let at = 0; at + block <= middle.length; at += block) {
    const part = middle.subarray(at, at + block);
    total += part.reduce((sum, value) => sum + value * value, 0);
    near += Math.max(...[-10, 0, 10].map((off) => goertzel(part, hz + off, rate)));
  }
  return total < block ? 0 : near / total;
}

/** The power of one frequency, on the scale of the sum of squares. */
function goertzel(samples: Int16Array, hz: number, rate: number): number {
  const factor = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let [one, two] = [0, 0];
  for (const sample of samples) [one, two] = [sample + factor * one - two, one];
  return (2 * (one * one + two * two - factor * one * two)) / samples.length;
}

/** Seconds of sound in a WAV file. */
export function secondsOf(file: string): number {
  const { samples, rate } = readWav(file);
  return samples.length / rate;
}

function readWav(file: string): { samples: Int16Array; rate: number } {
  const bytes = readFileSync(file);
  const rate = bytes.readUInt32LE(24);
  const channels = bytes.readUInt16LE(22);
  const at = bytes.indexOf('data') + 8;
  // A file that is still being written tells no length.
  const values = new Int16Array(
    bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 2 * Math.floor((bytes.length - at) / 2)),
  );
  return { samples: channels === 1 ? values : values.filter((_, i) => i % channels === 0), rate };
}
