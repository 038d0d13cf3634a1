/** When a request says it was signed, and whether that is near enough to now. */
import { KmsError } from '../../errors.ts';

/** The time of a request, as a number and as it stands in the string to sign. */
export interface RequestTime {
  readonly ms: number;
  /** ISO 8601 basic format, `20150830T123600Z`. */
  readonly basic: string;
}

/** How far a client's clock may be off, either way. */
export const SKEW_MAX_MS: number = 5 * 60 * 1000;

const BASIC_FORMAT = /^\d{8}T\d{6}Z$/;
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads the X-Amz-Date value, or the Date value (RFC 9110 section 5.6.7 or ISO 8601 basic) where there is no X-Amz-Date.
 * Throws IncompleteSignatureException when it is not a time.
 */
export function parseRequestTime(amzDate: string | undefined, date: string | undefined): RequestTime {
  const text = amzDate ?? date ?? '';
  const isBasic = BASIC_FORMAT.test(text);
  const ms = isBasic ? parseBasic(text) : parseFixdate(amzDate === undefined ? text : '');
  if (Number.isNaN(ms)) {
    throw new KmsError(
      'IncompleteSignatureException',
      `Date must be in ISO-8601 'basic format'. Got '${text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?')}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );
  }
  return { ms, basic: isBasic ? text : toBasic(ms) };
}

/** Throws InvalidSignatureException when the time is more than five minutes from now. Both bounds are inclusive. */
export function requireCurrent(time: RequestTime, nowMs: number): void {
  const earliestMs = nowMs - SKEW_MAX_MS;
  const latestMs = nowMs + SKEW_MAX_MS;
  if (time.ms < earliestMs) {
    throw invalid(`Signature expired: ${time.basic} is now earlier than ${toBasic(earliestMs)} (${toBasic(nowMs)} - 5 min.)`);
  }
  if (time.ms > latestMs) {
    throw invalid(`Signature not yet current: ${time.basic} is still later than ${toBasic(latestMs)} (${toBasic(nowMs)} + 5 min.)`);
  }
}

/** ISO 8601 basic format in UTC, seconds cut off. */
export function toBasic(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function parseBasic(text: string): number {
  const part = (start: number, end: number): number => Number(text.slice(start, end));
  const [month, day] = [part(4, 6), part(6, 8)];
  const [hour, minute, second] = [part(9, 11), part(11, 13), part(13, 15)];
  const ms = Date.UTC(part(0, 4), month - 1, day, hour, minute, second);
  // Date.UTC carries 31 February over into March, and 25:00 into the next day: such a time is none.
  const date = new Date(ms);
  const carried = date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59;
  return carried ? Number.NaN : ms;
}

function parseFixdate(text: string): number {
  return IMF_FIXDATE.test(text) ? Date.parse(text) : Number.NaN;
}

function invalid(message: string): KmsError {
  return new KmsError('InvalidSignatureException', message);
}
