const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

const DAY_MS = 24 * 3_600_000;

function dayNumber(at: number): number {
  const date = new Date(at);
  return Math.floor((at - date.getTimezoneOffset() * 60_000) / DAY_MS);
}

export function clockTime(at: number): string {
  return time.format(at);
}

export function fullTime(at: number): string {
  return full.format(at);
}

/** `Today`, `Yesterday`, or the day. */
export function dayName(at: number, now: number): string {
  const ago = dayNumber(now) - dayNumber(at);
  return ago === 0 ? 'Today' : ago === 1 ? 'Yesterday' : day.format(at);
}

/** The time for today, else the day: for lists. */
export function briefTime(at: number, now: number): string {
  const ago = dayNumber(now) - dayNumber(at);
  return ago === 0 ? time.format(at) : ago === 1 ? 'Yesterday' : shortDay.format(at);
}

export function isSameDay(a: number, b: number): boolean {
  return dayNumber(a) === dayNumber(b);
}

/** `3:07`, `1:02:03` */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const pad = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** First letters of the first and last word. */
export function initials(displayName: string): string {
  const words = displayName.trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return ends
    .map((word) => letters.segment(word ?? '').containing(0)?.segment ?? '')
    .join('')
    .toUpperCase();
}
