/** Openfire's archive looks a little further than it was asked (OF §5.5). */
const START_SLACK_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;

export interface Period {
  readonly since?: number;
  readonly until?: number;
}

/** `start` goes back 5 minutes, `end` forward to the end of its day; what is no time is ignored (OF §5.5). */
export function periodOf(filter: { readonly start?: string | undefined; readonly end?: string | undefined }): Period {
  const start = timeOf(filter.start);
  const end = timeOf(filter.end);
  return {
    ...(start === null ? {} : { since: start - START_SLACK_MS }),
    ...(end === null ? {} : { until: end + DAY_MS - 1 }),
  };
}

/** An ISO instant, or `MM/dd/yy` as midnight UTC; null where it is neither. */
export function timeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (text.includes('T')) {
    const at = Date.parse(text);
    return Number.isNaN(at) ? null : at;
  }
  const [, month, day, year] = /^(\d{1,2})\/(\d{1,2})\/(\d{2}|\d{4})$/.exec(text) ?? [];
  if (month === undefined || day === undefined || year === undefined) return null;
  const at = new Date(Date.UTC(year.length === 2 ? 2000 + Number(year) : Number(year), Number(month) - 1, Number(day)));
  return at.getUTCMonth() === Number(month) - 1 && at.getUTCDate() === Number(day) ? at.getTime() : null;
}
